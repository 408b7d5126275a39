#include "policy/gcra.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "policy/backoff.hpp"

namespace certherd::policy {
namespace {

constexpr Duration patience_of_others = std::chrono::minutes(1);

Duration time_for(double units, double per_second) {
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(units / per_second));
}

Time begin_of_window(Time time, Duration window) { return time - time.time_since_epoch() % window; }

// Rounded up, so that the last unit of a window ends in the next one and is the last indeed.
Duration share(double units, double limit, Duration window) {
  const double micros = static_cast<double>(window.count()) / limit;
  return Duration(static_cast<Duration::rep>(std::ceil(micros))) *
         static_cast<Duration::rep>(std::ceil(units));
}

}  // namespace

Spending spend(Time full_at, double units, double per_second, double burst, Time now) {
  const Duration whole = time_for(burst, per_second);
  const Duration taken = time_for(units, per_second);
  const Time full_again = std::max(believed(full_at, units, per_second, burst, now), now) + taken;
  return {.from = std::max(now, full_again - whole), .full_at = full_again};
}

Time believed(Time full_at, double units, double per_second, double burst, Time now) {
  return std::min(full_at, now + time_for(burst, per_second) + time_for(units, per_second) +
                               patience_of_others);
}

Time free_from(Time full_at, Time closed_until, double units, double per_second, double burst,
               Time now) {
  const Time from = spend(full_at, units, per_second, burst, now).from;
  return must_wait(closed_until, now) ? std::max(from, closed_until) : from;
}

Time settle_late(Time full_at, double units, double per_second, Time now) {
  return std::max(full_at, now + time_for(units, per_second));
}

Time settle_closed(Time full_at, Time until, double per_second, double burst) {
  return std::max(full_at, until + time_for(burst, per_second) - time_for(1, per_second));
}

Time give_back(Time full_at, double units, double per_second) {
  return full_at - time_for(units, per_second);
}

Spending spend_in_windows(Time full_at, double units, double limit, Duration window, Time now) {
  const Time first = begin_of_window(now, window);
  const Time place = std::max(believed_in_windows(full_at, window, now), first);
  return {.from = std::max(now, begin_of_window(place, window)),
          .full_at = place + share(units, limit, window)};
}

Time believed_in_windows(Time full_at, Duration window, Time now) {
  return std::min(full_at, now + 2 * window);
}

Time settle_window(Time full_at, double left, Time until, double limit, Duration window) {
  const double spent = std::clamp(limit - left, 0.0, limit);
  const Time begin = until - window;
  // All of it: rounding must not leave a place in a window that is used up.
  const Time place = spent >= limit ? until : begin + share(spent, limit, window);
  return std::max(full_at, place);
}

double left_in_window(Time full_at, double limit, Duration window, Time now) {
  const Time begin = begin_of_window(now, window);
  const auto taken = std::max(full_at, begin) - begin;
  const auto each = share(1, limit, window);
  const auto spent = (taken + each / 2) / each;
  return std::clamp(limit - static_cast<double>(spent), 0.0, limit);
}

}  // namespace certherd::policy

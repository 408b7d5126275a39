#include "policy/backoff.hpp"

#include <algorithm>
#include <array>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;

constexpr int quick_retries = 4;

// The slow lane ends at a day, and no Retry-After is believed beyond a week.
constexpr Duration longest_pause = 27h;
constexpr auto longest_named_pause = std::chrono::days(8);

// Up to a tenth more, so that what failed together does not come back together.
Duration spread(Duration base, double chance) {
  return base +
         Duration(static_cast<Duration::rep>(static_cast<double>(base.count()) * 0.1 * chance));
}

}  // namespace

Duration slow_lane(int failures, double chance, Time now, End end) {
  constexpr std::array<Duration, 4> lane = {1min, 10min, 100min, 24h};
  constexpr int tries_before_the_end = 8;
  const auto index = static_cast<std::size_t>(std::clamp(failures - 1, 0, 3));
  Duration pause = lane.at(index);
  if (end && *end > now) {
    pause = std::min(pause, std::max<Duration>(100min, (*end - now) / tries_before_the_end));
  }
  return spread(pause, chance);
}

bool must_wait(Time until, Time now) { return until > now && until < now + longest_named_pause; }

bool must_wait(Time until, const std::optional<Error>& why, Time now) {
  if (why && why->kind == Error::Kind::throttled) return must_wait(until, now);
  return until > now && until < now + longest_pause;
}

Reaction react(const Error& error, int failures, double chance, Time now, End end) {
  const bool quick = error.kind == Error::Kind::transient && failures <= quick_retries;
  const Duration pause =
      quick ? spread(1s * (1 << (failures - 1)), chance)
            : slow_lane(failures - (error.kind == Error::Kind::transient ? quick_retries : 0),
                        chance, now, end);
  Reaction reaction;
  reaction.keep_issuance = error.kind != Error::Kind::rejected;
  reaction.retry_at = std::max(now + pause, error.retry_at.value_or(now));
  return reaction;
}

}  // namespace certherd::policy

#include "policy/gcra.hpp"

#include <algorithm>
#include <chrono>

namespace certherd::policy {
namespace {

constexpr Duration patience_of_others = std::chrono::minutes(1);

Duration time_for(double units, double per_second) {
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(units / per_second));
}

}  // namespace

Spending spend(Time full_at, double units, double per_second, double burst, Time now) {
  const Duration whole = time_for(burst, per_second);
  const Duration taken = time_for(units, per_second);
  const Time believed = std::min(full_at, now + whole + taken + patience_of_others);
  const Time full_again = std::max(believed, now) + taken;
  return {.from = std::max(now, full_again - whole), .full_at = full_again};
}

}  // namespace certherd::policy

#include "policy/forecast.hpp"

#include <algorithm>

#include "policy/gcra.hpp"

namespace certherd::policy {

void Forecast::put_off(Plan& plan, const std::vector<Need>& needs) {
  for (const auto& need : needs) {
    auto& limit = limits_.at(need.limit);
    const Time begin = std::max(plan.at, now_);
    for (int i = 0; i < need.units; ++i) {
      // As the budget gives it out: one after the other, at the earliest when the plan begins. A
      // place further away than the budget itself believes is one that this forecast has taken.
      const Time at = std::max(begin, limit.taken_until);
      const auto spending = spend_in_windows(limit.taken_until, 1, limit.units, limit.window, at);
      limit.taken_until = spending.full_at;
      const Time from = spending.from - spending.from.time_since_epoch() % limit.window;
      if (from <= plan.at) continue;
      plan.at = from;
      plan.limited_by = limit.words;
    }
  }
}

}  // namespace certherd::policy

#include "policy/forecast.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "policy/gcra.hpp"
#include "policy/turns.hpp"

namespace certherd::policy {
namespace {

Duration interval(const RateLimit& limit) {
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(1 / limit.per_second));
}

void take(RateLimit& limit, const Draw& draw, Time now) {
  if (!draw.taken) return;
  const auto spending = spend(limit.full_at, 1, limit.per_second, limit.burst, now);
  if (draw.asked || spending.from <= now) limit.full_at = spending.full_at;
}

}  // namespace

void put_off_orders(std::vector<RateLimit> limits, const std::vector<PlannedOrder>& orders,
                    Time now) {
  constexpr auto none = static_cast<std::size_t>(-1);
  std::set<std::pair<Time, std::size_t>> waiting;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const auto moment = orders[i].plan->moment();
    if (moment) waiting.emplace(std::max(*moment, now), i);
  }
  // As the executor and its budget do it: who finds a limit spent is told a turn of his own.
  Turns<std::size_t> turns;
  std::vector<std::size_t> told(orders.size(), none);
  while (!waiting.empty()) {
    const auto [at, index] = *waiting.begin();
    waiting.erase(waiting.begin());
    const auto& [plan, draws] = orders[index];
    Time from = at;
    auto last = none;
    for (const auto& draw : draws) {
      if (!draw.asked) continue;
      const auto& limit = limits.at(draw.limit);
      const Time free = free_from(limit.full_at, limit.closed_until, 1 + draw.kept,
                                  limit.per_second, limit.burst, at);
      if (free <= from) continue;
      from = free;
      last = draw.limit;
    }
    if (last == none) {
      for (const auto& draw : draws) take(limits.at(draw.limit), draw, at);
      continue;
    }
    const bool told_before = std::exchange(told[index], last) == last;
    plan->put_off(turns.next(last, from, interval(limits.at(last)), told_before),
                  limits.at(last).words);
    waiting.emplace(plan->at, index);
  }
}

void Forecast::put_off(Plan& plan, const std::vector<Need>& needs) {
  if (!plan.moment()) return;
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
      plan.put_off(from, limit.words);
    }
  }
}

}  // namespace certherd::policy

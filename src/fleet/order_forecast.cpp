#include "fleet/order_forecast.hpp"

#include "fleet/ca_budget.hpp"

namespace certherd::fleet {
namespace {

bool is_still_to_order(const OrderForecast::Item& item) {
  using policy::Action;
  const auto action = item.plan->action;
  if (action != Action::issue && action != Action::renew) return false;
  return !item.row->working || *item.row->working <= Step::new_order;
}

}  // namespace

Task<Result<OrderForecast>> OrderForecast::read(store::Store* store,
                                                std::map<CaName, LimitedCa> cas,
                                                Defaults defaults) {
  OrderForecast read;
  read.defaults_ = std::move(defaults);
  read.cas_ = std::move(cas);
  auto levels = co_await store->levels();
  if (!levels) co_return fail(std::move(levels.error()));
  read.levels_ = std::move(*levels);
  co_return read;
}

void OrderForecast::put_off(const std::vector<Item>& items, Time now) {
  std::vector<policy::PlannedOrder> orders;
  for (const auto& item : items) {
    if (!is_still_to_order(item)) continue;
    if (policy::is_limit_reached(item.row->domain.last_error)) {
      item.plan->put_off(now, "");
    }
    auto drawn = draws(item, now);
    if (!drawn.empty()) orders.push_back({.plan = item.plan, .draws = std::move(drawn)});
  }
  policy::put_off_orders(limits_, orders, now);
}

std::vector<policy::Draw> OrderForecast::draws(const Item& item, Time now) {
  const auto name = ca_of(item.row->domain, defaults_);
  const auto found = cas_.find(name);
  if (found == cas_.end()) return {};
  const auto& ca = found->second;
  std::vector<policy::Draw> draws;
  for (const auto& draw : policy::draws_of(ca.limits, facts_of(*item.row, name, now))) {
    const auto& rate = ca.limits.rates.at(draw.bucket.limit);
    auto allowance = allowance_of(draw.bucket, rate, ca.account, ca.authority);
    const auto [place, is_new] = known_.emplace(allowance.name, limits_.size());
    if (is_new) {
      const auto level = levels_.find(allowance.name);
      const auto spent = level == levels_.end() ? store::Level() : level->second;
      limits_.push_back({.words = words_of(draw.bucket, rate, name.text()),
                         .per_second = allowance.per_second,
                         .burst = allowance.burst,
                         .full_at = spent.full_at,
                         .closed_until = spent.closed_until});
    }
    draws.push_back({.limit = place->second,
                     .kept = static_cast<double>(draw.kept),
                     .asked = draw.asked,
                     .taken = draw.spent != policy::CaDraw::Spent::by_failure});
  }
  return draws;
}

}  // namespace certherd::fleet

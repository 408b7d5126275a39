#include "app/fleet_plan.hpp"

#include <algorithm>

#include "policy/backoff.hpp"

namespace certherd::app {
namespace {

using policy::Action;
using policy::Plan;

Plan plan_of(const store::DomainRow& row, const fleet::Defaults& defaults, Time now) {
  return policy::plan_for(row.domain, row.certificate, row.working,
                          fleet::targets_of(row.domain, defaults), defaults.renew_at, now);
}

/// As the executor does it: a request does not mind the pause after a failure, but the other side's
/// own time.
Plan plan_to_replace(store::DomainRow& row, const fleet::Defaults& defaults, Time now) {
  // Behind this step the present certificate is the one of that issuance: another one has to come.
  if (row.working && *row.working > Step::store) row.working.reset();
  auto plan = plan_of(row, defaults, now);
  if (!row.working) plan.reason = "is to be replaced";
  plan.action = Action::renew;
  const auto& error = row.domain.last_error;
  if (row.working && error && error->kind == Error::Kind::throttled) return plan;
  plan.at = now;
  plan.limited_by.clear();
  plan.opening = {};  // nor hold and window
  return plan;
}

bool before(const FleetPlan::Item& left, const FleetPlan::Item& right) {
  if (policy::earlier(left.plan, right.plan)) return true;
  if (policy::earlier(right.plan, left.plan)) return false;
  return left.row->domain.name < right.row->domain.name;
}

}  // namespace

Task<Result<OutsideLimits>> OutsideLimits::read(App* app) {
  std::map<CaName, fleet::LimitedCa> cas;
  for (const auto& [name, config] : app->config().cas) {
    auto account = co_await app->store().account(name);
    if (!account) co_return fail(std::move(account.error()));
    cas[name] = {.limits = config.limits,
                 .authority = config.authority(),
                 .account = *account ? (*account)->url : AccountUrl()};
  }
  auto orders =
      co_await fleet::OrderForecast::read(&app->store(), std::move(cas), app->config().defaults);
  if (!orders) co_return fail(std::move(orders.error()));
  auto writes = co_await TargetLimits::read(app);
  if (!writes) co_return fail(std::move(writes.error()));
  co_return OutsideLimits{.orders = std::move(*orders), .writes = std::move(*writes)};
}

FleetPlan::FleetPlan(std::vector<store::DomainRow> rows, const fleet::Defaults& defaults,
                     OutsideLimits limits, Time now, const std::set<DomainId>& replaced)
    : rows_(std::move(rows)) {
  for (auto& row : rows_) {
    if (!row.domain.enabled) continue;
    auto plan = replaced.contains(row.domain.id) ? plan_to_replace(row, defaults, now)
                                                 : plan_of(row, defaults, now);
    auto& list = plan.action == Action::none ? later_ : due_;
    const auto held_by = plan.limited_by.empty() ? HeldBy::nothing : HeldBy::pause;
    list.push_back({.row = &row, .plan = std::move(plan), .held_by = held_by});
  }
  hold_back(std::move(limits), now);
  std::ranges::sort(later_, before);
}

void FleetPlan::hold_back(OutsideLimits limits, Time now) {
  std::ranges::sort(due_, before);
  std::vector<fleet::OrderForecast::Item> orders;
  orders.reserve(due_.size());
  for (auto& item : due_) orders.push_back({.row = item.row, .plan = &item.plan});
  std::vector<std::string> paused;
  paused.reserve(due_.size());
  for (const auto& item : due_) paused.push_back(item.plan.limited_by);
  limits.orders.put_off(orders, now);
  for (std::size_t i = 0; i < due_.size(); ++i) {
    auto& item = due_[i];
    if (item.plan.limited_by.empty()) item.held_by = HeldBy::nothing;
    if (!item.plan.limited_by.empty() && item.plan.limited_by != paused[i]) {
      item.held_by = HeldBy::ca;
    }
  }
  std::ranges::sort(due_, before);
  policy::Forecast forecast(limits.writes.limits(), now);
  for (auto& item : due_) {
    const Time ordered_at = item.plan.at;
    forecast.put_off(item.plan, limits.writes.needs(*item.row, item.plan));
    if (item.plan.at > ordered_at) item.held_by = HeldBy::target;
  }
  std::ranges::sort(due_, before);
}

void FleetPlan::keep(const std::set<DomainId>& shown) {
  const auto other = [&shown](const Item& item) { return !shown.contains(item.row->domain.id); };
  std::erase_if(due_, other);
  std::erase_if(later_, other);
}

std::optional<Time> FleetPlan::finish_at() const {
  std::optional<Time> last;
  for (const auto& item : due_) last = std::max(last, item.plan.moment());
  return last;
}

}  // namespace certherd::app

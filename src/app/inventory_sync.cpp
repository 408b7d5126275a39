#include "app/inventory_sync.hpp"

#include <algorithm>
#include <map>

namespace certherd::app {

std::vector<ColumnChange> difference(const Domain& before, const Domain& after) {
  std::map<std::string, ColumnChange> changes;
  for (auto& [column, text] : columns_of(before)) {
    changes[column] = {.column = column, .from = text, .to = {}};
  }
  for (auto& [column, text] : columns_of(after)) {
    auto& change = changes[column];
    change.column = column;
    change.to = text;
  }
  std::vector<ColumnChange> different;
  for (auto& [column, change] : changes) {
    if (change.from != change.to) different.push_back(std::move(change));
  }
  return different;
}

bool concerns_names(const DomainChange& change) {
  return std::ranges::any_of(change.columns, [](const ColumnChange& each) {
    return each.column == "names" || each.column == "ca";
  });
}

Event change_event(const DomainChange& change, Time now) {
  Event event{.at = now, .domain = change.after.name, .event = "domain.changed", .detail = {}};
  for (const auto& [column, from, to] : change.columns) event.detail[column] = from + " → " + to;
  return event;
}

std::size_t SyncPlan::allowance() const { return std::max<std::size_t>(1, before / 10); }

SyncPlan plan_sync(const std::vector<store::DomainRow>& inventory,
                   const std::vector<InventoryRow>& file, bool prune) {
  SyncPlan plan;
  plan.before = inventory.size();
  std::map<Fqdn, const InventoryRow*> wanted;
  for (const auto& row : file) wanted.emplace(row.domain.name, &row);
  for (const auto& [domain, certificate, working, working_next_at] : inventory) {
    const auto found = wanted.find(domain.name);
    DomainChange change{.after = domain, .columns = {}};
    if (found == wanted.end()) {
      if (!prune || !domain.enabled) {
        ++plan.unchanged;
        continue;
      }
      change.after.enabled = false;
      change.columns = difference(domain, change.after);
      plan.disabled.push_back(std::move(change));
      continue;
    }
    const auto& columns = found->second->columns;
    wanted.erase(found);
    // Each column is right by itself, so it is here too.
    change.after = with_columns(std::move(change.after), columns).value();
    change.columns = difference(domain, change.after);
    if (!change.after.enabled && !columns.contains("enabled")) {
      plan.stay_disabled.push_back(domain.name);
    }
    if (change.columns.empty()) {
      ++plan.unchanged;
    } else {
      plan.changed.push_back(std::move(change));
    }
  }
  plan.added.reserve(wanted.size());
  for (const auto& [name, row] : wanted) plan.added.push_back(row->domain);
  return plan;
}

store::InventoryChange to_change(const SyncPlan& plan, Time now) {
  store::InventoryChange change;
  change.added = plan.added;
  change.changed.reserve(plan.touched());
  change.events.reserve(plan.added.size() + plan.touched());
  for (const auto& domain : plan.added) {
    change.events.push_back(
        {.at = now, .domain = domain.name, .event = "domain.added", .detail = {}});
  }
  for (const auto* part : {&plan.changed, &plan.disabled}) {
    for (const auto& each : *part) {
      change.events.push_back(change_event(each, now));
      change.changed.push_back(each.after);
    }
  }
  return change;
}

}  // namespace certherd::app

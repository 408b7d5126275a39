#include <algorithm>

#include "store/memory_store_class.hpp"
#include "store/refusals.hpp"
#include "store/rules.hpp"

namespace certherd::store {
namespace {

/// Takes the columns of the inventory over; how the domain fares stays.
void take_columns(Domain& domain, Domain columns) {
  columns.id = domain.id;
  columns.name = std::move(domain.name);
  columns.revision = domain.revision + 1;
  columns.failures = domain.failures;
  columns.next_at = domain.next_at;
  columns.last_error = std::move(domain.last_error);
  domain = std::move(columns);
}

void take_outcome(Domain& domain, Changes::Outcome outcome) {
  domain.failures = outcome.failures;
  domain.next_at = outcome.next_at;
  domain.last_error = std::move(outcome.last_error);
}

}  // namespace

/// Looks in the order in which a change is made whether it can be: what one part of it does, such
/// as a removal, the next part builds on.
class MemoryStore::Change {
 public:
  explicit Change(Inventory& inventory) : inventory_(inventory) {}

  void look_at(const InventoryChange& change) {
    for (const auto& domain : change.removed) go_on_with(domain, true);
    for (const auto& domain : change.changed) go_on_with(domain, false);
    for (const auto& domain : change.added) {
      const auto* entry = inventory_.find(domain.name);
      const bool there = entry == nullptr ? !fresh_.insert(domain.name).second
                                          : !std::exchange(state_of(*entry).removed, false);
      if (there) conflicts_.push_back(is_there_already(domain.name));
    }
  }

  std::vector<Error>& conflicts() { return conflicts_; }

 private:
  struct State {
    std::int64_t revision = 0;
    bool removed = false;
  };

  State& state_of(const Entry& entry) {
    return states_
        .try_emplace(entry.domain.id,
                     State{.revision = entry.domain.revision, .removed = entry.removed})
        .first->second;
  }

  void go_on_with(const Domain& domain, bool removes) {
    const auto* entry = inventory_.find(domain.id);
    auto* state = entry == nullptr ? nullptr : &state_of(*entry);
    if (state == nullptr || state->removed || state->revision != domain.revision) {
      conflicts_.push_back(changed_meanwhile(domain.name));
      return;
    }
    ++state->revision;
    state->removed = removes;
  }

  Inventory& inventory_;
  std::unordered_map<DomainId, State> states_;
  std::set<Fqdn> fresh_;
  std::vector<Error> conflicts_;
};

DomainRow MemoryStore::row_of(const Entry& entry) const {
  DomainRow row;
  row.domain = entry.domain;
  if (entry.current != nullptr) {
    row.certificate = entry.current->certificate;
    if (entry.renewal_of == row.certificate->serial) row.certificate->renewal = entry.renewal;
  }
  if (entry.active != IssuanceId{}) {
    const auto& issuance = issuances_.at(entry.active);
    row.working = issuance.step;
    row.working_next_at = issuance.next_at;
  }
  return row;
}

std::vector<DomainRow> MemoryStore::rows() const {
  std::vector<DomainRow> rows;
  rows.reserve(inventory_.by_name().size());
  for (const auto& [name, id] : inventory_.by_name()) {
    const auto& entry = *inventory_.find(id);
    if (!entry.removed) rows.push_back(row_of(entry));
  }
  return rows;
}

Task<Status> MemoryStore::change_inventory(InventoryChange change) {
  constexpr auto op = "change the inventory";
  Change look(inventory_);
  look.look_at(change);
  if (!look.conflicts().empty()) {
    co_return refuse(op, nothing_was_changed(std::move(look.conflicts())));
  }
  if (auto checked = check_requests(change.requests); !checked) {
    co_return fail(std::move(checked.error()).during(op));
  }

  std::vector<DomainId> touched;
  for (const auto& removed : change.removed) {
    auto& entry = *inventory_.find(removed.id);
    entry.removed = true;
    ++entry.domain.revision;
    end_issuance(entry, Step::clean_up, domain_was_removed());
    touched.push_back(removed.id);
  }
  for (auto& changed : change.changed) {
    auto& entry = *inventory_.find(changed.id);
    touched.push_back(changed.id);
    const auto consequence = consequence_of(entry.domain, changed);
    take_columns(entry.domain, std::move(changed));
    if (consequence.order_is_void) end_issuance(entry, last_before_finalize, order_was_changed());
    if (consequence.pause_ends) take_outcome(entry.domain, {});
  }
  for (auto& added : change.added) {
    auto* entry = inventory_.find(added.name);
    if (entry == nullptr) {
      entry = &inventory_.add(std::move(added));
    } else {
      // It keeps its id, and with it its certificates.
      entry->removed = false;
      take_outcome(entry->domain, {.failures = added.failures,
                                   .next_at = added.next_at,
                                   .last_error = std::move(added.last_error)});
      take_columns(entry->domain, std::move(added));
    }
    touched.push_back(entry->domain.id);
  }
  put_events(std::move(change.events));
  put_requests(std::move(change.requests));
  touched_.note(touched);
  co_return Status();
}

Task<Result<std::vector<DomainRow>>> MemoryStore::domains() { co_return rows(); }

Task<Result<InventoryNews>> MemoryStore::domains_since(Mark mark) {
  InventoryNews news;
  news.mark = touched_.mark();
  const auto domains = touched_.since(mark, news.mark);
  news.all = !domains;
  if (news.all) {
    news.changed = rows();
    news.mark.size = news.changed.size();
    co_return news;
  }
  news.mark.size = mark.size;
  for (const auto domain : *domains) {
    const auto& entry = *inventory_.find(domain);
    if (entry.removed) {
      news.removed.push_back(domain);
    } else {
      news.changed.push_back(row_of(entry));
    }
  }
  std::ranges::sort(news.changed, {}, [](const DomainRow& row) { return row.domain.name; });
  co_return news;
}

Task<Result<DomainRow>> MemoryStore::domain(Fqdn name) {
  const auto* entry = inventory_.find(name);
  if (entry == nullptr || entry->removed) {
    co_return refuse("domain " + name.text(), no_such_domain());
  }
  co_return row_of(*entry);
}

Task<Result<std::vector<std::string>>> MemoryStore::names_with(std::string prefix,
                                                               std::size_t limit) {
  std::vector<std::string> names;
  const auto& all = inventory_.by_name();
  for (auto each = all.lower_bound(prefix);
       each != all.end() && each->first.starts_with(prefix) && names.size() < limit; ++each) {
    if (!inventory_.find(each->second)->removed) names.push_back(each->first);
  }
  co_return names;
}

}  // namespace certherd::store

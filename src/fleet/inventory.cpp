#include "fleet/inventory.hpp"

#include <set>
#include <utility>

namespace certherd::fleet {

Task<Result<Inventory::News>> Inventory::read() {
  auto told = co_await store_.domains_since(mark_);
  if (!told) co_return fail(std::move(told.error()));
  mark_ = told->mark;
  News news;
  std::set<DomainId> gone(told->removed.begin(), told->removed.end());
  if (told->all) {
    for (const auto& [id, row] : rows_) gone.insert(id);
  }
  for (auto& row : told->changed) {
    const auto id = row.domain.id;
    gone.erase(id);
    news.changed.push_back(id);
    ids_.insert_or_assign(row.domain.name, id);
    rows_.insert_or_assign(id, std::make_shared<const store::DomainRow>(std::move(row)));
  }
  for (const auto id : gone) {
    const auto row = rows_.find(id);
    if (row == rows_.end()) continue;
    news.gone.push_back({.id = id, .name = row->second->domain.name});
    // Another domain may bear its name by now.
    const auto named = ids_.find(row->second->domain.name);
    if (named != ids_.end() && named->second == id) ids_.erase(named);
    rows_.erase(row);
  }
  co_return news;
}

const store::DomainRow* Inventory::find(DomainId id) const {
  const auto row = rows_.find(id);
  return row == rows_.end() ? nullptr : row->second.get();
}

const store::DomainRow* Inventory::find(const Fqdn& name) const {
  const auto id = ids_.find(name);
  return id == ids_.end() ? nullptr : find(id->second);
}

std::vector<DomainId> Inventory::all() const {
  std::vector<DomainId> all;
  all.reserve(ids_.size());
  for (const auto& [name, id] : ids_) all.push_back(id);
  return all;
}

}  // namespace certherd::fleet

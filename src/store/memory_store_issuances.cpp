#include <algorithm>

#include "store/memory_store_class.hpp"
#include "store/refusals.hpp"
#include "store/rules.hpp"

namespace certherd::store {

void MemoryStore::put_order(const OrderUrl& before, const OrderUrl& after) {
  if (before == after) return;
  if (!before.empty()) {
    const auto held = orders_.find(before.text());
    if (--held->second == 0) orders_.erase(held);
  }
  if (!after.empty()) ++orders_[after.text()];
}

void MemoryStore::drop_over(Entry& entry) {
  auto& ids = entry.issuances;
  std::size_t over = ids.size() - (entry.active == IssuanceId{} ? 0 : 1);
  for (auto id = ids.begin(); over > keep_former_;) {
    if (*id == entry.active) {
      ++id;
      continue;
    }
    const auto dropped = issuances_.find(*id);
    put_order(dropped->second.order_url, {});
    issuances_.erase(dropped);
    id = ids.erase(id);
    --over;
  }
}

void MemoryStore::end_issuance(Entry& entry, Step last, const Error& why) {
  if (entry.active == IssuanceId{}) return;
  auto& issuance = issuances_.at(entry.active);
  if (issuance.step > last) return;
  put_events({abandon(issuance, why, clock_.now())});
  ++issuance.revision;
  active_.erase(entry.active);
  entry.active = {};
  drop_over(entry);
}

Task<Result<Issuance>> MemoryStore::start(Issuance issuance, Changes changes) {
  const auto op = [&issuance] { return fmt::format("start issuance of {}", issuance.domain); };
  auto* entry = inventory_.find(issuance.domain_id);
  if (entry == nullptr || entry->removed) co_return refuse(op(), not_in_inventory());
  if (issuance.active() && entry->active != IssuanceId{}) {
    co_return refuse(op(), under_way_already());
  }
  if (auto checked = check_changes(entry, changes); !checked) {
    co_return fail(std::move(checked.error()).during(op()));
  }

  issuance.revision = 1;
  issuance.id = IssuanceId{++last_issuance_};
  auto& row = issuances_[issuance.id];
  row = issuance;
  row.domain = entry->domain.name;
  if (row.certificate) settle_certificate(*entry, *row.certificate);
  put_order({}, row.order_url);
  entry->issuances.push_back(row.id);
  if (row.active()) {
    entry->active = row.id;
    active_.insert(active_.end(), row.id);
  } else {
    drop_over(*entry);
  }
  put_changes(entry, std::move(changes));
  touched_.note(issuance.domain_id);
  ++journal_writes_;
  co_return issuance;
}

Task<Result<Issuance>> MemoryStore::commit(Issuance issuance, Changes changes) {
  const auto op = [&issuance] { return fmt::format("commit issuance of {}", issuance.domain); };
  const auto found = issuances_.find(issuance.id);
  if (found == issuances_.end()) {
    const auto number = static_cast<std::int64_t>(issuance.id);
    if (number < 1 || number > last_issuance_) co_return refuse(op(), no_such_issuance());
    co_return fail(Error::Kind::conflict, op(), "another process went on with it: it is over");
  }
  auto& row = found->second;
  if (row.revision != issuance.revision) co_return refuse(op(), gone_on_with(row));
  auto* entry = inventory_.find(row.domain_id);
  const bool was_active = entry->active == row.id;
  if (issuance.active() && !was_active && entry->active != IssuanceId{}) {
    co_return refuse(op(), under_way_already());
  }
  if (auto checked = check_changes(entry, changes); !checked) {
    co_return fail(std::move(checked.error()).during(op()));
  }

  ++issuance.revision;
  put_order(row.order_url, issuance.order_url);
  const auto domain_id = row.domain_id;
  const auto created_at = row.created_at;
  row = issuance;  // what does not change with a commit is put back
  row.domain_id = domain_id;
  row.domain = entry->domain.name;
  row.created_at = created_at;
  if (row.certificate) settle_certificate(*entry, *row.certificate);
  if (row.active() && !was_active) {
    entry->active = row.id;
    active_.insert(row.id);
  } else if (!row.active() && was_active) {
    entry->active = {};
    active_.erase(row.id);
    drop_over(*entry);  // with `row`, where none is kept
  }
  put_changes(entry, std::move(changes));
  touched_.note(domain_id);
  ++journal_writes_;
  co_return issuance;
}

Task<Result<Issuance>> MemoryStore::issuance(IssuanceId id) {
  const auto found = issuances_.find(id);
  if (found == issuances_.end()) {
    co_return refuse(fmt::format("issuance {}", static_cast<std::int64_t>(id)), no_such_issuance());
  }
  co_return found->second;
}

Task<Result<std::vector<Issuance>>> MemoryStore::active_issuances() {
  std::vector<Issuance> active;
  active.reserve(active_.size());
  for (const auto id : active_) active.push_back(issuances_.at(id));
  co_return active;
}

Task<Result<std::optional<Issuance>>> MemoryStore::active_issuance(DomainId domain) {
  std::optional<Issuance> active;
  const auto* entry = inventory_.find(domain);
  if (entry != nullptr && entry->active != IssuanceId{}) active = issuances_.at(entry->active);
  co_return active;
}

Task<Result<std::string>> MemoryStore::chain_of(DomainId domain, Serial serial) {
  if (const auto* entry = inventory_.find(domain)) {
    for (const auto id : entry->issuances) {
      const auto& issuance = issuances_.at(id);
      if (issuance.certificate && issuance.certificate->serial == serial) {
        co_return issuance.fullchain;
      }
    }
  }
  co_return refuse("look for a chain", no_chain_of(serial));
}

Task<Result<std::vector<OrderUrl>>> MemoryStore::unknown_orders(std::vector<OrderUrl> urls) {
  std::erase_if(urls, [this](const OrderUrl& url) { return orders_.contains(url.text()); });
  co_return urls;
}

}  // namespace certherd::store

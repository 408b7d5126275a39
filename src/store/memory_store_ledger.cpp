#include <algorithm>

#include "store/memory_store_class.hpp"

namespace certherd::store {
namespace {

auto holds(const TxtRecord& record) {
  return [&record](const LedgerHolder& holder) {
    return holder.issuance == record.issuance && holder.dns == record.dns &&
           holder.zone == record.zone;
  };
}

void add_of(const DnsName& dns, const LedgerKey& key, const std::vector<LedgerHolder>& holders,
            std::vector<TxtRecord>& records) {
  for (const auto& holder : holders) {
    if (holder.dns != dns) continue;
    records.push_back({.dns = holder.dns,
                       .zone = holder.zone,
                       .name = key.name,
                       .value = key.value,
                       .issuance = holder.issuance});
  }
}

}  // namespace

Task<Status> MemoryStore::record(std::vector<TxtRecord> records) {
  const Time now = clock_.now();
  for (auto& record : records) {
    auto& holders = ledger_[{.name = record.name, .value = record.value}];
    const auto found = std::ranges::find_if(holders, holds(record));
    if (found != holders.end()) {
      found->recorded_at = now;
    } else {
      holders.push_back({.dns = std::move(record.dns),
                         .zone = std::move(record.zone),
                         .issuance = record.issuance,
                         .recorded_at = now});
    }
  }
  co_return Status();
}

Task<Status> MemoryStore::forget(std::vector<TxtRecord> records, Time until) {
  const Time now = clock_.now();
  for (const auto& record : records) {
    const auto found = ledger_.find({.name = record.name, .value = record.value});
    if (found == ledger_.end()) continue;
    for (auto& holder : found->second) {
      // By a clock that was ahead.
      if (holds(record)(holder)) holder.recorded_at = std::min(holder.recorded_at, now);
    }
    std::erase_if(found->second, [&record, until](const LedgerHolder& holder) {
      return holds(record)(holder) && holder.recorded_at <= until;
    });
    if (found->second.empty()) ledger_.erase(found);
  }
  co_return Status();
}

Task<Result<std::vector<TxtRecord>>> MemoryStore::unneeded(DnsName dns) {
  // By name and value alone: two sections may well write to one and the same zone.
  const auto needs_it = [this](const LedgerHolder& holder) {
    const auto found = issuances_.find(holder.issuance);
    return found != issuances_.end() && found->second.active() && found->second.needs_challenges();
  };
  std::vector<TxtRecord> records;
  for (const auto& [key, holders] : ledger_) {
    if (std::ranges::none_of(holders, needs_it)) add_of(dns, key, holders, records);
  }
  std::ranges::sort(records);
  co_return records;
}

Task<Result<std::vector<TxtRecord>>> MemoryStore::entries(DnsName dns) {
  std::vector<TxtRecord> records;
  for (const auto& [key, holders] : ledger_) add_of(dns, key, holders, records);
  std::ranges::sort(records);
  co_return records;
}

}  // namespace certherd::store

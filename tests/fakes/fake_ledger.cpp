#include "fakes/fake_ledger.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace certherd::fakes {

Task<Status> FakeLedger::record(std::vector<TxtRecord> records) {
  ++record_calls_;
  co_await clock_->sleep_for(answer_after_);
  if (auto error = std::exchange(next_record_error_, std::nullopt)) co_return fail(*error);
  for (auto& record : records) entries_.insert_or_assign(std::move(record), clock_->now());
  co_return Status();
}

Task<Status> FakeLedger::forget(std::vector<TxtRecord> records, Time until) {
  co_await clock_->sleep_for(answer_after_);
  for (const auto& record : records) {
    const auto entry = entries_.find(record);
    if (entry != entries_.end() && entry->second <= until) entries_.erase(entry);
  }
  co_return Status();
}

// The answer is as of the moment of the question, as from a database, and arrives later.
Task<Result<std::vector<TxtRecord>>> FakeLedger::unneeded(DnsName dns) {
  std::vector<TxtRecord> found;
  for (const auto& [entry, at] : entries_) {
    const bool needed =
        std::ranges::any_of(std::views::keys(entries_), [&](const TxtRecord& other) {
          return other.name == entry.name && other.value == entry.value &&
                 !finished_.contains(other.issuance);
        });
    if (entry.dns == dns && !needed) found.push_back(entry);
  }
  co_await clock_->sleep_for(answer_after_);
  co_return found;
}

Task<Result<std::vector<TxtRecord>>> FakeLedger::entries(DnsName dns) {
  std::vector<TxtRecord> found;
  std::ranges::copy_if(std::views::keys(entries_), std::back_inserter(found),
                       [&dns](const TxtRecord& entry) { return entry.dns == dns; });
  co_await clock_->sleep_for(answer_after_);
  co_return found;
}

bool FakeLedger::holds(const Fqdn& name, const TxtValue& value) const {
  return std::ranges::any_of(std::views::keys(entries_), [&](const TxtRecord& entry) {
    return entry.name == name && entry.value == value;
  });
}

}  // namespace certherd::fakes

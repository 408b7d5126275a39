#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "dns/ledger.hpp"
#include "runtime/clock.hpp"

namespace certherd::fakes {

/// The ledger in memory. Issuances are active unless finish() has named them.
class FakeLedger final : public dns::Ledger {
 public:
  explicit FakeLedger(runtime::Clock& clock) : clock_(&clock) {}

  Task<Status> record(std::vector<TxtRecord> records) override;
  Task<Status> forget(std::vector<TxtRecord> records, Time until) override;
  Task<Result<std::vector<TxtRecord>>> unneeded(DnsName dns) override;
  Task<Result<std::vector<TxtRecord>>> entries(DnsName dns) override;

  void finish(IssuanceId issuance) { finished_.insert(issuance); }
  void set_answer_after(Duration duration) { answer_after_ = duration; }
  void fail_next_record(Error error) { next_record_error_ = std::move(error); }

  bool holds(const Fqdn& name, const TxtValue& value) const;
  std::size_t size() const { return entries_.size(); }
  std::size_t record_calls() const { return record_calls_; }

 private:
  runtime::Clock* clock_;
  Duration answer_after_{0};
  std::map<TxtRecord, Time> entries_;  ///< when each was recorded
  std::set<IssuanceId> finished_;
  std::optional<Error> next_record_error_;
  std::size_t record_calls_ = 0;
};

}  // namespace certherd::fakes

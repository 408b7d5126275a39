#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dns/provider.hpp"
#include "runtime/clock.hpp"

namespace certherd::sim {

/// A DNS host in memory that behaves like a real one on a bad day: answers take time, changes
/// take longer to stand everywhere, and chosen calls fail, also after having done their work.
class FakeDnsProvider final : public dns::Provider {
 public:
  struct Failure {
    Error error;
    bool after_success = false;  ///< the work is done, but its answer is lost
  };
  struct ApplyCall {
    Time at;
    Time answered;
    dns::Zone zone;
    std::vector<dns::TxtChange> changes;
    bool ok = false;
  };

  FakeDnsProvider(runtime::Clock& clock, std::vector<dns::Zone> zones)
      : clock_(&clock), zones_(std::move(zones)) {}

  Task<Result<dns::Zone>> find_zone(Fqdn name) override;
  Task<Result<std::vector<dns::Zone>>> zones() override;
  Task<Result<std::vector<Fqdn>>> name_servers(dns::Zone zone) override;
  Task<Result<Ticket>> apply(dns::Zone zone, std::vector<dns::TxtChange> changes) override;
  Task<Result<dns::ChangeState>> state(Ticket ticket) override;
  Task<Result<std::vector<TxtValue>>> list(dns::Zone zone, Fqdn name) override;
  dns::BatchLimits limits() const override { return limits_; }
  Task<Status> check() override;

  void set_limits(dns::BatchLimits limits) { limits_ = limits; }
  void set_answer_after(Duration duration) { answer_after_ = duration; }
  void set_in_sync_after(Duration duration) { in_sync_after_ = duration; }

  /// A zone takes its next request only so long after the one before; else it is throttled, as
  /// Route 53's PriorRequestNotComplete does.
  void set_quiet_time(Duration duration) { quiet_time_ = duration; }

  /// Every apply() fails, until it is nothing again.
  void refuse(std::optional<Error> error) { refusal_ = std::move(error); }

  /// Fails the nth apply() from now on; 1 is the next one.
  void fail_apply(std::size_t nth, Failure failure);
  void fail_state(std::size_t nth, Error error);

  /// Batches with this value are rejected; the causes name it unless `named` is false.
  void reject_value(const TxtValue& value, bool named = true);

  /// Puts a value there that is not ours.
  void plant(const Fqdn& name, const TxtValue& value) { values_[name].insert(value); }

  bool holds(const Fqdn& name, const TxtValue& value) const;
  std::size_t value_count() const;

  const std::deque<ApplyCall>& apply_calls() const { return apply_calls_; }
  std::size_t state_calls() const { return state_calls_; }

  /// The most requests of one zone, and of all zones, that were unanswered at one time.
  std::size_t most_in_flight_per_zone() const { return most_per_zone_; }
  std::size_t most_in_flight() const { return most_; }

 private:
  Result<Ticket> perform(const dns::Zone& zone, const std::vector<dns::TxtChange>& changes);
  std::optional<Error> objection(const dns::Zone& zone, const std::vector<dns::TxtChange>& changes);
  const dns::Zone* zone_of(const Fqdn& name) const;

  runtime::Clock* clock_;
  std::optional<Error> refusal_;
  std::vector<dns::Zone> zones_;
  dns::BatchLimits limits_;
  Duration answer_after_{0};
  Duration in_sync_after_{0};
  Duration quiet_time_{0};
  std::map<Fqdn, std::set<TxtValue>> values_;
  std::map<TxtValue, bool> rejected_;
  std::map<std::size_t, Failure> apply_failures_;  // by number of the call, from 1
  std::map<std::size_t, Error> state_failures_;
  std::map<Ticket, Time> tickets_;
  std::map<ZoneId, Time> quiet_until_;
  std::map<ZoneId, std::size_t> in_flight_;
  std::size_t in_flight_in_all_ = 0;
  std::size_t most_per_zone_ = 0;
  std::size_t most_ = 0;
  std::deque<ApplyCall> apply_calls_;
  std::size_t state_calls_ = 0;
};

}  // namespace certherd::sim

#include "sim/fake_dns_provider.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::sim {

using dns::ChangeState;
using dns::TxtChange;
using dns::Zone;

Task<Result<Zone>> FakeDnsProvider::find_zone(Fqdn name) {
  const auto* zone = zone_of(name);
  if (zone == nullptr) {
    co_return fail(Error::Kind::not_found, "find zone", fmt::format("no zone holds {}", name));
  }
  co_return *zone;
}

Task<Result<std::vector<Zone>>> FakeDnsProvider::zones() {
  auto zones = zones_;
  std::ranges::sort(zones, {}, &Zone::name);
  co_return zones;
}

Task<Result<std::vector<Fqdn>>> FakeDnsProvider::name_servers(Zone zone) {
  if (std::ranges::find(zones_, zone.id, &Zone::id) == zones_.end()) {
    co_return fail(Error::Kind::not_found, "name servers", fmt::format("no zone {}", zone.id));
  }
  co_return std::vector<Fqdn>();
}

Task<Status> FakeDnsProvider::check() { co_return Status(); }

Task<Result<Ticket>> FakeDnsProvider::apply(Zone zone, std::vector<TxtChange> changes) {
  apply_calls_.push_back({.at = clock_->now(), .answered = {}, .zone = zone, .changes = changes});
  const auto number = apply_calls_.size();
  most_per_zone_ = std::max(most_per_zone_, ++in_flight_[zone.id]);
  most_ = std::max(most_, ++in_flight_in_all_);
  co_await clock_->sleep_for(answer_after_);
  --in_flight_[zone.id];
  --in_flight_in_all_;

  auto result = [&]() -> Result<Ticket> {
    if (refusal_) return fail(*refusal_);
    const auto failure = apply_failures_.find(number);
    if (failure == apply_failures_.end()) return perform(zone, changes);
    if (failure->second.after_success) {
      if (auto done = perform(zone, changes); !done) return done;
    }
    return fail(failure->second.error);
  }();
  apply_calls_[number - 1].answered = clock_->now();
  apply_calls_[number - 1].ok = result.has_value();
  co_return result;
}

Task<Result<ChangeState>> FakeDnsProvider::state(Ticket ticket) {
  ++state_calls_;
  if (const auto failure = state_failures_.find(state_calls_); failure != state_failures_.end()) {
    co_return fail(failure->second);
  }
  const auto known = tickets_.find(ticket);
  if (known == tickets_.end()) {
    co_return fail(Error::Kind::not_found, "change state", fmt::format("no change {}", ticket));
  }
  co_return clock_->now() < known->second ? ChangeState::pending : ChangeState::in_sync;
}

Task<Result<std::vector<TxtValue>>> FakeDnsProvider::list(Zone zone, Fqdn name) {
  if (std::ranges::find(zones_, zone.id, &Zone::id) == zones_.end()) {
    co_return fail(Error::Kind::not_found, "list", fmt::format("no zone {}", zone.id));
  }
  const auto found = values_.find(name);
  if (found == values_.end()) co_return std::vector<TxtValue>();
  co_return std::vector<TxtValue>(found->second.begin(), found->second.end());
}

void FakeDnsProvider::fail_apply(std::size_t nth, Failure failure) {
  apply_failures_[apply_calls_.size() + nth] = std::move(failure);
}

void FakeDnsProvider::fail_state(std::size_t nth, Error error) {
  state_failures_[state_calls_ + nth] = std::move(error);
}

void FakeDnsProvider::reject_value(const TxtValue& value, bool named) { rejected_[value] = named; }

bool FakeDnsProvider::holds(const Fqdn& name, const TxtValue& value) const {
  const auto found = values_.find(name);
  return found != values_.end() && found->second.contains(value);
}

std::size_t FakeDnsProvider::value_count() const {
  std::size_t count = 0;
  for (const auto& [name, values] : values_) count += values.size();
  return count;
}

Result<Ticket> FakeDnsProvider::perform(const Zone& zone, const std::vector<TxtChange>& changes) {
  if (auto error = objection(zone, changes)) return fail(std::move(*error));
  for (const auto& change : changes) {
    if (change.action == TxtChange::Action::ensure) {
      values_[change.name].insert(change.value);
    } else {
      values_[change.name].erase(change.value);
    }
  }
  quiet_until_[zone.id] = clock_->now() + quiet_time_;
  Ticket ticket(fmt::format("C{}", apply_calls_.size()));
  tickets_[ticket] = clock_->now() + in_sync_after_;
  return ticket;
}

std::optional<Error> FakeDnsProvider::objection(const Zone& zone,
                                                const std::vector<TxtChange>& changes) {
  Error error;
  error.op = "apply changes";
  const auto own = std::ranges::find(zones_, zone.id, &Zone::id);
  if (own == zones_.end()) {
    error.kind = Error::Kind::not_found;
    error.detail = fmt::format("no zone {}", zone.id);
    return error;
  }
  if (clock_->now() < quiet_until_[zone.id]) {
    error.kind = Error::Kind::throttled;
    error.detail = "PriorRequestNotComplete";
    return error;
  }

  error.kind = Error::Kind::rejected;
  bool refused = false;
  std::size_t octets = 0;
  for (const auto& change : changes) {
    octets += change.value.text().size();
    const auto rejected = rejected_.find(change.value);
    const bool outside = !change.name.is_within(own->name);
    if (rejected == rejected_.end() && !outside) continue;
    refused = true;
    if (!outside && !rejected->second) continue;
    Error cause;
    cause.kind = Error::Kind::rejected;
    cause.op = change.value.text();
    cause.detail = outside ? "not in the zone" : "InvalidInput";
    error.causes.push_back(std::move(cause));
  }
  if (changes.size() > limits_.changes || octets > limits_.value_octets) refused = true;
  if (!refused) return std::nullopt;
  error.detail = "InvalidChangeBatch";
  return error;
}

const Zone* FakeDnsProvider::zone_of(const Fqdn& name) const {
  const Zone* best = nullptr;
  for (const auto& zone : zones_) {
    const bool longer = best == nullptr || zone.name.text().size() > best->name.text().size();
    if (name.is_within(zone.name) && longer) best = &zone;
  }
  return best;
}

}  // namespace certherd::sim

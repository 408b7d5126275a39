#include "fleet/alarm_watch.hpp"

#include <set>

namespace certherd::fleet {
namespace {

using Sightings = AlarmWatch::Sightings;

policy::Watched watched(const store::DomainRow& row, const Sightings* seen) {
  policy::Watched watched{
      .domain = row.domain, .certificate = row.certificate, .working = row.working.has_value()};
  if (seen == nullptr) return watched;
  const auto found = seen->find(row.domain.id);
  watched.looked_at = found != seen->end() && found->second.looked_at;
  if (found != seen->end()) watched.seen = found->second.seen;
  return watched;
}

/// By domain, the kinds of those that stand.
std::map<Fqdn, std::set<Alarm::Kind>> kinds_of(const std::map<Alarm::Key, Alarm>& standing) {
  std::map<Fqdn, std::set<Alarm::Kind>> kinds;
  for (const auto& [key, alarm] : standing) kinds[key.domain].insert(key.kind);
  return kinds;
}

/// Says of each how it has come to be over.
void tell_endings(std::vector<Alarm>& cleared, const std::vector<store::DomainRow>& rows,
                  const Sightings* seen) {
  if (cleared.empty()) return;
  std::map<Fqdn, const store::DomainRow*> concerned;
  for (const auto& alarm : cleared) concerned.emplace(alarm.key.domain, nullptr);
  for (const auto& row : rows) {
    const auto found = concerned.find(row.domain.name);
    if (found != concerned.end()) found->second = &row;
  }
  for (auto& alarm : cleared) {
    const auto* const row = concerned.at(alarm.key.domain);
    if (row == nullptr) {
      alarm.ending = policy::ending_of(alarm, nullptr);
    } else {
      const auto now = watched(*row, seen);
      alarm.ending = policy::ending_of(alarm, &now);
    }
  }
}

}  // namespace

Task<Status> AlarmWatch::read(Time now) {
  // A clock that was set back must not put it off for as long as it was ahead.
  const bool fresh = read_at_ && now >= *read_at_ && now < *read_at_ + options_.read_anew;
  if (fresh) co_return Status();
  auto alarms = co_await store_.standing_alarms();
  if (!alarms) co_return fail(std::move(alarms.error()));
  standing_.clear();
  for (auto& alarm : *alarms) standing_.emplace(alarm.key, std::move(alarm));
  read_at_ = now;
  co_return Status();
}

Task<Result<int>> AlarmWatch::review(const std::vector<store::DomainRow>* rows,
                                     const Sightings* seen, std::map<CaName, Error> unusable,
                                     Time now) {
  if (auto ready = co_await read(now); !ready) co_return fail(std::move(ready.error()));

  store::AlarmChanges changes;
  std::set<Alarm::Key> due;
  const auto judge = [&](Alarm alarm) {
    due.insert(alarm.key);
    if (!standing_.contains(alarm.key)) changes.raised.push_back(std::move(alarm));
  };
  const auto kinds = kinds_of(standing_);
  const std::set<Alarm::Kind> none;
  for (const auto& row : *rows) {
    const auto stand = kinds.find(row.domain.name);
    auto alarms = policy::alarms_of(watched(row, seen), stand == kinds.end() ? none : stand->second,
                                    options_.warn_before, now);
    for (auto& alarm : alarms) judge(std::move(alarm));
  }
  for (const auto& [ca, why] : unusable) judge(policy::account_alarm(ca, why, now));
  for (const auto& [key, alarm] : standing_) {
    if (due.contains(key)) continue;
    changes.cleared.push_back(alarm);
    changes.cleared.back().cleared_at = now;
  }
  if (changes.raised.empty() && changes.cleared.empty()) co_return 0;
  tell_endings(changes.cleared, *rows, seen);

  changes.subscriptions = subscriptions_;
  changes.notify_at = now + options_.gather;
  // Should it fail half way, or somebody have been first: what stands is read anew.
  read_at_.reset();
  auto written = co_await store_.change_alarms(changes);
  if (!written) co_return written;
  for (auto& alarm : changes.cleared) standing_.erase(alarm.key);
  for (auto& alarm : changes.raised) standing_.emplace(alarm.key, std::move(alarm));
  const auto differing = static_cast<int>(changes.cleared.size() + changes.raised.size());
  if (*written == differing) read_at_ = now;
  co_return written;
}

std::map<CaName, Error> unusable_cas(const Ports& ports) {
  std::map<CaName, Error> found;
  for (const auto& [ca, port] : ports.cas) {
    if (port.unusable) found.emplace(ca, *port.unusable);
  }
  return found;
}

}  // namespace certherd::fleet

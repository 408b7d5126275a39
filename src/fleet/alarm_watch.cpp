#include "fleet/alarm_watch.hpp"

#include <set>

namespace certherd::fleet {
namespace {

policy::Watched watched(const AlarmWatch::Subject& subject) {
  const auto& row = *subject.row;
  policy::Watched watched{
      .domain = row.domain, .certificate = row.certificate, .working = row.working.has_value()};
  watched.looked_at = subject.seen != nullptr && subject.seen->looked_at;
  if (subject.seen != nullptr) watched.seen = subject.seen->seen;
  return watched;
}

/// How an alarm has come to be over.
std::string ending_of(const Alarm& alarm, const AlarmWatch::Subject* subject) {
  if (subject == nullptr || subject->row == nullptr) return policy::ending_of(alarm, nullptr);
  const auto now = watched(*subject);
  return policy::ending_of(alarm, &now);
}

}  // namespace

Task<Result<bool>> AlarmWatch::read(Time now) {
  const bool fresh = read_at_ && now < *read_at_ + options_.read_anew;
  if (fresh) co_return false;
  auto alarms = co_await store_.standing_alarms();
  if (!alarms) co_return fail(std::move(alarms.error()));
  standing_.clear();
  for (auto& alarm : *alarms) {
    auto key = alarm.key;
    standing_[key.domain].insert_or_assign(std::move(key), std::move(alarm));
  }
  read_at_ = now;
  co_return true;
}

Time AlarmWatch::changes_at(const Subject& subject, Time now) const {
  return policy::alarms_change_at(watched(subject), options_.warn_before, now);
}

Task<Result<int>> AlarmWatch::review(std::vector<Subject> subjects, Find find,
                                     std::map<CaName, Error> unusable, Time now) {
  auto anew = co_await read(now);
  if (!anew) co_return fail(std::move(anew.error()));
  std::map<Fqdn, Subject> judged;
  for (auto& subject : subjects) {
    auto name = subject.name;
    judged.insert_or_assign(std::move(name), std::move(subject));
  }
  if (*anew) {
    for (const auto& [name, alarms] : standing_) {
      if (!judged.contains(name) && name != Fqdn()) judged.emplace(name, find(name));
    }
  }

  store::AlarmChanges changes;
  const auto compare = [&](const Fqdn& name, std::vector<Alarm> due, const Subject* subject) {
    const auto stand = standing_.find(name);
    std::set<Alarm::Key> keys;
    for (auto& alarm : due) {
      keys.insert(alarm.key);
      const bool stands = stand != standing_.end() && stand->second.contains(alarm.key);
      if (!stands) changes.raised.push_back(std::move(alarm));
    }
    if (stand == standing_.end()) return;
    for (const auto& [key, alarm] : stand->second) {
      if (keys.contains(key)) continue;
      auto& over = changes.cleared.emplace_back(alarm);
      over.cleared_at = now;
      over.ending = ending_of(alarm, subject);
    }
  };
  for (const auto& [name, subject] : judged) {
    std::vector<Alarm> due;
    if (subject.row != nullptr) {
      std::set<Alarm::Kind> kinds;
      if (const auto stand = standing_.find(name); stand != standing_.end()) {
        for (const auto& [key, alarm] : stand->second) kinds.insert(key.kind);
      }
      due = policy::alarms_of(watched(subject), kinds, options_.warn_before, now);
    }
    compare(name, std::move(due), &subject);
  }
  std::vector<Alarm> of_cas;
  of_cas.reserve(unusable.size());
  for (const auto& [ca, why] : unusable) of_cas.push_back(policy::account_alarm(ca, why, now));
  compare(Fqdn(), std::move(of_cas), nullptr);
  if (changes.raised.empty() && changes.cleared.empty()) co_return 0;

  changes.subscriptions = subscriptions_;
  changes.notify_at = now + options_.gather;
  // Should it fail half way, or somebody have been first: what stands is read anew.
  read_at_.reset();
  auto written = co_await store_.change_alarms(changes);
  if (!written) co_return written;
  const auto differing = static_cast<int>(changes.cleared.size() + changes.raised.size());
  for (const auto& alarm : changes.cleared) {
    const auto stand = standing_.find(alarm.key.domain);
    stand->second.erase(alarm.key);
    if (stand->second.empty()) standing_.erase(stand);
  }
  for (auto& alarm : changes.raised) {
    auto key = alarm.key;
    standing_[key.domain].emplace(std::move(key), std::move(alarm));
  }
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

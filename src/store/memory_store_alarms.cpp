#include <algorithm>

#include "store/memory_store_class.hpp"
#include "store/rules.hpp"

namespace certherd::store {
namespace {

/// Notes for whoever hears of it that the alarm began, or that it is over.
void notify(AlarmTable& table, const std::shared_ptr<Alarm>& alarm, const AlarmChanges& changes) {
  for (const auto& subscription : changes.subscriptions) {
    if (!subscription.hears_of(*alarm)) continue;
    const NotificationId id{++table.last_notification};
    table.pending[subscription.notifier][id] = {.alarm = alarm,
                                                .over = alarm->cleared_at.has_value(),
                                                .attempts = 0,
                                                .failing_since = {},
                                                .next_at = changes.notify_at};
  }
}

/// A notification, and whose it is.
struct Found {
  const NotifierName* notifier = nullptr;
  PendingNotification* notification = nullptr;
};

Found find(AlarmTable& table, NotificationId id) {
  for (auto& [notifier, pending] : table.pending) {
    const auto found = pending.find(id);
    if (found != pending.end()) return {.notifier = &notifier, .notification = &found->second};
  }
  return {};
}

}  // namespace

Task<Result<std::vector<Alarm>>> MemoryStore::standing_alarms() {
  std::vector<Alarm> alarms;
  alarms.reserve(alarms_.standing.size());
  for (const auto& [key, alarm] : alarms_.standing) alarms.push_back(*alarm);
  std::ranges::sort(alarms, {}, [](const Alarm& alarm) { return alarm.id; });
  co_return alarms;
}

Task<Result<int>> MemoryStore::change_alarms(AlarmChanges changes) {
  std::vector<Event> events;
  // First what is over: the same thing may have begun anew.
  for (auto& cleared : changes.cleared) {
    const auto standing = alarms_.standing.find(cleared.key);
    if (standing == alarms_.standing.end()) continue;
    const auto alarm = std::move(standing->second);
    alarms_.standing.erase(standing);
    alarm->cleared_at = cleared.cleared_at;
    alarm->ending = std::move(cleared.ending);
    events.push_back(event_of(*alarm));
    notify(alarms_, alarm, changes);
  }
  for (auto& raised : changes.raised) {
    auto& standing = alarms_.standing[raised.key];
    if (standing) continue;
    raised.id = AlarmId{++alarms_.last_alarm};
    standing = std::make_shared<Alarm>(std::move(raised));
    events.push_back(event_of(*standing));
    notify(alarms_, standing, changes);
  }
  const auto count = static_cast<int>(events.size());
  put_events(std::move(events));
  co_return count;
}

Task<Result<std::optional<Time>>> MemoryStore::next_notification(NotifierName notifier) {
  const auto found = alarms_.pending.find(notifier);
  if (found == alarms_.pending.end() || found->second.empty()) co_return std::optional<Time>();
  co_return found->second.begin()->second.next_at;
}

Task<Result<std::vector<Notification>>> MemoryStore::take_notifications(NotifierName notifier,
                                                                        std::size_t limit,
                                                                        Time until) {
  std::vector<Notification> taken;
  const auto found = alarms_.pending.find(notifier);
  if (found == alarms_.pending.end()) co_return taken;
  auto& pending = found->second;
  if (pending.empty() || pending.begin()->second.next_at > clock_.now()) co_return taken;
  for (auto& [id, notification] : pending) {
    if (taken.size() == limit) break;
    notification.next_at = until;
    taken.push_back({.id = id,
                     .alarm = *notification.alarm,
                     .over = notification.over,
                     .attempts = notification.attempts});
  }
  co_return taken;
}

Task<Status> MemoryStore::finish_notifications(std::vector<NotificationId> notifications) {
  for (auto& [notifier, pending] : alarms_.pending) {
    for (const auto id : notifications) pending.erase(id);
  }
  co_return Status();
}

int MemoryStore::give_up(const std::map<NotifierName, std::vector<NotificationId>>& lost,
                         const std::string& error) {
  std::vector<Event> events;
  int count = 0;
  for (const auto& [notifier, notifications] : lost) {
    for (const auto id : notifications) alarms_.pending[notifier].erase(id);
    count += static_cast<int>(notifications.size());
    events.push_back(given_up(notifier.text(), notifications.size(), error, clock_.now()));
  }
  put_events(std::move(events));
  return count;
}

Task<Result<int>> MemoryStore::put_off_notifications(PutOff put_off) {
  std::map<NotifierName, std::vector<NotificationId>> lost;
  for (const auto id : put_off.notifications) {
    const auto found = find(alarms_, id);
    if (found.notification == nullptr) continue;
    auto& notification = *found.notification;
    ++notification.attempts;
    notification.next_at = put_off.next_at;
    if (!notification.failing_since) notification.failing_since = clock_.now();
    if (*notification.failing_since <= put_off.give_up) lost[*found.notifier].push_back(id);
  }
  co_return give_up(lost, put_off.error);
}

Task<Result<int>> MemoryStore::forget_notifiers_but(std::set<NotifierName> known) {
  std::map<NotifierName, std::vector<NotificationId>> lost;
  for (const auto& [notifier, pending] : alarms_.pending) {
    if (known.contains(notifier)) continue;
    for (const auto& [id, notification] : pending) lost[notifier].push_back(id);
  }
  co_return give_up(lost, no_such_notifier);
}

}  // namespace certherd::store

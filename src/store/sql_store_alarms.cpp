#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/rules.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Columns {
  long long id = 0;
  std::string kind;
  std::string domain;
  std::string ca;
  long long since = 0;
  std::string detail;
  Nullable<long long> cleared_at;
  std::string ending;

  void take(const Alarm& alarm) {
    kind = to_string(alarm.key.kind);
    domain = alarm.key.domain.text();
    ca = alarm.key.ca.text();
    since = to_micros(alarm.since);
    detail = alarm.detail;
    cleared_at = to_column(alarm.cleared_at);
    ending = alarm.ending;
  }

  Result<Alarm> alarm() const {
    const auto parsed_kind = parse_alarm_kind(kind);
    if (!parsed_kind) return bad_row("alarm", id, "kind", "is no known name");
    auto name = decode_name(domain);
    if (!name) return bad_row("alarm", id, "domain", name.error().detail);
    return Alarm{.id = AlarmId{id},
                 .key = {.kind = *parsed_kind, .domain = std::move(*name), .ca = CaName(ca)},
                 .since = from_micros(since),
                 .detail = detail,
                 .cleared_at = to_time(cleared_at),
                 .ending = ending};
  }
};

/// Writes what has changed, for whoever hears of it.
class Announcement {
 public:
  Announcement(Session& sql, const AlarmChanges& changes)
      : sql_(sql), changes_(changes), next_at_(to_micros(changes.notify_at)) {
    insert_.alloc();
    insert_.prepare(
        "INSERT INTO notification (notifier, alarm, is_over, attempts, next_at) "
        "VALUES (:notifier, :alarm, :is_over, 0, :next_at)");
    insert_.exchange(soci::use(notifier_));
    insert_.exchange(soci::use(alarm_));
    insert_.exchange(soci::use(is_over_));
    insert_.exchange(soci::use(next_at_));
    insert_.define_and_bind();
  }

  void add(const Alarm& alarm) {
    events_.push_back(event_of(alarm));
    for (const auto& subscription : changes_.subscriptions) {
      if (!subscription.hears_of(alarm)) continue;
      notifier_ = subscription.notifier.text();
      alarm_ = static_cast<std::int64_t>(alarm.id);
      is_over_ = alarm.cleared_at ? 1 : 0;
      insert_.execute(true);
    }
  }

  int finish() {
    insert_events(sql_, events_);
    return static_cast<int>(events_.size());
  }

 private:
  Session& sql_;
  const AlarmChanges& changes_;
  std::string notifier_;
  long long alarm_ = 0;
  int is_over_ = 0;
  long long next_at_;
  soci::statement insert_{sql_};
  std::vector<Event> events_;
};

void raise(Session& sql, const std::vector<Alarm>& alarms, Announcement& announcement) {
  Columns c;
  soci::statement insert =
      (sql.prepare << "INSERT INTO alarm (kind, domain, ca, since, detail, ending) "
                      "VALUES (:kind, :domain, :ca, :since, :detail, '') "
                      "ON CONFLICT (kind, domain, ca) WHERE cleared_at IS NULL DO NOTHING "
                      "RETURNING id",
       soci::use(c.kind), soci::use(c.domain), soci::use(c.ca), soci::use(c.since),
       soci::use(c.detail), soci::into(c.id));
  for (auto alarm : alarms) {
    c.take(alarm);
    alarm.id = AlarmId{insert_returning(insert, c.id)};
    if (alarm.id != AlarmId{}) announcement.add(alarm);
  }
}

void clear(Session& sql, const std::vector<Alarm>& alarms, Announcement& announcement) {
  Columns c;
  long long cleared_at = 0;
  soci::statement update =
      (sql.prepare << "UPDATE alarm SET cleared_at = :cleared_at, ending = :ending "
                      "WHERE kind = :kind AND domain = :domain AND ca = :ca "
                      "AND cleared_at IS NULL RETURNING id, since, detail",
       soci::use(cleared_at), soci::use(c.ending), soci::use(c.kind), soci::use(c.domain),
       soci::use(c.ca), soci::into(c.id), soci::into(c.since), soci::into(c.detail));
  for (auto alarm : alarms) {
    c.take(alarm);
    cleared_at = c.cleared_at.value;
    alarm.id = AlarmId{};
    for (bool row = update.execute(true); row; row = update.fetch()) {
      alarm.id = AlarmId{c.id};
      alarm.since = from_micros(c.since);
      alarm.detail = c.detail;
    }
    if (alarm.id != AlarmId{}) announcement.add(alarm);
  }
}

std::optional<Time> oldest_may_go_at(Session& sql, const std::string& notifier) {
  long long micros = 0;
  soci::statement query = (sql.prepare << "SELECT next_at FROM notification "
                                          "WHERE notifier = :notifier ORDER BY id LIMIT 1",
                           soci::use(notifier), soci::into(micros));
  std::optional<Time> time;
  query.execute();
  while (query.fetch()) time = from_micros(micros);
  return time;
}

Result<std::vector<Notification>> select(Session& sql, const std::string& notifier,
                                         long long limit) {
  Columns c;
  long long id = 0;
  int is_over = 0;
  int attempts = 0;
  soci::statement query =
      (sql.prepare << "SELECT n.id, n.is_over, n.attempts, a.id, a.kind, a.domain, a.ca, a.since, "
                      "a.detail, a.cleared_at, a.ending "
                      "FROM notification n JOIN alarm a ON a.id = n.alarm "
                      "WHERE n.notifier = :notifier ORDER BY n.id LIMIT :limit",
       soci::use(notifier), soci::use(limit), soci::into(id), soci::into(is_over),
       soci::into(attempts), soci::into(c.id), soci::into(c.kind), soci::into(c.domain),
       soci::into(c.ca), soci::into(c.since), soci::into(c.detail),
       soci::into(c.cleared_at.value, c.cleared_at.state), soci::into(c.ending));
  std::vector<Notification> notifications;
  query.execute();
  while (query.fetch()) {
    auto alarm = c.alarm();
    if (!alarm) return fail(std::move(alarm.error()));
    notifications.push_back({.id = NotificationId{id},
                             .alarm = std::move(*alarm),
                             .over = is_over != 0,
                             .attempts = attempts});
  }
  return notifications;
}

/// `text` is a statement with an id as its only parameter.
void for_each(Session& sql, const std::string& text,
              const std::vector<NotificationId>& notifications) {
  long long id = 0;
  soci::statement statement = (sql.prepare << text, soci::use(id));
  for (const auto notification : notifications) {
    id = static_cast<std::int64_t>(notification);
    statement.execute(true);
  }
}

/// Drops them, with an event for each notifier.
int give_up(Session& sql, const std::map<std::string, std::vector<NotificationId>>& lost,
            const std::string& error, Time now) {
  std::vector<Event> events;
  int count = 0;
  for (const auto& [notifier, notifications] : lost) {
    for_each(sql, "DELETE FROM notification WHERE id = :id", notifications);
    count += static_cast<int>(notifications.size());
    events.push_back(given_up(notifier, notifications.size(), error, now));
  }
  insert_events(sql, events);
  return count;
}

std::map<std::string, std::vector<NotificationId>> failing_since(
    Session& sql, const std::vector<NotificationId>& notifications, Time latest) {
  long long id = 0;
  const long long since = to_micros(latest);
  std::string notifier;
  std::map<std::string, std::vector<NotificationId>> found;
  soci::statement query = (sql.prepare << "SELECT notifier FROM notification "
                                          "WHERE id = :id AND failing_since <= :since",
                           soci::use(id), soci::use(since), soci::into(notifier));
  for (const auto notification : notifications) {
    id = static_cast<std::int64_t>(notification);
    for (bool row = query.execute(true); row; row = query.fetch()) {
      found[notifier].push_back(notification);
    }
  }
  return found;
}

}  // namespace

Task<Result<std::vector<Alarm>>> SqlStore::standing_alarms() {
  return read<std::vector<Alarm>>("list alarms", [](Session& sql) -> Result<std::vector<Alarm>> {
    Columns c;
    soci::statement query = (sql.prepare << "SELECT id, kind, domain, ca, since, detail "
                                            "FROM alarm WHERE cleared_at IS NULL ORDER BY id",
                             soci::into(c.id), soci::into(c.kind), soci::into(c.domain),
                             soci::into(c.ca), soci::into(c.since), soci::into(c.detail));
    std::vector<Alarm> alarms;
    query.execute();
    while (query.fetch()) {
      auto alarm = c.alarm();
      if (!alarm) return fail(std::move(alarm.error()));
      alarms.push_back(std::move(*alarm));
    }
    return alarms;
  });
}

Task<Result<int>> SqlStore::change_alarms(AlarmChanges changes) {
  return write<int>("change alarms", [changes = std::move(changes)](Session& sql) -> Result<int> {
    Announcement announcement(sql, changes);
    // First what is over: the same thing may have begun anew.
    clear(sql, changes.cleared, announcement);
    raise(sql, changes.raised, announcement);
    return announcement.finish();
  });
}

Task<Result<std::optional<Time>>> SqlStore::next_notification(NotifierName notifier) {
  return read<std::optional<Time>>(
      "look for notifications",
      [notifier = std::move(notifier)](Session& sql) -> Result<std::optional<Time>> {
        return oldest_may_go_at(sql, notifier.text());
      });
}

Task<Result<std::vector<Notification>>> SqlStore::take_notifications(NotifierName notifier,
                                                                     std::size_t limit,
                                                                     Time until) {
  return write<std::vector<Notification>>(
      "take notifications",
      [notifier = std::move(notifier), limit, until,
       now = clock_.now()](Session& sql) -> Result<std::vector<Notification>> {
        const auto from = oldest_may_go_at(sql, notifier.text());
        if (!from || *from > now) return std::vector<Notification>();
        auto taken = select(sql, notifier.text(), static_cast<long long>(limit));
        if (!taken) return taken;
        std::vector<NotificationId> ids;
        ids.reserve(taken->size());
        for (const auto& notification : *taken) ids.push_back(notification.id);
        for_each(
            sql,
            fmt::format("UPDATE notification SET next_at = {} WHERE id = :id", to_micros(until)),
            ids);
        return taken;
      });
}

Task<Status> SqlStore::finish_notifications(std::vector<NotificationId> notifications) {
  return writer_.write("finish notifications",
                       [notifications = std::move(notifications)](Session& sql) -> Status {
                         for_each(sql, "DELETE FROM notification WHERE id = :id", notifications);
                         return {};
                       });
}

Task<Result<int>> SqlStore::put_off_notifications(PutOff put_off) {
  return write<int>(
      "put off notifications",
      [put_off = std::move(put_off), now = clock_.now()](Session& sql) -> Result<int> {
        for_each(sql,
                 fmt::format("UPDATE notification SET attempts = attempts + 1, next_at = {}, "
                             "failing_since = COALESCE(failing_since, {}) WHERE id = :id",
                             to_micros(put_off.next_at), to_micros(now)),
                 put_off.notifications);
        return give_up(sql, failing_since(sql, put_off.notifications, put_off.give_up),
                       put_off.error, now);
      });
}

Task<Result<int>> SqlStore::forget_notifiers_but(std::set<NotifierName> known) {
  return write<int>("forget notifiers",
                    [known = std::move(known), now = clock_.now()](Session& sql) -> Result<int> {
                      long long id = 0;
                      std::string notifier;
                      std::map<std::string, std::vector<NotificationId>> lost;
                      {
                        soci::statement query =
                            (sql.prepare << "SELECT id, notifier FROM notification ORDER BY id",
                             soci::into(id), soci::into(notifier));
                        query.execute();
                        while (query.fetch()) {
                          if (!known.contains(NotifierName(notifier)))
                            lost[notifier].push_back(NotificationId{id});
                        }
                      }
                      return give_up(sql, lost, no_such_notifier, now);
                    });
}

}  // namespace certherd::store

#include <algorithm>
#include <limits>

#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Insert {
  long long at = 0;
  std::string domain;
  std::string name;
  std::string detail;
  soci::statement statement;

  explicit Insert(Session& sql)
      : statement((sql.prepare << "INSERT INTO event (at, domain, event, detail) "
                                  "VALUES (:at, :domain, :event, :detail)",
                   soci::use(at), soci::use(domain), soci::use(name), soci::use(detail))) {}
};

Result<std::vector<NumberedEvent>> select(Session& sql, const EventQuery& query) {
  constexpr auto any = std::numeric_limits<long long>::max();
  const std::string domain = query.domain ? query.domain->text() : "";
  const long long after = query.after;
  const long long since = query.since ? to_micros(*query.since) : -any;
  const long long limit = query.limit != 0 && std::in_range<long long>(query.limit)
                              ? static_cast<long long>(query.limit)
                              : any;
  long long number = 0;
  long long at = 0;
  std::string about;
  std::string event;
  std::string detail;
  soci::statement select =
      (sql.prepare << "SELECT number, at, domain, event, detail FROM event "
                      "WHERE number > :after AND at >= :since AND "
                   << (query.domain ? "domain = :domain" : ":domain = ''")
                   << " ORDER BY number DESC LIMIT :limit",
       soci::use(after), soci::use(since), soci::use(domain), soci::use(limit), soci::into(number),
       soci::into(at), soci::into(about), soci::into(event), soci::into(detail));
  std::vector<NumberedEvent> events;
  select.execute();
  while (select.fetch()) {
    auto name = decode_name(about);
    if (!name) return bad_row("event", number, "domain", name.error().detail);
    auto details = decode_map(detail);
    if (!details) return bad_row("event", number, "detail", details.error().detail);
    events.push_back({.number = number,
                      .event = {.at = from_micros(at),
                                .domain = std::move(*name),
                                .event = event,
                                .detail = std::move(*details)}});
  }
  std::ranges::reverse(events);
  return events;
}

}  // namespace

void insert_events(Session& sql, const std::vector<Event>& events) {
  if (events.empty()) return;
  auto& insert = sql.prepared<Insert>();
  for (const auto& event : events) {
    insert.at = to_micros(event.at);
    insert.domain = event.domain.text();
    insert.name = event.event;
    insert.detail = encode_map(event.detail);
    insert.statement.execute(true);
  }
}

Task<Status> SqlStore::append(std::vector<Event> events) {
  return writer_.write("append events", [events = std::move(events)](Session& sql) -> Status {
    insert_events(sql, events);
    return {};
  });
}

Task<Result<std::vector<NumberedEvent>>> SqlStore::events(EventQuery query) {
  return read<std::vector<NumberedEvent>>(
      "list events", [query = std::move(query)](Session& sql) { return select(sql, query); });
}

}  // namespace certherd::store

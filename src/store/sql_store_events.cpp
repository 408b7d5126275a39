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

constexpr std::string_view of_domain = "domain = :domain";
constexpr std::string_view of_any_domain = ":domain = ''";

struct Select {
  long long after = 0;
  long long since = 0;
  std::string domain;
  long long limit = 0;
  long long number = 0;
  long long at = 0;
  std::string about;
  std::string event;
  std::string detail;
  soci::statement statement;

  Select(Session& sql, std::string_view which)
      : statement((sql.prepare << "SELECT number, at, domain, event, detail FROM event "
                                  "WHERE number > :after AND at >= :since AND "
                               << which << " ORDER BY number DESC LIMIT :limit",
                   soci::use(after), soci::use(since), soci::use(domain), soci::use(limit),
                   soci::into(number), soci::into(at), soci::into(about), soci::into(event),
                   soci::into(detail))) {}

  Result<NumberedEvent> row() const {
    auto name = decode_name(about);
    if (!name) return bad_row("event", number, "domain", name.error().detail);
    auto details = decode_map(detail);
    if (!details) return bad_row("event", number, "detail", details.error().detail);
    return NumberedEvent{.number = number,
                         .event = {.at = from_micros(at),
                                   .domain = std::move(*name),
                                   .event = event,
                                   .detail = std::move(*details)}};
  }
};

Result<std::vector<NumberedEvent>> select(Session& sql, const EventQuery& query) {
  constexpr auto any = std::numeric_limits<long long>::max();
  auto& select = sql.prepared<Select>(query.domain ? of_domain : of_any_domain);
  select.after = query.after;
  select.since = query.since ? to_micros(*query.since) : -any;
  select.domain = query.domain ? query.domain->text() : "";
  select.limit = query.limit != 0 && std::in_range<long long>(query.limit)
                     ? static_cast<long long>(query.limit)
                     : any;
  auto events = all_rows<NumberedEvent>(select.statement, [&select] { return select.row(); });
  if (events) std::ranges::reverse(*events);
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

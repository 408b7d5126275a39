#include <array>

#include "store/codec_arguments.hpp"
#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

using Kind = WorkRequest::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 5> kind_names = {{
    {Kind::issue, "issue"},
    {Kind::renew, "renew"},
    {Kind::deploy, "deploy"},
    {Kind::revoke, "revoke"},
    {Kind::retire, "retire"},
}};

std::string_view name_of(Kind kind) {
  for (const auto& [value, name] : kind_names) {
    if (value == kind) return name;
  }
  return {};
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (const auto& [value, name] : kind_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

struct Columns {
  long long id = 0;
  std::string batch;
  std::string owner;
  std::string kind;
  std::string arguments;
  long long domain_id = 0;
  std::string domain;
  long long requested_at = 0;
  Nullable<long long> done_at;
  std::string result;

  void take(const WorkRequest& request) {
    batch = request.batch;
    owner = request.owner;
    kind = name_of(request.kind);
    arguments = encode_arguments(request.arguments);
    domain_id = static_cast<std::int64_t>(request.domain_id);
    requested_at = to_micros(request.requested_at);
    done_at = to_column(request.done_at);
    result = request.result;
  }

  Result<WorkRequest> request() const {
    const auto parsed_kind = parse_kind(kind);
    if (!parsed_kind) return bad_row("request", id, "kind", "is no known name");
    auto parsed_arguments = decode_arguments(arguments);
    if (!parsed_arguments) {
      return bad_row("request", id, "arguments", parsed_arguments.error().detail);
    }
    auto name = decode_name(domain);
    if (!name) return bad_row("request", id, "domain", name.error().detail);
    return WorkRequest{.id = id,
                       .batch = batch,
                       .owner = owner,
                       .kind = *parsed_kind,
                       .arguments = std::move(*parsed_arguments),
                       .domain_id = DomainId{domain_id},
                       .domain = std::move(*name),
                       .requested_at = from_micros(requested_at),
                       .done_at = to_time(done_at),
                       .result = result};
  }
};

constexpr std::string_view open_ones = "r.done_at IS NULL AND r.id > :after AND :batch = ''";
constexpr std::string_view of_batch = "r.id > :after AND r.batch = :batch";

struct Select {
  long long after = 0;
  std::string batch;
  Columns c;
  soci::statement statement;

  Select(Session& sql, std::string_view which)
      : statement(
            (sql.prepare
                 << "SELECT r.id, r.batch, r.owner, r.kind, r.arguments, r.domain_id, d.name, "
                    "r.requested_at, r.done_at, r.result "
                    "FROM request r JOIN domain d ON d.id = r.domain_id WHERE "
                 << which << " ORDER BY r.id",
             soci::use(after), soci::use(batch), soci::into(c.id), soci::into(c.batch),
             soci::into(c.owner), soci::into(c.kind), soci::into(c.arguments),
             soci::into(c.domain_id), soci::into(c.domain), soci::into(c.requested_at),
             soci::into(c.done_at.value, c.done_at.state), soci::into(c.result))) {}
};

Result<std::vector<WorkRequest>> select(Session& sql, std::string_view which, long long after,
                                        const std::string& batch) {
  auto& query = sql.prepared<Select>(which);
  query.after = after;
  query.batch = batch;
  return all_rows<WorkRequest>(query.statement, [&query] { return query.c.request(); });
}

struct Finish {
  long long id = 0;
  long long done_at = 0;
  std::string result;
  soci::statement statement;

  // One that was withdrawn meanwhile is missed by nobody.
  explicit Finish(Session& sql)
      : statement((sql.prepare << "UPDATE request SET done_at = :done_at, result = :result "
                                  "WHERE id = :id AND done_at IS NULL",
                   soci::use(done_at), soci::use(result), soci::use(id))) {}
};

}  // namespace

void insert_requests(Session& sql, const std::vector<WorkRequest>& requests) {
  Columns c;
  soci::statement insert =
      (sql.prepare << "INSERT INTO request (batch, owner, kind, arguments, domain_id, "
                      "requested_at, done_at, result) VALUES (:batch, :owner, :kind, "
                      ":arguments, :domain_id, :requested_at, :done_at, :result)",
       soci::use(c.batch), soci::use(c.owner), soci::use(c.kind), soci::use(c.arguments),
       soci::use(c.domain_id), soci::use(c.requested_at),
       soci::use(c.done_at.value, c.done_at.state), soci::use(c.result));
  for (const auto& request : requests) {
    c.take(request);
    insert.execute(true);
  }
}

Task<Status> SqlStore::submit(std::vector<WorkRequest> requests) {
  return writer_.write("submit requests", [requests = std::move(requests)](Session& sql) -> Status {
    insert_requests(sql, requests);
    return {};
  });
}

Task<Result<std::vector<WorkRequest>>> SqlStore::open_requests(std::int64_t after) {
  return read<std::vector<WorkRequest>>(
      "list open requests", [after](Session& sql) { return select(sql, open_ones, after, ""); });
}

Task<Result<std::vector<WorkRequest>>> SqlStore::batch(std::string batch) {
  return read<std::vector<WorkRequest>>(
      "list the requests of a batch",
      [batch = std::move(batch)](Session& sql) { return select(sql, of_batch, 0, batch); });
}

Task<Status> SqlStore::finish_request(std::int64_t id, std::string result) {
  const long long done_at = to_micros(clock_.now());
  return writer_.write("finish a request",
                       [id, done_at, result = std::move(result)](Session& sql) -> Status {
                         auto& finish = sql.prepared<Finish>();
                         finish.id = id;
                         finish.done_at = done_at;
                         finish.result = result;
                         finish.statement.execute(true);
                         return {};
                       });
}

Task<Status> SqlStore::withdraw_requests(std::string owner) {
  return writer_.write("withdraw requests", [owner = std::move(owner)](Session& sql) -> Status {
    sql << "DELETE FROM request WHERE owner = :owner AND done_at IS NULL", soci::use(owner);
    return {};
  });
}

}  // namespace certherd::store

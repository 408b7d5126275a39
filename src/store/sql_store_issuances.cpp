#include "store/codec_issuance.hpp"
#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/refusals.hpp"
#include "store/rules.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

/// The columns of an issuance, as SOCI reads and writes them.
struct Columns {
  long long id = 0;
  long long domain_id = 0;
  std::string domain;
  long long revision = 0;
  std::string step;
  int active = 0;
  long long created_at = 0;
  long long next_at = 0;
  std::string order_url;
  std::string account_url;
  std::string account_thumbprint;
  std::string body;

  Columns() = default;
  explicit Columns(const Issuance& issuance)
      : id(static_cast<std::int64_t>(issuance.id)),
        domain_id(static_cast<std::int64_t>(issuance.domain_id)),
        domain(issuance.domain.text()),
        revision(issuance.revision),
        step(to_string(issuance.step)),
        active(issuance.active() ? 1 : 0),
        created_at(to_micros(issuance.created_at)),
        next_at(to_micros(issuance.next_at)),
        order_url(issuance.order_url.text()),
        account_url(issuance.account.text()),
        account_thumbprint(issuance.account_key),
        body(encode_body(issuance)) {}

  Result<Issuance> issuance() const {
    Issuance issuance;
    issuance.id = IssuanceId{id};
    issuance.domain_id = DomainId{domain_id};
    auto name = decode_name(domain);
    if (!name) return bad_row("issuance", id, "domain", name.error().detail);
    issuance.domain = std::move(*name);
    issuance.revision = revision;
    const auto parsed = parse_step(step);
    if (!parsed) return bad_row("issuance", id, "step", "is no known name");
    issuance.step = *parsed;
    issuance.created_at = from_micros(created_at);
    issuance.next_at = from_micros(next_at);
    issuance.order_url = OrderUrl(order_url);
    issuance.account = AccountUrl(account_url);
    issuance.account_key = account_thumbprint;
    if (auto status = decode_body(body, issuance); !status) {
      return bad_row("issuance", id, "body", status.error().detail);
    }
    return issuance;
  }
};

constexpr std::string_view of_id = "i.id = :id";
constexpr std::string_view all_active = "i.active = 1 AND :id = 0";
constexpr std::string_view of_domain = "i.domain_id = :id";
constexpr std::string_view active_of_domain = "i.active = 1 AND i.domain_id = :id";

/// Of a domain or of an issuance: `which` says so, by :id.
struct Select {
  long long id = 0;
  Columns c;
  soci::statement statement;

  Select(Session& sql, std::string_view which)
      : statement(
            (sql.prepare << "SELECT i.id, i.domain_id, d.name, i.revision, i.step, i.created_at, "
                            "i.next_at, i.order_url, i.account_url, i.account_thumbprint, i.body "
                            "FROM issuance i JOIN domain d ON d.id = i.domain_id WHERE "
                         << which << " ORDER BY i.id",
             soci::use(id), soci::into(c.id), soci::into(c.domain_id), soci::into(c.domain),
             soci::into(c.revision), soci::into(c.step), soci::into(c.created_at),
             soci::into(c.next_at), soci::into(c.order_url), soci::into(c.account_url),
             soci::into(c.account_thumbprint), soci::into(c.body))) {}
};

Result<std::vector<Issuance>> select(Session& sql, std::string_view which, long long id) {
  auto& query = sql.prepared<Select>(which);
  query.id = id;
  return all_rows<Issuance>(query.statement, [&query] { return query.c.issuance(); });
}

Result<Issuance> find(Session& sql, IssuanceId id) {
  auto found = select(sql, of_id, static_cast<std::int64_t>(id));
  if (!found) return fail(std::move(found.error()));
  if (found->empty()) return no_such_issuance();
  return std::move(found->front());
}

struct CountStartable {
  long long domain_id = 0;
  long long domains = 0;
  long long active = 0;
  soci::statement statement;

  explicit CountStartable(Session& sql)
      : statement((sql.prepare << "SELECT (SELECT COUNT(*) FROM domain WHERE id = :d "
                                  "AND removed_at IS NULL), "
                                  "(SELECT COUNT(*) FROM issuance WHERE domain_id = :i "
                                  "AND active = 1)",
                   soci::use(domain_id), soci::use(domain_id), soci::into(domains),
                   soci::into(active))) {}
};

Status check_startable(Session& sql, const Issuance& issuance) {
  auto& query = sql.prepared<CountStartable>();
  query.domain_id = static_cast<std::int64_t>(issuance.domain_id);
  long long domains = 0;
  long long active = 0;
  query.statement.execute();
  while (query.statement.fetch()) {
    domains = query.domains;
    active = query.active;
  }
  if (domains == 0) return not_in_inventory();
  if (active != 0 && issuance.active()) return under_way_already();
  return {};
}

struct Insert {
  Columns c;
  long long id = 0;
  soci::statement statement;

  explicit Insert(Session& sql)
      : statement(
            (sql.prepare << "INSERT INTO issuance (domain_id, revision, step, active, created_at, "
                            "next_at, order_url, account_url, account_thumbprint, body) VALUES "
                            "(:domain_id, :revision, :step, :active, :created_at, :next_at, "
                            ":order_url, :account_url, :account_thumbprint, :body) RETURNING id",
             soci::use(c.domain_id), soci::use(c.revision), soci::use(c.step), soci::use(c.active),
             soci::use(c.created_at), soci::use(c.next_at), soci::use(c.order_url),
             soci::use(c.account_url), soci::use(c.account_thumbprint), soci::use(c.body),
             soci::into(id))) {}
};

long long insert(Session& sql, const Issuance& issuance) {
  auto& insert = sql.prepared<Insert>();
  insert.c = Columns(issuance);
  return insert_returning(insert.statement, insert.id);
}

struct Update {
  Columns c;
  soci::statement statement;

  explicit Update(Session& sql)
      : statement(
            (sql.prepare << "UPDATE issuance SET revision = revision + 1, step = :step, "
                            "active = :active, next_at = :next_at, order_url = :order_url, "
                            "account_url = :account_url, account_thumbprint = :account_thumbprint, "
                            "body = :body "
                            "WHERE id = :id AND revision = :revision",
             soci::use(c.step), soci::use(c.active), soci::use(c.next_at), soci::use(c.order_url),
             soci::use(c.account_url), soci::use(c.account_thumbprint), soci::use(c.body),
             soci::use(c.id), soci::use(c.revision))) {}
};

/// False when the row is not at that revision any more.
bool update(Session& sql, const Issuance& issuance) {
  auto& update = sql.prepared<Update>();
  update.c = Columns(issuance);
  update.statement.execute(true);
  return update.statement.get_affected_rows() == 1;
}

}  // namespace

Status end_issuance(Session& sql, DomainId domain, Step last, const Error& why, Time now) {
  auto found = select(sql, active_of_domain, static_cast<std::int64_t>(domain));
  if (!found) return fail(std::move(found.error()));
  for (auto& issuance : *found) {
    if (issuance.step > last) continue;
    const Event ended = abandon(issuance, why, now);
    (void)update(sql, issuance);  // at the revision that this transaction has just read
    insert_events(sql, {ended});
  }
  return {};
}

Task<Result<Issuance>> SqlStore::start(Issuance issuance, Changes changes) {
  ++journal_writes_;
  const std::string op = fmt::format("start issuance of {}", issuance.domain);
  auto touched = touching(issuance.domain_id);
  return write<Issuance>(
      op,
      [issuance = std::move(issuance), changes = std::move(changes),
       now = clock_.now()](Session& sql) mutable -> Result<Issuance> {
        issuance.revision = 1;
        if (auto status = check_startable(sql, issuance); !status) {
          return fail(std::move(status.error()));
        }
        issuance.id = IssuanceId{insert(sql, issuance)};
        auto put = put_changes(sql, issuance.domain_id, changes, now);
        if (!put) return fail(std::move(put.error()));
        return std::move(issuance);
      },
      std::move(touched));
}

Task<Result<Issuance>> SqlStore::commit(Issuance issuance, Changes changes) {
  ++journal_writes_;
  const std::string op = fmt::format("commit issuance of {}", issuance.domain);
  auto touched = touching(issuance.domain_id);
  return write<Issuance>(
      op,
      [issuance = std::move(issuance), changes = std::move(changes),
       now = clock_.now()](Session& sql) mutable -> Result<Issuance> {
        if (!update(sql, issuance)) {
          auto present = find(sql, issuance.id);
          if (!present) return fail(std::move(present.error()));
          return gone_on_with(*present);
        }
        auto put = put_changes(sql, issuance.domain_id, changes, now);
        if (!put) return fail(std::move(put.error()));
        ++issuance.revision;
        return std::move(issuance);
      },
      std::move(touched));
}

Task<Result<Issuance>> SqlStore::issuance(IssuanceId id) {
  return read<Issuance>(fmt::format("issuance {}", static_cast<std::int64_t>(id)),
                        [id](Session& sql) { return find(sql, id); });
}

Task<Result<std::vector<Issuance>>> SqlStore::active_issuances() {
  return read<std::vector<Issuance>>("list active issuances",
                                     [](Session& sql) { return select(sql, all_active, 0); });
}

Task<Result<std::optional<Issuance>>> SqlStore::active_issuance(DomainId domain) {
  return read<std::optional<Issuance>>(
      "look for an active issuance", [domain](Session& sql) -> Result<std::optional<Issuance>> {
        auto found = select(sql, active_of_domain, static_cast<std::int64_t>(domain));
        if (!found) return fail(std::move(found.error()));
        if (found->empty()) return std::optional<Issuance>();
        return std::move(found->front());
      });
}

Task<Result<std::string>> SqlStore::chain_of(DomainId domain, Serial serial) {
  return read<std::string>(
      "look for a chain",
      [domain, serial = std::move(serial)](Session& sql) -> Result<std::string> {
        auto issuances = select(sql, of_domain, static_cast<std::int64_t>(domain));
        if (!issuances) return fail(std::move(issuances.error()));
        for (auto& issuance : *issuances) {
          if (issuance.certificate && issuance.certificate->serial == serial) {
            return std::move(issuance.fullchain);
          }
        }
        return no_chain_of(serial);
      });
}

Task<Result<std::vector<OrderUrl>>> SqlStore::unknown_orders(std::vector<OrderUrl> urls) {
  return read<std::vector<OrderUrl>>(
      "look orders up", [urls = std::move(urls)](Session& sql) -> Result<std::vector<OrderUrl>> {
        std::string url;
        long long held = 0;
        soci::statement query =
            (sql.prepare << "SELECT COUNT(*) FROM issuance WHERE order_url = :url", soci::use(url),
             soci::into(held));
        std::vector<OrderUrl> unknown;
        for (const auto& each : urls) {
          url = each.text();
          query.execute(true);
          if (held == 0) unknown.push_back(each);
        }
        return unknown;
      });
}

}  // namespace certherd::store

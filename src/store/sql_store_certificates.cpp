#include <algorithm>
#include <iterator>

#include "store/codec_certificate.hpp"
#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/refusals.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

constexpr std::string_view all =
    "c.domain_id <> :id AND :serial = '' ORDER BY d.name, c.not_before DESC, c.id DESC";
constexpr std::string_view all_current =
    "c.is_current = 1 AND d.removed_at IS NULL AND c.domain_id <> :id AND :serial = '' "
    "ORDER BY d.name, c.not_before DESC, c.id DESC";
constexpr std::string_view all_revoking =
    "c.revoking = 1 AND c.domain_id <> :id AND :serial = '' ORDER BY c.id";
constexpr std::string_view all_of_domain =
    "c.domain_id = :id AND :serial = '' ORDER BY c.not_before DESC, c.id DESC";
constexpr std::string_view of_serial = "c.domain_id = :id AND c.serial = :serial ORDER BY c.id";

struct Select {
  long long of_domain = 0;
  std::string serial;
  long long id = 0;
  long long domain_id = 0;
  std::string name;
  std::string body;
  soci::statement statement;

  /// `which`: a condition, and the order.
  Select(Session& sql, std::string_view which)
      : statement((sql.prepare << "SELECT c.id, c.domain_id, d.name, c.body "
                                  "FROM certificate c JOIN domain d ON d.id = c.domain_id WHERE "
                               << which,
                   soci::use(of_domain), soci::use(serial), soci::into(id), soci::into(domain_id),
                   soci::into(name), soci::into(body))) {}

  Result<Certificate> certificate() const {
    auto certificate = decode_certificate(body);
    if (!certificate) return bad_row("certificate", id, "body", certificate.error().detail);
    auto domain = decode_name(name);
    if (!domain) return bad_row("domain", domain_id, "name", domain.error().detail);
    certificate->domain_id = DomainId{domain_id};
    certificate->domain = std::move(*domain);
    return certificate;
  }
};

Result<std::vector<Certificate>> select(Session& sql, std::string_view which,
                                        long long of_domain = 0, const std::string& serial = "") {
  auto& query = sql.prepared<Select>(which);
  query.of_domain = of_domain;
  query.serial = serial;
  return all_rows<Certificate>(query.statement, [&query] { return query.certificate(); });
}

struct Amend {
  long long domain_id = 0;
  std::string serial;
  int revoking = 0;
  std::string body;
  soci::statement statement;

  explicit Amend(Session& sql)
      : statement((sql.prepare << "UPDATE certificate SET revoking = :revoking, body = :body "
                                  "WHERE domain_id = :domain_id AND serial = :serial",
                   soci::use(revoking), soci::use(body), soci::use(domain_id), soci::use(serial))) {
  }
};

Status amend_certificate(Session& sql, DomainId domain, const Certificate& certificate) {
  auto& amend = sql.prepared<Amend>();
  amend.domain_id = static_cast<std::int64_t>(domain);
  amend.serial = certificate.serial.text();
  amend.revoking = certificate.revoking() ? 1 : 0;
  amend.body = encode_certificate(certificate);
  amend.statement.execute(true);
  if (amend.statement.get_affected_rows() == 1) return {};
  return nothing_to_amend(certificate.serial);
}

struct ReplaceCurrent {
  long long domain_id = 0;
  soci::statement statement;

  explicit ReplaceCurrent(Session& sql)
      : statement((sql.prepare << "UPDATE certificate SET is_current = 0 "
                                  "WHERE domain_id = :id AND is_current = 1",
                   soci::use(domain_id))) {}
};

struct InsertCurrent {
  long long domain_id = 0;
  std::string serial;
  long long not_before = 0;
  int revoking = 0;
  std::string body;
  soci::statement statement;

  explicit InsertCurrent(Session& sql)
      : statement((sql.prepare << "INSERT INTO certificate (domain_id, serial, is_current, "
                                  "not_before, revoking, body) "
                                  "VALUES (:domain_id, :serial, 1, :not_before, :revoking, :body) "
                                  "ON CONFLICT (domain_id, serial) DO UPDATE SET is_current = 1, "
                                  "not_before = excluded.not_before, "
                                  "revoking = excluded.revoking, body = excluded.body",
                   soci::use(domain_id), soci::use(serial), soci::use(not_before),
                   soci::use(revoking), soci::use(body))) {}
};

struct CountCompromised {
  std::string hash;
  long long found = 0;
  soci::statement statement;

  explicit CountCompromised(Session& sql)
      : statement((sql.prepare << "SELECT COUNT(*) FROM compromised_key WHERE hash = :hash",
                   soci::use(hash), soci::into(found))) {}
};

struct SaveRenewal {
  long long id = 0;
  std::string serial;
  std::string body;
  soci::statement statement;

  explicit SaveRenewal(Session& sql)
      : statement((sql.prepare << "INSERT INTO renewal (domain_id, serial, body) "
                                  "VALUES (:id, :serial, :body) ON CONFLICT (domain_id) DO UPDATE "
                                  "SET serial = excluded.serial, body = excluded.body",
                   soci::use(id), soci::use(serial), soci::use(body))) {}
};

}  // namespace

void put_certificate(Session& sql, DomainId domain, const Certificate& certificate) {
  auto& replace = sql.prepared<ReplaceCurrent>();
  replace.domain_id = static_cast<std::int64_t>(domain);
  replace.statement.execute(true);
  auto& insert = sql.prepared<InsertCurrent>();
  insert.domain_id = replace.domain_id;
  insert.serial = certificate.serial.text();
  insert.not_before = to_micros(certificate.not_before);
  insert.revoking = certificate.revoking() ? 1 : 0;
  insert.body = encode_certificate(certificate);
  insert.statement.execute(true);
}

Status put_changes(Session& sql, DomainId domain, const Changes& changes, Time now) {
  insert_events(sql, changes.events);
  if (changes.certificate) put_certificate(sql, domain, *changes.certificate);
  if (changes.amended) {
    if (auto amended = amend_certificate(sql, domain, *changes.amended); !amended) return amended;
  }
  if (changes.compromised) {
    const std::string hash = changes.compromised->text();
    const long long since = to_micros(now);
    sql << "INSERT INTO compromised_key (hash, since) VALUES (:hash, :since) "
           "ON CONFLICT (hash) DO NOTHING",
        soci::use(hash), soci::use(since);
  }
  if (changes.outcome) put_outcome(sql, domain, *changes.outcome);
  return {};
}

Task<Result<std::vector<Certificate>>> SqlStore::certificates(bool former_too) {
  return read<std::vector<Certificate>>("list certificates", [former_too](Session& sql) {
    return select(sql, former_too ? all : all_current);
  });
}

Task<Result<std::vector<Certificate>>> SqlStore::certificates_of(std::vector<DomainId> domains) {
  return read<std::vector<Certificate>>(
      "list certificates of domains",
      [domains = std::move(domains)](Session& sql) -> Result<std::vector<Certificate>> {
        std::vector<Certificate> certificates;
        for (const auto domain : domains) {
          auto found = select(sql, all_of_domain, static_cast<std::int64_t>(domain));
          if (!found) return found;
          std::ranges::move(*found, std::back_inserter(certificates));
        }
        return certificates;
      });
}

Task<Result<Certificate>> SqlStore::certificate(DomainId domain, Serial serial) {
  return read<Certificate>(
      "certificate " + serial.text(), [domain, serial](Session& sql) -> Result<Certificate> {
        auto found = select(sql, of_serial, static_cast<std::int64_t>(domain), serial.text());
        if (!found) return fail(std::move(found.error()));
        if (found->empty()) return not_of_this_domain();
        return std::move(found->front());
      });
}

Task<Result<std::vector<Certificate>>> SqlStore::revocations_begun() {
  return read<std::vector<Certificate>>("list revocations that were begun",
                                        [](Session& sql) { return select(sql, all_revoking); });
}

Task<Status> SqlStore::amend(DomainId domain, Changes changes) {
  GroupCommit::Work work = [domain, changes = std::move(changes), now = clock_.now()](
                               Session& sql) { return put_changes(sql, domain, changes, now); };
  return writer_.write("write what has changed", std::move(work), touching(domain));
}

Task<Result<bool>> SqlStore::is_compromised(KeyHash key) {
  return read<bool>("look a key up", [key = std::move(key)](Session& sql) -> Result<bool> {
    auto& query = sql.prepared<CountCompromised>();
    query.hash = key.text();
    bool found = false;
    query.statement.execute();
    while (query.statement.fetch()) found = query.found != 0;
    return found;
  });
}

Task<Status> SqlStore::save_renewals(std::vector<KnownRenewal> renewals,
                                     std::vector<Event> events) {
  std::vector<DomainId> domains;
  if (!events.empty()) {
    for (const auto& each : renewals) domains.push_back(each.domain);
  }
  GroupCommit::Work work = [renewals = std::move(renewals),
                            events = std::move(events)](Session& sql) -> Status {
    auto& save = sql.prepared<SaveRenewal>();
    for (const auto& each : renewals) {
      save.id = static_cast<std::int64_t>(each.domain);
      save.serial = each.serial.text();
      save.body = encode_renewal(each.renewal);
      save.statement.execute(true);
    }
    insert_events(sql, events);
    return {};
  };
  std::function<void()> then;
  if (!domains.empty()) {
    then = [touched = touched_, domains = std::move(domains)] { touched->note(domains); };
  }
  return writer_.write("write what CAs say of renewals", std::move(work), std::move(then));
}

}  // namespace certherd::store

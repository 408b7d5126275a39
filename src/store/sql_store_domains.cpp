#include "store/codec_certificate.hpp"
#include "store/codec_error.hpp"
#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

constexpr std::string_view inventory_columns =
    "name, names, zone_id, ca, dns, vault, targets, key_choice, profile, endpoints, owner, "
    "enabled, metadata, failures, next_at, last_error";

/// The columns of a domain and of what is known of it, as SOCI reads and writes them.
struct Columns {
  long long id = 0;
  std::string name, names, zone_id, ca, dns, vault, targets, key_choice, profile, endpoints, owner;
  int enabled = 0;
  std::string metadata;
  int failures = 0;
  Nullable<long long> next_at;
  Nullable<std::string> last_error;
  Nullable<std::string> step;
  Nullable<long long> working_next_at;
  Nullable<std::string> certificate;

  void take(const Domain& domain) {
    name = domain.name.text();
    names = encode_names(domain.names);
    zone_id = domain.zone_id.text();
    ca = domain.ca.text();
    dns = domain.dns.text();
    vault = domain.vault.text();
    targets = encode_targets(domain.targets);
    key_choice = domain.key;
    profile = domain.profile;
    endpoints = encode_endpoints(domain.endpoints);
    owner = domain.owner;
    enabled = domain.enabled ? 1 : 0;
    metadata = encode_map(domain.metadata);
    failures = domain.failures;
    next_at = to_column(domain.next_at);
    last_error = {};
    if (domain.last_error) last_error = {encode_error(*domain.last_error), soci::i_ok};
  }

  Result<DomainRow> row() const {
    DomainRow row;
    auto& domain = row.domain;
    const auto bad = [this](std::string_view column, const Error& error) {
      return bad_row("domain", id, column, error.detail);
    };
    domain.id = DomainId{id};
    if (auto parsed = decode_name(name)) {
      domain.name = std::move(*parsed);
    } else {
      return bad("name", parsed.error());
    }
    if (auto parsed = decode_names(names)) {
      domain.names = std::move(*parsed);
    } else {
      return bad("names", parsed.error());
    }
    if (auto parsed = decode_targets(targets)) {
      domain.targets = std::move(*parsed);
    } else {
      return bad("targets", parsed.error());
    }
    if (auto parsed = decode_endpoints(endpoints)) {
      domain.endpoints = std::move(*parsed);
    } else {
      return bad("endpoints", parsed.error());
    }
    if (auto parsed = decode_map(metadata)) {
      domain.metadata = std::move(*parsed);
    } else {
      return bad("metadata", parsed.error());
    }
    domain.zone_id = ZoneId(zone_id);
    domain.ca = CaName(ca);
    domain.dns = DnsName(dns);
    domain.vault = VaultName(vault);
    domain.key = key_choice;
    domain.profile = profile;
    domain.owner = owner;
    domain.enabled = enabled != 0;
    domain.failures = failures;
    domain.next_at = to_time(next_at);
    if (!last_error.is_null()) {
      auto parsed = decode_error(last_error.value);
      if (!parsed) return bad("last_error", parsed.error());
      domain.last_error = std::move(*parsed);
    }
    if (!step.is_null()) {
      row.working = parse_step(step.value);
      if (!row.working) return bad_row("domain", id, "step", "is no known name");
      row.working_next_at = to_time(working_next_at);
    }
    if (!certificate.is_null()) {
      auto parsed = decode_certificate(certificate.value);
      if (!parsed) return bad("certificate", parsed.error());
      parsed->domain_id = domain.id;
      parsed->domain = domain.name;
      row.certificate = std::move(*parsed);
    }
    return row;
  }
};

/// All domains, or the one of that name.
Result<std::vector<DomainRow>> select(soci::session& sql, const std::string& name) {
  Columns c;
  soci::statement query =
      (sql.prepare << "SELECT d.id, d.name, d.names, d.zone_id, d.ca, d.dns, d.vault, d.targets, "
                      "d.key_choice, d.profile, d.endpoints, d.owner, d.enabled, d.metadata, "
                      "d.failures, d.next_at, d.last_error, i.step, i.next_at, c.body "
                      "FROM domain d "
                      "LEFT JOIN issuance i ON i.domain_id = d.id AND i.active = 1 "
                      "LEFT JOIN certificate c ON c.domain_id = d.id AND c.is_current = 1 "
                   << (name.empty() ? "WHERE :name = ''" : "WHERE d.name = :name")
                   << " ORDER BY d.name",
       soci::use(name), soci::into(c.id), soci::into(c.name), soci::into(c.names),
       soci::into(c.zone_id), soci::into(c.ca), soci::into(c.dns), soci::into(c.vault),
       soci::into(c.targets), soci::into(c.key_choice), soci::into(c.profile),
       soci::into(c.endpoints), soci::into(c.owner), soci::into(c.enabled), soci::into(c.metadata),
       soci::into(c.failures), soci::into(c.next_at.value, c.next_at.state),
       soci::into(c.last_error.value, c.last_error.state), soci::into(c.step.value, c.step.state),
       soci::into(c.working_next_at.value, c.working_next_at.state),
       soci::into(c.certificate.value, c.certificate.state));
  std::vector<DomainRow> rows;
  query.execute();
  while (query.fetch()) {
    auto row = c.row();
    if (!row) return fail(std::move(row.error()));
    rows.push_back(std::move(*row));
  }
  return rows;
}

Status insert(soci::session& sql, const std::vector<Domain>& domains) {
  Columns c;
  soci::statement insert =
      (sql.prepare << "INSERT INTO domain (" << inventory_columns
                   << ") VALUES (:name, :names, :zone_id, :ca, :dns, :vault, :targets, "
                      ":key_choice, :profile, :endpoints, :owner, :enabled, :metadata, "
                      ":failures, :next_at, :last_error) ON CONFLICT (name) DO NOTHING",
       soci::use(c.name), soci::use(c.names), soci::use(c.zone_id), soci::use(c.ca),
       soci::use(c.dns), soci::use(c.vault), soci::use(c.targets), soci::use(c.key_choice),
       soci::use(c.profile), soci::use(c.endpoints), soci::use(c.owner), soci::use(c.enabled),
       soci::use(c.metadata), soci::use(c.failures), soci::use(c.next_at.value, c.next_at.state),
       soci::use(c.last_error.value, c.last_error.state));
  Error conflict;
  for (const auto& domain : domains) {
    c.take(domain);
    insert.execute(true);
    if (insert.get_affected_rows() != 0) continue;
    conflict.causes.push_back(fail(Error::Kind::conflict, c.name, "is there already").value());
  }
  if (conflict.causes.empty()) return {};
  conflict.kind = Error::Kind::conflict;
  conflict.detail =
      fmt::format("{} of {} domains are there already", conflict.causes.size(), domains.size());
  return fail(std::move(conflict));
}

}  // namespace

void put_outcome(soci::session& sql, DomainId domain, const Changes::Outcome& outcome) {
  const long long id = static_cast<std::int64_t>(domain);
  auto next_at = to_column(outcome.next_at);
  Nullable<std::string> last_error;
  if (outcome.last_error) last_error = {encode_error(*outcome.last_error), soci::i_ok};
  sql << "UPDATE domain SET failures = :failures, next_at = :next_at, last_error = :last_error "
         "WHERE id = :id",
      soci::use(outcome.failures), soci::use(next_at.value, next_at.state),
      soci::use(last_error.value, last_error.state), soci::use(id);
}

Task<Status> SqlStore::add_domains(std::vector<Domain> domains, std::vector<Event> events) {
  GroupCommit::Work work = [domains = std::move(domains),
                            events = std::move(events)](soci::session& sql) -> Status {
    if (auto status = insert(sql, domains); !status) return status;
    insert_events(sql, events);
    return {};
  };
  return writer_.write("add domains", std::move(work));
}

Task<Result<std::vector<DomainRow>>> SqlStore::domains() {
  return read<std::vector<DomainRow>>("list domains",
                                      [](soci::session& sql) { return select(sql, ""); });
}

Task<Result<DomainRow>> SqlStore::domain(Fqdn name) {
  const std::string op = "domain " + name.text();
  return read<DomainRow>(op, [name = std::move(name)](soci::session& sql) -> Result<DomainRow> {
    std::vector<DomainRow> rows;
    if (!name.empty()) {
      auto found = select(sql, name.text());
      if (!found) return fail(std::move(found.error()));
      rows = std::move(*found);
    }
    if (rows.empty()) {
      return fail(Error::Kind::not_found, "", "is not in the inventory: see certherd domain list");
    }
    return std::move(rows.front());
  });
}

}  // namespace certherd::store

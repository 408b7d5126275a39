#include <algorithm>
#include <sstream>

#include "store/codec_certificate.hpp"
#include "store/codec_error.hpp"
#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/refusals.hpp"
#include "store/rules.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

constexpr std::string_view inventory_columns =
    "name, names, zone_id, ca, dns, vault, targets, key_choice, profile, endpoints, owner, "
    "enabled, hold, maintenance_window, metadata, failures, next_at, last_error";

/// With blanks between them, as the inventory has it.
std::string joined(const std::vector<CaName>& cas) {
  std::string text;
  for (const auto& ca : cas) text += (text.empty() ? "" : " ") + ca.text();
  return text;
}

std::vector<CaName> cas_in(const std::string& text) {
  std::vector<CaName> cas;
  std::istringstream words(text);
  for (std::string word; words >> word;) cas.emplace_back(std::move(word));
  return cas;
}

/// The columns of a domain and of what is known of it, as SOCI reads and writes them.
struct Columns {
  long long id = 0;
  long long revision = 0;
  std::string name, names, zone_id, ca, dns, vault, targets, key_choice, profile, endpoints, owner;
  int enabled = 0;
  std::string hold, window, metadata;
  int failures = 0;
  Nullable<long long> next_at;
  Nullable<std::string> last_error;
  Nullable<std::string> step;
  Nullable<long long> working_next_at;
  Nullable<std::string> certificate;
  Nullable<std::string> renewal;

  void take(const Domain& domain) {
    name = domain.name.text();
    names = encode_names(domain.names);
    zone_id = domain.zone_id.text();
    ca = joined(domain.cas);
    dns = domain.dns.text();
    vault = domain.vault.text();
    targets = encode_targets(domain.targets);
    key_choice = domain.key;
    profile = domain.profile;
    endpoints = encode_endpoints(domain.endpoints);
    owner = domain.owner;
    enabled = domain.enabled ? 1 : 0;
    hold = domain.hold;
    window = domain.window;
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
    domain.revision = revision;
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
    domain.cas = cas_in(ca);
    domain.dns = DnsName(dns);
    domain.vault = VaultName(vault);
    domain.key = key_choice;
    domain.profile = profile;
    domain.owner = owner;
    domain.enabled = enabled != 0;
    domain.hold = hold;
    domain.window = window;
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
      if (!renewal.is_null()) {
        auto wish = decode_renewal(renewal.value);
        if (!wish) return bad_row("renewal of domain", id, "body", wish.error().detail);
        row.certificate->renewal = std::move(*wish);
      }
    }
    return row;
  }
};

/// All domains of the inventory, or one of them, by its name or by its id.
class Query {
 public:
  static constexpr std::string_view all_of_them = ":name = '' AND :id = 0";
  static constexpr std::string_view by_name = "d.name = :name AND :id = 0";
  static constexpr std::string_view by_id = ":name = '' AND d.id = :id";

  Query(Session& sql, std::string_view which)
      : query_((
            sql.prepare
                << "SELECT d.id, d.revision, d.name, d.names, d.zone_id, d.ca, d.dns, d.vault, "
                   "d.targets, d.key_choice, d.profile, d.endpoints, d.owner, d.enabled, d.hold, "
                   "d.maintenance_window, d.metadata, d.failures, d.next_at, d.last_error, i.step, "
                   "i.next_at, c.body, r.body "
                   "FROM domain d "
                   "LEFT JOIN issuance i ON i.domain_id = d.id AND i.active = 1 "
                   "LEFT JOIN certificate c ON c.domain_id = d.id AND c.is_current = 1 "
                   "LEFT JOIN renewal r ON r.domain_id = d.id AND r.serial = c.serial "
                   "WHERE d.removed_at IS NULL AND "
                << which << " ORDER BY d.name",
            soci::use(name_), soci::use(id_), soci::into(c_.id), soci::into(c_.revision),
            soci::into(c_.name), soci::into(c_.names), soci::into(c_.zone_id), soci::into(c_.ca),
            soci::into(c_.dns), soci::into(c_.vault), soci::into(c_.targets),
            soci::into(c_.key_choice), soci::into(c_.profile), soci::into(c_.endpoints),
            soci::into(c_.owner), soci::into(c_.enabled), soci::into(c_.hold),
            soci::into(c_.window), soci::into(c_.metadata), soci::into(c_.failures),
            soci::into(c_.next_at.value, c_.next_at.state),
            soci::into(c_.last_error.value, c_.last_error.state),
            soci::into(c_.step.value, c_.step.state),
            soci::into(c_.working_next_at.value, c_.working_next_at.state),
            soci::into(c_.certificate.value, c_.certificate.state),
            soci::into(c_.renewal.value, c_.renewal.state))) {}

  ~Query() = default;
  Query(const Query&) = delete;  // the statement points into it
  Query& operator=(const Query&) = delete;

  Status of(const std::string& name, std::vector<DomainRow>& rows) {
    name_ = name;
    return run(rows);
  }
  Status of(DomainId id, std::vector<DomainRow>& rows) {
    id_ = static_cast<std::int64_t>(id);
    return run(rows);
  }
  Result<std::vector<DomainRow>> all() {
    std::vector<DomainRow> rows;
    if (auto done = run(rows); !done) return fail(std::move(done.error()));
    return rows;
  }

 private:
  Status run(std::vector<DomainRow>& rows) {
    Status status;
    query_.execute();
    while (query_.fetch()) {
      if (!status) continue;
      auto row = c_.row();
      if (row) {
        rows.push_back(std::move(*row));
      } else {
        status = fail(std::move(row.error()));
      }
    }
    return status;
  }

  std::string name_;
  long long id_ = 0;
  Columns c_;
  soci::statement query_;
};

Result<std::vector<DomainRow>> select_all(Session& sql) {
  return sql.prepared<Query>(Query::all_of_them).all();
}

/// What is left in the inventory of `domains`, as of one moment.
Result<InventoryNews> select_news(Session& sql, const std::vector<DomainId>& domains) {
  const ReadTransaction moment(sql);
  auto& query = sql.prepared<Query>(Query::by_id);
  InventoryNews news;
  for (const auto domain : domains) {
    const auto before = news.changed.size();
    if (auto read = query.of(domain, news.changed); !read) return fail(std::move(read.error()));
    if (news.changed.size() == before) news.removed.push_back(domain);
  }
  std::ranges::sort(news.changed, {}, [](const DomainRow& row) { return row.domain.name; });
  return news;
}

struct PutOutcome {
  long long id = 0;
  int failures = 0;
  Nullable<long long> next_at;
  Nullable<std::string> last_error;
  soci::statement statement;

  explicit PutOutcome(Session& sql)
      : statement((sql.prepare << "UPDATE domain SET failures = :failures, next_at = :next_at, "
                                  "last_error = :last_error WHERE id = :id",
                   soci::use(failures), soci::use(next_at.value, next_at.state),
                   soci::use(last_error.value, last_error.state), soci::use(id))) {}
};

/// Makes one change of the inventory, in a transaction that is open. A domain that cannot be
/// changed as asked stands in conflicts() then, and nothing may be committed.
class InventoryWriter {
 public:
  InventoryWriter(Session& sql, Time now) : sql_(sql), now_(now) {}

  /// One that was removed keeps its row, and with it its certificates.
  void add(const std::vector<Domain>& domains) {
    Columns c;
    long long id = 0;
    soci::statement insert =
        (sql_.prepare << "INSERT INTO domain (" << inventory_columns
                      << ") VALUES (:name, :names, :zone_id, :ca, :dns, :vault, :targets, "
                         ":key_choice, :profile, :endpoints, :owner, :enabled, :hold, "
                         ":window, :metadata, :failures, :next_at, :last_error) ON CONFLICT (name) "
                         "DO UPDATE SET "
                         "names = excluded.names, zone_id = excluded.zone_id, ca = excluded.ca, "
                         "dns = excluded.dns, vault = excluded.vault, targets = excluded.targets, "
                         "key_choice = excluded.key_choice, profile = excluded.profile, "
                         "endpoints = excluded.endpoints, owner = excluded.owner, "
                         "enabled = excluded.enabled, hold = excluded.hold, "
                         "maintenance_window = excluded.maintenance_window, "
                         "metadata = excluded.metadata, "
                         "failures = excluded.failures, next_at = excluded.next_at, "
                         "last_error = excluded.last_error, revision = domain.revision + 1, "
                         "removed_at = NULL WHERE domain.removed_at IS NOT NULL RETURNING id",
         soci::use(c.name), soci::use(c.names), soci::use(c.zone_id), soci::use(c.ca),
         soci::use(c.dns), soci::use(c.vault), soci::use(c.targets), soci::use(c.key_choice),
         soci::use(c.profile), soci::use(c.endpoints), soci::use(c.owner), soci::use(c.enabled),
         soci::use(c.hold), soci::use(c.window), soci::use(c.metadata), soci::use(c.failures),
         soci::use(c.next_at.value, c.next_at.state),
         soci::use(c.last_error.value, c.last_error.state), soci::into(id));
    for (const auto& domain : domains) {
      c.take(domain);
      const auto given = insert_returning(insert, id);
      if (given == 0) {
        conflicts_.push_back(is_there_already(domain.name));
      } else {
        touched_.push_back(DomainId{given});
      }
    }
  }

  Status change(const std::vector<Domain>& domains) {
    Columns c;
    long long revision = 0;
    soci::statement update =
        (sql_.prepare << "UPDATE domain SET names = :names, zone_id = :zone_id, ca = :ca, "
                         "dns = :dns, vault = :vault, targets = :targets, "
                         "key_choice = :key_choice, profile = :profile, endpoints = :endpoints, "
                         "owner = :owner, enabled = :enabled, hold = :hold, "
                         "maintenance_window = :window, metadata = :metadata, "
                         "revision = revision + 1 "
                         "WHERE id = :id AND revision = :revision AND removed_at IS NULL",
         soci::use(c.names), soci::use(c.zone_id), soci::use(c.ca), soci::use(c.dns),
         soci::use(c.vault), soci::use(c.targets), soci::use(c.key_choice), soci::use(c.profile),
         soci::use(c.endpoints), soci::use(c.owner), soci::use(c.enabled), soci::use(c.hold),
         soci::use(c.window), soci::use(c.metadata), soci::use(c.id), soci::use(revision));
    Columns before;
    before.metadata = encode_map({});  // what is compared below is read alone
    soci::statement query =
        (sql_.prepare << "SELECT name, names, zone_id, ca, dns, vault, targets, key_choice, "
                         "profile, endpoints FROM domain WHERE id = :id",
         soci::use(c.id), soci::into(before.name), soci::into(before.names),
         soci::into(before.zone_id), soci::into(before.ca), soci::into(before.dns),
         soci::into(before.vault), soci::into(before.targets), soci::into(before.key_choice),
         soci::into(before.profile), soci::into(before.endpoints));
    for (const auto& domain : domains) {
      c.take(domain);
      c.id = static_cast<std::int64_t>(domain.id);
      revision = domain.revision;
      before.id = c.id;
      const bool found = query.execute(true);
      update.execute(true);
      if (!found || update.get_affected_rows() == 0) {
        conflicts_.push_back(changed_meanwhile(domain.name));
        continue;
      }
      touched_.push_back(domain.id);
      auto row = before.row();
      if (!row) return fail(std::move(row.error()));
      if (auto status = follow(row->domain, domain); !status) return status;
    }
    return {};
  }

  Status remove(const std::vector<Domain>& domains) {
    const long long now = to_micros(now_);
    long long id = 0;
    long long revision = 0;
    soci::statement update =
        (sql_.prepare << "UPDATE domain SET removed_at = :now, revision = revision + 1 "
                         "WHERE id = :id AND revision = :revision AND removed_at IS NULL",
         soci::use(now), soci::use(id), soci::use(revision));
    const auto why = domain_was_removed();
    for (const auto& domain : domains) {
      id = static_cast<std::int64_t>(domain.id);
      revision = domain.revision;
      update.execute(true);
      if (update.get_affected_rows() == 0) {
        conflicts_.push_back(changed_meanwhile(domain.name));
        continue;
      }
      touched_.push_back(domain.id);
      if (auto ended = end_issuance(sql_, domain.id, Step::clean_up, why, now_); !ended)
        return ended;
    }
    return {};
  }

  const std::vector<Error>& conflicts() const { return conflicts_; }
  const std::vector<DomainId>& touched() const { return touched_; }

 private:
  Status follow(const Domain& before, const Domain& after) {
    const auto consequence = consequence_of(before, after);
    if (consequence.order_is_void) {
      auto ended = end_issuance(sql_, after.id, last_before_finalize, order_was_changed(), now_);
      if (!ended) return ended;
    }
    if (consequence.pause_ends) put_outcome(sql_, after.id, {});
    return {};
  }

  Session& sql_;
  Time now_;
  std::vector<Error> conflicts_;
  std::vector<DomainId> touched_;
};

}  // namespace

void put_outcome(Session& sql, DomainId domain, const Changes::Outcome& outcome) {
  auto& put = sql.prepared<PutOutcome>();
  put.id = static_cast<std::int64_t>(domain);
  put.failures = outcome.failures;
  put.next_at = to_column(outcome.next_at);
  put.last_error = {};
  if (outcome.last_error) put.last_error = {encode_error(*outcome.last_error), soci::i_ok};
  put.statement.execute(true);
}

Task<Status> SqlStore::change_inventory(InventoryChange change) {
  const Time now = clock_.now();
  // Who is added has no id before.
  const auto ids = std::make_shared<std::vector<DomainId>>();
  GroupCommit::Work work = [change = std::move(change), now, ids](Session& sql) -> Status {
    InventoryWriter writer(sql, now);
    if (auto removed = writer.remove(change.removed); !removed) return removed;
    if (auto changed = writer.change(change.changed); !changed) return changed;
    writer.add(change.added);
    if (!writer.conflicts().empty()) return nothing_was_changed(writer.conflicts());
    insert_events(sql, change.events);
    insert_requests(sql, change.requests);
    *ids = writer.touched();
    return {};
  };
  return writer_.write("change the inventory", std::move(work),
                       [touched = touched_, ids] { touched->note(*ids); });
}

Task<Result<std::vector<DomainRow>>> SqlStore::domains() {
  return read<std::vector<DomainRow>>("list domains", [](Session& sql) { return select_all(sql); });
}

Task<Result<InventoryNews>> SqlStore::domains_since(Mark mark) {
  return look<InventoryNews>(
      "list what is new of the domains",
      [touched = touched_, mark = std::move(mark)](Sessions& sessions) -> Result<InventoryNews> {
        // Before anything is read: what is written from here on is told next time.
        Mark now = touched->mark();
        now.others = sessions.write(
            [&sessions](Session& sql) { return sessions.dialect().others_commits(sql); });
        const auto domains = touched->since(mark, now);
        if (domains) {
          auto news =
              sessions.read([&domains](Session& sql) { return select_news(sql, *domains); });
          if (!news) return news;
          now.size = mark.size;
          news->mark = std::move(now);
          return news;
        }
        auto rows = sessions.read(select_all);
        if (!rows) return fail(std::move(rows.error()));
        now.size = rows->size();
        return InventoryNews{
            .all = true, .changed = std::move(*rows), .removed = {}, .mark = std::move(now)};
      });
}

Task<Result<DomainRow>> SqlStore::domain(Fqdn name) {
  const std::string op = "domain " + name.text();
  return read<DomainRow>(op, [name = std::move(name)](Session& sql) -> Result<DomainRow> {
    std::vector<DomainRow> rows;
    if (!name.empty()) {
      auto found = sql.prepared<Query>(Query::by_name).of(name.text(), rows);
      if (!found) return fail(std::move(found.error()));
    }
    if (rows.empty()) return no_such_domain();
    return std::move(rows.front());
  });
}

Task<Result<std::vector<std::string>>> SqlStore::names_with(std::string prefix, std::size_t limit) {
  const auto select_names = [prefix = std::move(prefix),
                             limit](Session& sql) -> Result<std::vector<std::string>> {
    // Names are A-labels: DEL comes behind every character of theirs.
    const std::string end = prefix + '\x7f';
    const auto most = static_cast<long long>(limit);
    std::string name;
    soci::statement query = (sql.prepare << "SELECT name FROM domain WHERE name >= :prefix AND "
                                            "name < :end AND removed_at IS NULL "
                                            "ORDER BY name LIMIT :most",
                             soci::use(prefix), soci::use(end), soci::use(most), soci::into(name));
    std::vector<std::string> names;
    names.reserve(limit);
    query.execute();
    while (query.fetch()) names.push_back(name);
    return names;
  };
  return read<std::vector<std::string>>("list names", select_names);
}

}  // namespace certherd::store

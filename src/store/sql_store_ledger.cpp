#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Columns {
  std::string dns;
  std::string zone;
  std::string name;
  std::string value;
  long long issuance = 0;

  void take(const TxtRecord& record) {
    dns = record.dns.text();
    zone = record.zone.text();
    name = record.name.text();
    value = record.value.text();
    issuance = static_cast<std::int64_t>(record.issuance);
  }
};

/// `at` is the last parameter of the statement.
struct Write {
  Columns c;
  long long at = 0;
  soci::statement statement;

  Write(Session& sql, std::string_view text)
      : statement((sql.prepare << text, soci::use(c.dns), soci::use(c.zone), soci::use(c.name),
                   soci::use(c.value), soci::use(c.issuance), soci::use(at))) {}
};

void for_each(Session& sql, std::string_view text, const std::vector<TxtRecord>& records, Time at) {
  auto& write = sql.prepared<Write>(text);
  write.at = to_micros(at);
  for (const auto& record : records) {
    write.c.take(record);
    write.statement.execute(true);
  }
}

struct Select {
  std::string section;
  Columns c;
  soci::statement statement;

  Select(Session& sql, std::string_view condition)
      : statement(
            (sql.prepare << "SELECT t.dns, t.zone, t.name, t.value, t.issuance FROM txt_record t "
                            "WHERE t.dns = :dns "
                         << condition << " ORDER BY t.zone, t.name, t.value, t.issuance",
             soci::use(section), soci::into(c.dns), soci::into(c.zone), soci::into(c.name),
             soci::into(c.value), soci::into(c.issuance))) {}
};

Result<std::vector<TxtRecord>> select(Session& sql, const DnsName& dns,
                                      std::string_view condition) {
  auto& query = sql.prepared<Select>(condition);
  const auto& c = query.c;
  query.section = dns.text();
  return all_rows<TxtRecord>(query.statement, [&c]() -> Result<TxtRecord> {
    auto name = decode_name(c.name);
    if (!name) {
      return bad_row("txt_record of issuance", c.issuance, "name", name.error().detail);
    }
    return TxtRecord{.dns = DnsName(c.dns),
                     .zone = ZoneId(c.zone),
                     .name = std::move(*name),
                     .value = TxtValue(c.value),
                     .issuance = IssuanceId{c.issuance}};
  });
}

/// The steps that need their values, for SQL: Issuance::needs_challenges() remains the one rule.
std::string needing_steps() {
  std::string list;
  for (int number = 0; number <= static_cast<int>(Step::failed); ++number) {
    Issuance issuance;
    issuance.step = static_cast<Step>(number);
    if (!issuance.active() || !issuance.needs_challenges()) continue;
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", to_string(issuance.step));
  }
  return list;
}

}  // namespace

Task<Status> SqlStore::record(std::vector<TxtRecord> records) {
  return writer_.write("record challenge values",
                       [records = std::move(records), now = clock_.now()](Session& sql) -> Status {
                         for_each(sql,
                                  "INSERT INTO txt_record "
                                  "(dns, zone, name, value, issuance, recorded_at) "
                                  "VALUES (:dns, :zone, :name, :value, :issuance, :at) "
                                  "ON CONFLICT (dns, zone, name, value, issuance) "
                                  "DO UPDATE SET recorded_at = excluded.recorded_at",
                                  records, now);
                         return {};
                       });
}

Task<Status> SqlStore::forget(std::vector<TxtRecord> records, Time until) {
  return writer_.write(
      "forget challenge values",
      [records = std::move(records), until, now = clock_.now()](Session& sql) -> Status {
        // By a clock that was ahead.
        for_each(sql,
                 "WITH now (dns, zone, name, value, issuance, at) AS "
                 "(VALUES (:dns, :zone, :name, :value, :issuance, :at)) "
                 "UPDATE txt_record SET recorded_at = (SELECT at FROM now) "
                 "WHERE (dns, zone, name, value, issuance) = "
                 "(SELECT dns, zone, name, value, issuance FROM now) "
                 "AND recorded_at > (SELECT at FROM now)",
                 records, now);
        for_each(sql,
                 "DELETE FROM txt_record WHERE dns = :dns AND zone = :zone "
                 "AND name = :name AND value = :value AND issuance = :issuance "
                 "AND recorded_at <= :until",
                 records, until);
        return {};
      });
}

Task<Result<std::vector<TxtRecord>>> SqlStore::unneeded(DnsName dns) {
  return read<std::vector<TxtRecord>>(
      "list unneeded challenge values", [dns = std::move(dns)](Session& sql) {
        // By name and value alone: two sections may well write to one and the same zone.
        static const std::string nobody_needs_it = fmt::format(
            "AND NOT EXISTS (SELECT 1 FROM txt_record o JOIN issuance i ON i.id = o.issuance "
            "WHERE o.name = t.name AND o.value = t.value AND i.active = 1 AND i.step IN ({}))",
            needing_steps());
        return select(sql, dns, nobody_needs_it);
      });
}

Task<Result<std::vector<TxtRecord>>> SqlStore::entries(DnsName dns) {
  return read<std::vector<TxtRecord>>(
      "list challenge values",
      [dns = std::move(dns)](Session& sql) { return select(sql, dns, ""); });
}

}  // namespace certherd::store

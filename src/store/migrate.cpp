#include <fmt/format.h>

#include <algorithm>

#include "store/migrations.hpp"
#include "store/sessions.hpp"

namespace certherd::store {
namespace {

struct Version {
  int number = 0;  ///< 0: an empty database, such as a crash in the midst of init leaves
  std::string program;
};

constexpr std::string_view version_table =
    "CREATE TABLE schema_version ("
    "number INTEGER PRIMARY KEY, program TEXT NOT NULL, applied_at BIGINT NOT NULL)";

Result<Version> read_version(const Dialect& dialect, Session& sql) {
  std::vector<std::string> tables;
  {
    std::string table;
    soci::statement names = (sql.prepare_table_names(), soci::into(table));
    names.execute();
    while (names.fetch()) tables.push_back(table);
  }
  Version version;
  if (std::ranges::find(tables, "schema_version") == tables.end()) {
    std::erase_if(tables, [](const std::string& table) { return table.starts_with("sqlite_"); });
    if (tables.empty()) return version;
    return fail(Error::Kind::misconfigured, dialect.name(),
                fmt::format("it is another program's database (it has a table \"{}\"): check the "
                            "url under [store]",
                            tables.front()));
  }
  soci::statement newest =
      (sql.prepare << "SELECT number, program FROM schema_version ORDER BY number DESC LIMIT 1",
       soci::into(version.number), soci::into(version.program));
  newest.execute();
  while (newest.fetch()) continue;
  return version;
}

void apply(const Dialect& dialect, Session& sql, std::string_view text) {
  constexpr std::string_view placeholder = "$identity$";
  while (!text.empty()) {
    const auto end = text.find(";\n");
    std::string statement(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    if (statement.find_first_not_of(" \n") == std::string::npos) continue;
    for (auto at = statement.find(placeholder); at != std::string::npos;
         at = statement.find(placeholder)) {
      statement.replace(at, placeholder.size(), dialect.identity_column());
    }
    sql << statement;
  }
}

}  // namespace

Status migrate(const Dialect& dialect, Session& sql, Time now) {
  const int newest = migrations().back().number;
  auto version = read_version(dialect, sql);
  if (!version) return fail(std::move(version.error()));
  dialect.adopt(sql);
  if (version->number == newest) return {};

  WriteTransaction transaction(dialect, sql);
  // Anew: another process may have migrated while we waited for the lock.
  version = read_version(dialect, sql);
  if (!version) return fail(std::move(version.error()));
  if (version->number > newest) {
    return fail(Error::Kind::misconfigured, dialect.name(),
                fmt::format("its schema is version {}, and certherd {} knows versions up to {}: "
                            "use certherd {} or newer",
                            version->number, program_version(), newest, version->program));
  }
  if (version->number == 0) sql << version_table;
  for (const auto& migration : migrations()) {
    if (migration.number <= version->number) continue;
    apply(dialect, sql, migration.sql);
    const std::string program(program_version());
    const long long applied_at = to_micros(now);
    sql << "INSERT INTO schema_version (number, program, applied_at) "
           "VALUES (:number, :program, :applied_at)",
        soci::use(migration.number), soci::use(program), soci::use(applied_at);
  }
  transaction.commit();
  return {};
}

Status check_schema(const Dialect& dialect, Session& sql) {
  auto version = read_version(dialect, sql);
  if (!version) return fail(std::move(version.error()));
  if (version->number == migrations().back().number) return {};
  return fail(
      Error::Kind::misconfigured, dialect.name(),
      fmt::format("its schema is version {}, not {}", version->number, migrations().back().number));
}

}  // namespace certherd::store

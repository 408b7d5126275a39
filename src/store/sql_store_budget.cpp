#include "store/budget_rules.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Select {
  std::string name;
  long long full_at = 0;
  long long closed_until = 0;
  soci::statement statement;

  explicit Select(Session& sql)
      : statement((sql.prepare << "SELECT full_at, closed_until FROM budget WHERE name = :name",
                   soci::use(name), soci::into(full_at), soci::into(closed_until))) {}
};

struct SetFullAt {
  std::string name;
  long long full_at = 0;
  soci::statement statement;

  explicit SetFullAt(Session& sql)
      : statement((sql.prepare << "INSERT INTO budget (name, full_at) VALUES (:name, :full_at) "
                                  "ON CONFLICT (name) DO UPDATE SET full_at = excluded.full_at",
                   soci::use(name), soci::use(full_at))) {}
};

struct SetLevel {
  std::string name;
  long long full_at = 0;
  long long closed_until = 0;
  soci::statement statement;

  explicit SetLevel(Session& sql)
      : statement((sql.prepare << "INSERT INTO budget (name, full_at, closed_until) "
                                  "VALUES (:name, :full_at, :closed_until) "
                                  "ON CONFLICT (name) DO UPDATE SET full_at = excluded.full_at, "
                                  "closed_until = excluded.closed_until",
                   soci::use(name), soci::use(full_at), soci::use(closed_until))) {}
};

Level level_of(Session& sql, const std::string& name) {
  auto& query = sql.prepared<Select>();
  query.name = name;
  Level level;
  query.statement.execute();
  while (query.statement.fetch()) {
    level = {.full_at = from_micros(query.full_at),
             .closed_until = from_micros(query.closed_until)};
  }
  return level;
}

Time full_at(Session& sql, const std::string& name) { return level_of(sql, name).full_at; }

void set_full_at(Session& sql, const std::string& name, Time full_at) {
  auto& update = sql.prepared<SetFullAt>();
  update.name = name;
  update.full_at = to_micros(full_at);
  update.statement.execute(true);
}

void set_level(Session& sql, const std::string& name, const Level& level) {
  auto& update = sql.prepared<SetLevel>();
  update.name = name;
  update.full_at = to_micros(level.full_at);
  update.closed_until = to_micros(level.closed_until);
  update.statement.execute(true);
}

Room take(Session& sql, const std::vector<Demand>& demands, Time now) {
  std::vector<Level> levels;
  levels.reserve(demands.size());
  for (const auto& demand : demands) levels.push_back(level_of(sql, demand.allowance.name));
  const auto before = levels;
  const auto room = take_room(demands, levels, now);
  for (std::size_t i = 0; i < demands.size(); ++i) {
    if (!keeps(room, demands[i], before[i], levels[i])) continue;
    set_full_at(sql, demands[i].allowance.name, levels[i].full_at);
  }
  return room;
}

void amend(Session& sql, const Amendment& amendment, Time now) {
  const auto& name = amendment.allowance.name;
  if (const auto level = amended(level_of(sql, name), amendment, now)) set_level(sql, name, *level);
}

}  // namespace

Task<Result<Room>> SqlStore::take_all(std::vector<Demand> demands) {
  return write<Room>("take from budgets",
                     [clock = &clock_, demands = std::move(demands)](Session& sql) -> Result<Room> {
                       return store::take(sql, demands, clock->now());
                     });
}

Task<Status> SqlStore::amend_allowances(std::vector<Amendment> amendments) {
  if (amendments.empty()) co_return Status();
  auto amended = co_await write<bool>(
      "amend budgets",
      [clock = &clock_, amendments = std::move(amendments)](Session& sql) -> Result<bool> {
        for (const auto& amendment : amendments) store::amend(sql, amendment, clock->now());
        return true;
      });
  if (!amended) co_return fail(std::move(amended.error()));
  co_return Status();
}

Task<Result<std::map<std::string, Level>>> SqlStore::levels() {
  using Levels = std::map<std::string, Level>;
  return read<Levels>("look at the budgets", [](Session& sql) -> Result<Levels> {
    Levels levels;
    std::string name;
    long long full_at = 0;
    long long closed_until = 0;
    soci::statement query = (sql.prepare << "SELECT name, full_at, closed_until FROM budget",
                             soci::into(name), soci::into(full_at), soci::into(closed_until));
    query.execute();
    while (query.fetch()) {
      levels[name] = {.full_at = from_micros(full_at), .closed_until = from_micros(closed_until)};
    }
    return levels;
  });
}

Task<Result<Time>> SqlStore::take(runtime::Allowance allowance, double units, Time latest) {
  return write<Time>("take from a budget",
                     // The clock is read when it is our turn: writes wait for each other.
                     [clock = &clock_, allowance = std::move(allowance), units,
                      latest](Session& sql) -> Result<Time> {
                       const Time now = clock->now();
                       const Time before = full_at(sql, allowance.name);
                       const auto spending = spend(allowance, before, units, now);
                       const Time after = spending.from <= latest
                                              ? spending.full_at
                                              : believed(allowance, before, units, now);
                       if (after != before) set_full_at(sql, allowance.name, after);
                       return spending.from;
                     });
}

Task<Status> SqlStore::settle(runtime::Allowance allowance, double left, Time until) {
  auto settled = co_await write<Time>(
      "settle a budget", [allowance = std::move(allowance), left, until](Session& sql) {
        const Time before = full_at(sql, allowance.name);
        const Time after =
            policy::settle_window(before, left, until, allowance.burst, allowance.window);
        if (after != before) set_full_at(sql, allowance.name, after);
        return Result<Time>(after);
      });
  if (!settled) co_return fail(std::move(settled.error()));
  co_return Status();
}

Task<Result<Time>> SqlStore::taken_until(runtime::Allowance allowance) {
  return read<Time>("look at a budget",
                    [allowance = std::move(allowance)](Session& sql) -> Result<Time> {
                      return full_at(sql, allowance.name);
                    });
}

}  // namespace certherd::store

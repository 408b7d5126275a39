#include "policy/gcra.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

Time full_at(soci::session& sql, const std::string& name) {
  long long micros = 0;
  soci::statement query = (sql.prepare << "SELECT full_at FROM budget WHERE name = :name",
                           soci::use(name), soci::into(micros));
  Time time{};
  query.execute();
  while (query.fetch()) time = from_micros(micros);
  return time;
}

void set_full_at(soci::session& sql, const std::string& name, Time full_at) {
  const long long micros = to_micros(full_at);
  sql << "INSERT INTO budget (name, full_at) VALUES (:name, :full_at) "
         "ON CONFLICT (name) DO UPDATE SET full_at = excluded.full_at",
      soci::use(name), soci::use(micros);
}

policy::Spending spend(const runtime::Allowance& allowance, Time full_at, double units, Time now) {
  if (allowance.window > Duration::zero()) {
    return policy::spend_in_windows(full_at, units, allowance.burst, allowance.window, now);
  }
  return policy::spend(full_at, units, allowance.per_second, allowance.burst, now);
}

}  // namespace

Task<Result<Time>> SqlStore::take(runtime::Allowance allowance, double units, Time latest) {
  return write<Time>("take from a budget",
                     // The clock is read when it is our turn: writes wait for each other.
                     [clock = &clock_, allowance = std::move(allowance), units,
                      latest](soci::session& sql) -> Result<Time> {
                       const auto spending =
                           spend(allowance, full_at(sql, allowance.name), units, clock->now());
                       if (spending.from <= latest)
                         set_full_at(sql, allowance.name, spending.full_at);
                       return spending.from;
                     });
}

Task<Status> SqlStore::settle(runtime::Allowance allowance, double left, Time until) {
  auto settled = co_await write<Time>(
      "settle a budget", [allowance = std::move(allowance), left, until](soci::session& sql) {
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
                    [allowance = std::move(allowance)](soci::session& sql) -> Result<Time> {
                      return full_at(sql, allowance.name);
                    });
}

}  // namespace certherd::store

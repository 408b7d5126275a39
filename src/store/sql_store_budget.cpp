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

}  // namespace

Task<Result<Time>> SqlStore::take(runtime::Allowance allowance, double units) {
  return write<Time>("take from a budget",
                     // The clock is read when it is our turn: writes wait for each other.
                     [clock = &clock_, allowance = std::move(allowance),
                      units](soci::session& sql) -> Result<Time> {
                       const auto spending =
                           policy::spend(full_at(sql, allowance.name), units, allowance.per_second,
                                         allowance.burst, clock->now());
                       const long long micros = to_micros(spending.full_at);
                       sql << "INSERT INTO budget (name, full_at) VALUES (:name, :full_at) "
                              "ON CONFLICT (name) DO UPDATE SET full_at = excluded.full_at",
                           soci::use(allowance.name), soci::use(micros);
                       return spending.from;
                     });
}

}  // namespace certherd::store

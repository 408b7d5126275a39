#include "store/columns.hpp"
#include "store/rules.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

std::optional<Lease> present_lease(Session& sql) {
  std::string owner;
  long long expires_at = 0;
  soci::statement query = (sql.prepare << "SELECT owner, expires_at FROM lease WHERE id = 1",
                           soci::into(owner), soci::into(expires_at));
  std::optional<Lease> lease;
  query.execute();
  while (query.fetch()) lease = Lease{.owner = owner, .expires_at = from_micros(expires_at)};
  return lease;
}

void put_lease(Session& sql, const Lease& lease) {
  const long long expires_at = to_micros(lease.expires_at);
  sql << "INSERT INTO lease (id, owner, expires_at) VALUES (1, :owner, :expires_at) "
         "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at",
      soci::use(lease.owner), soci::use(expires_at);
}

}  // namespace

Task<Result<Lease>> SqlStore::acquire_lease(std::string owner, Duration ttl,
                                            bool (*holder_is_dead)(const std::string& owner)) {
  const Time now = clock_.now();
  const Lease ours{.owner = std::move(owner), .expires_at = now + ttl};
  return write<Lease>("acquire the lease",
                      [ours, now, holder_is_dead](Session& sql) -> Result<Lease> {
                        // Look and take are one transaction, which holds off other writers.
                        const auto present = present_lease(sql);
                        if (is_held(present, ours.owner, now, holder_is_dead)) return *present;
                        put_lease(sql, ours);
                        return ours;
                      });
}

Task<Status> SqlStore::release_lease(std::string owner) {
  return writer_.write("release the lease", [owner = std::move(owner)](Session& sql) -> Status {
    sql << "DELETE FROM lease WHERE owner = :owner", soci::use(owner);
    return {};
  });
}

}  // namespace certherd::store

#include "store/columns.hpp"
#include "store/rules.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Select {
  std::string owner;
  long long expires_at = 0;
  soci::statement statement;

  explicit Select(Session& sql)
      : statement((sql.prepare << "SELECT owner, expires_at FROM lease WHERE id = 1",
                   soci::into(owner), soci::into(expires_at))) {}
};

struct Put {
  std::string owner;
  long long expires_at = 0;
  soci::statement statement;

  explicit Put(Session& sql)
      : statement((sql.prepare << "INSERT INTO lease (id, owner, expires_at) "
                                  "VALUES (1, :owner, :expires_at) ON CONFLICT (id) DO UPDATE "
                                  "SET owner = excluded.owner, expires_at = excluded.expires_at",
                   soci::use(owner), soci::use(expires_at))) {}
};

std::optional<Lease> present_lease(Session& sql) {
  auto& query = sql.prepared<Select>();
  std::optional<Lease> lease;
  query.statement.execute();
  while (query.statement.fetch()) {
    lease = Lease{.owner = query.owner, .expires_at = from_micros(query.expires_at)};
  }
  return lease;
}

void put_lease(Session& sql, const Lease& lease) {
  auto& put = sql.prepared<Put>();
  put.owner = lease.owner;
  put.expires_at = to_micros(lease.expires_at);
  put.statement.execute(true);
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

#include "store/codec_issuance.hpp"
#include "store/columns.hpp"
#include "store/rules.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

/// A row of `account` with what is sealed in it.
struct SealedAccount {
  std::string ca, key, next_key;
};

std::vector<SealedAccount> sealed_accounts(Session& sql) {
  SealedAccount row;
  soci::statement query =
      (sql.prepare << "SELECT ca, sealed_key, next_sealed_key FROM account ORDER BY ca",
       soci::into(row.ca), soci::into(row.key), soci::into(row.next_key));
  std::vector<SealedAccount> rows;
  query.execute();
  while (query.fetch()) rows.push_back(row);
  return rows;
}

/// A row of `issuance` with a key in its body.
struct SealedIssuance {
  long long id = 0;
  std::string domain, body;
};

std::vector<SealedIssuance> sealed_issuances(Session& sql) {
  SealedIssuance row;
  // An issuance that is over has no key any more; the rest of these is told apart when decoded.
  soci::statement query =
      (sql.prepare << "SELECT i.id, d.name, i.body FROM issuance i JOIN domain d ON "
                      "d.id = i.domain_id WHERE i.body NOT LIKE '%\"sealed_key\":\"\"%' "
                      "ORDER BY i.id",
       soci::into(row.id), soci::into(row.domain), soci::into(row.body));
  std::vector<SealedIssuance> rows;
  query.execute();
  while (query.fetch()) rows.push_back(row);
  return rows;
}

Result<int> reseal_accounts(Session& sql, const Reseal& reseal) {
  int count = 0;
  for (auto& row : sealed_accounts(sql)) {
    auto key = reseal_text(reseal, SealedText::Of::account, row.ca, row.key);
    if (!key) return fail(std::move(key.error()));
    auto next_key = reseal_text(reseal, SealedText::Of::account, row.ca, row.next_key);
    if (!next_key) return fail(std::move(next_key.error()));
    if (!*key && !*next_key) continue;
    sql << "UPDATE account SET sealed_key = :key, next_sealed_key = :next_key, "
           "revision = revision + 1 WHERE ca = :ca",
        soci::use(row.key), soci::use(row.next_key), soci::use(row.ca);
    count += (*key ? 1 : 0) + (*next_key ? 1 : 0);
  }
  return count;
}

Result<int> reseal_issuances(Session& sql, const Reseal& reseal) {
  int count = 0;
  for (auto& row : sealed_issuances(sql)) {
    Issuance issuance;
    if (auto decoded = decode_body(row.body, issuance); !decoded) {
      return bad_row("issuance", row.id, "body", decoded.error().detail);
    }
    auto key = reseal_text(reseal, SealedText::Of::issuance, row.domain, issuance.sealed_key);
    if (!key) return fail(std::move(key.error()));
    if (!*key) continue;
    const auto body = encode_body(issuance);
    sql << "UPDATE issuance SET body = :body, revision = revision + 1 WHERE id = :id",
        soci::use(body), soci::use(row.id);
    ++count;
  }
  return count;
}

}  // namespace

Task<Result<int>> SqlStore::reseal(Reseal reseal, std::vector<Event> events) {
  const auto work = [reseal = std::move(reseal),
                     events = std::move(events)](Session& sql) -> Result<int> {
    auto accounts = reseal_accounts(sql, reseal);
    if (!accounts) return accounts;
    auto issuances = reseal_issuances(sql, reseal);
    if (!issuances) return issuances;
    insert_events(sql, events);
    return *accounts + *issuances;
  };
  return write<int>("reseal", work);
}

}  // namespace certherd::store

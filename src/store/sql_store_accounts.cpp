#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Columns {
  std::string ca, directory, key_type, sealed_key, thumbprint, url, status, contact;
  long long created_at = 0;

  Result<Account> account() const {
    const auto bad = [this](std::string_view column, std::string_view why) {
      return fail(Error::Kind::rejected, "row " + ca + " of account",
                  fmt::format("{}: {}", column, why));
    };
    const auto type = parse_key_type(key_type);
    if (!type) return bad("key_type", "is no known name");
    auto contacts = decode_texts(contact);
    if (!contacts) return bad("contact", contacts.error().detail);
    return Account{.ca = CaName(ca),
                   .directory = directory,
                   .key_type = *type,
                   .sealed_key = sealed_key,
                   .thumbprint = thumbprint,
                   .url = AccountUrl(url),
                   .status = status,
                   .contact = std::move(*contacts),
                   .created_at = from_micros(created_at)};
  }
};

Result<std::optional<Account>> select(soci::session& sql, const CaName& ca) {
  Columns c;
  const std::string& name = ca.text();
  soci::statement query =
      (sql.prepare << "SELECT ca, directory, key_type, sealed_key, thumbprint, url, status, "
                      "contact, created_at FROM account WHERE ca = :ca",
       soci::use(name), soci::into(c.ca), soci::into(c.directory), soci::into(c.key_type),
       soci::into(c.sealed_key), soci::into(c.thumbprint), soci::into(c.url), soci::into(c.status),
       soci::into(c.contact), soci::into(c.created_at));
  std::optional<Account> found;
  query.execute();
  while (query.fetch()) {
    auto account = c.account();
    if (!account) return fail(std::move(account.error()));
    found = std::move(*account);
  }
  return found;
}

void put(soci::session& sql, const Account& account) {
  const std::string key_type(to_string(account.key_type));
  const std::string contact = encode_texts(account.contact);
  const long long created_at = to_micros(account.created_at);
  sql << "INSERT INTO account (ca, directory, key_type, sealed_key, thumbprint, url, status, "
         "contact, created_at) VALUES (:ca, :directory, :key_type, :sealed_key, :thumbprint, "
         ":url, :status, :contact, :created_at) ON CONFLICT (ca) DO UPDATE SET "
         "directory = excluded.directory, key_type = excluded.key_type, "
         "sealed_key = excluded.sealed_key, thumbprint = excluded.thumbprint, "
         "url = excluded.url, status = excluded.status, contact = excluded.contact, "
         "created_at = excluded.created_at",
      soci::use(account.ca.text()), soci::use(account.directory), soci::use(key_type),
      soci::use(account.sealed_key), soci::use(account.thumbprint), soci::use(account.url.text()),
      soci::use(account.status), soci::use(contact), soci::use(created_at);
}

}  // namespace

Task<Result<std::optional<Account>>> SqlStore::account(CaName ca) {
  const std::string op = "account at " + ca.text();
  return read<std::optional<Account>>(
      op, [ca = std::move(ca)](soci::session& sql) { return select(sql, ca); });
}

Task<Status> SqlStore::save_account(Account account, std::vector<Event> events) {
  const std::string op = "save the account at " + account.ca.text();
  return writer_.write(
      op, [account = std::move(account), events = std::move(events)](soci::session& sql) -> Status {
        put(sql, account);
        insert_events(sql, events);
        return {};
      });
}

}  // namespace certherd::store

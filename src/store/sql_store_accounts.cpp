#include "store/codec_lists.hpp"
#include "store/columns.hpp"
#include "store/refusals.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

struct Columns {
  std::string ca, directory, key_type, sealed_key, thumbprint, url, status, contact;
  long long created_at = 0;
  std::string next_key_type, next_sealed_key, next_thumbprint;
  long long revision = 0;

  Columns() = default;
  explicit Columns(const Account& account)
      : ca(account.ca.text()),
        directory(account.directory),
        key_type(to_string(account.key_type)),
        sealed_key(account.sealed_key),
        thumbprint(account.thumbprint),
        url(account.url.text()),
        status(account.status),
        contact(encode_texts(account.contact)),
        created_at(to_micros(account.created_at)),
        revision(account.revision) {
    if (!account.next_key) return;
    next_key_type = to_string(account.next_key->type);
    next_sealed_key = account.next_key->sealed;
    next_thumbprint = account.next_key->thumbprint;
  }

  Result<Account> account() const {
    const auto bad = [this](std::string_view column, std::string_view why) {
      return fail(Error::Kind::rejected, "row " + ca + " of account",
                  fmt::format("{}: {}", column, why));
    };
    const auto type = parse_key_type(key_type);
    if (!type) return bad("key_type", "is no known name");
    auto contacts = decode_texts(contact);
    if (!contacts) return bad("contact", contacts.error().detail);
    Account account{.ca = CaName(ca),
                    .directory = directory,
                    .key_type = *type,
                    .sealed_key = sealed_key,
                    .thumbprint = thumbprint,
                    .url = AccountUrl(url),
                    .status = status,
                    .contact = std::move(*contacts),
                    .created_at = from_micros(created_at),
                    .next_key = {},
                    .revision = revision};
    if (next_sealed_key.empty()) return account;
    const auto next_type = parse_key_type(next_key_type);
    if (!next_type) return bad("next_key_type", "is no known name");
    account.next_key = {
        .type = *next_type, .sealed = next_sealed_key, .thumbprint = next_thumbprint};
    return account;
  }
};

Result<std::optional<Account>> select(Session& sql, const CaName& ca) {
  Columns c;
  const std::string& name = ca.text();
  soci::statement query =
      (sql.prepare << "SELECT ca, directory, key_type, sealed_key, thumbprint, url, status, "
                      "contact, created_at, next_key_type, next_sealed_key, next_thumbprint, "
                      "revision FROM account WHERE ca = :ca",
       soci::use(name), soci::into(c.ca), soci::into(c.directory), soci::into(c.key_type),
       soci::into(c.sealed_key), soci::into(c.thumbprint), soci::into(c.url), soci::into(c.status),
       soci::into(c.contact), soci::into(c.created_at), soci::into(c.next_key_type),
       soci::into(c.next_sealed_key), soci::into(c.next_thumbprint), soci::into(c.revision));
  std::optional<Account> found;
  query.execute();
  while (query.fetch()) {
    auto account = c.account();
    if (!account) return fail(std::move(account.error()));
    found = std::move(*account);
  }
  return found;
}

/// False when there is one of that CA already.
bool insert(Session& sql, const Account& account) {
  const Columns c(account);
  soci::statement insert =
      (sql.prepare << "INSERT INTO account (ca, directory, key_type, sealed_key, thumbprint, url, "
                      "status, contact, created_at, next_key_type, next_sealed_key, "
                      "next_thumbprint, revision) VALUES (:ca, :directory, :key_type, "
                      ":sealed_key, :thumbprint, :url, :status, :contact, :created_at, "
                      ":next_key_type, :next_sealed_key, :next_thumbprint, 1) "
                      "ON CONFLICT DO NOTHING",
       soci::use(c.ca), soci::use(c.directory), soci::use(c.key_type), soci::use(c.sealed_key),
       soci::use(c.thumbprint), soci::use(c.url), soci::use(c.status), soci::use(c.contact),
       soci::use(c.created_at), soci::use(c.next_key_type), soci::use(c.next_sealed_key),
       soci::use(c.next_thumbprint));
  insert.execute(true);
  return insert.get_affected_rows() == 1;
}

/// False when the row is not at that revision any more.
bool update(Session& sql, const Account& account) {
  const Columns c(account);
  soci::statement update =
      (sql.prepare << "UPDATE account SET directory = :directory, key_type = :key_type, "
                      "sealed_key = :sealed_key, thumbprint = :thumbprint, url = :url, "
                      "status = :status, contact = :contact, created_at = :created_at, "
                      "next_key_type = :next_key_type, next_sealed_key = :next_sealed_key, "
                      "next_thumbprint = :next_thumbprint, revision = revision + 1 "
                      "WHERE ca = :ca AND revision = :revision",
       soci::use(c.directory), soci::use(c.key_type), soci::use(c.sealed_key),
       soci::use(c.thumbprint), soci::use(c.url), soci::use(c.status), soci::use(c.contact),
       soci::use(c.created_at), soci::use(c.next_key_type), soci::use(c.next_sealed_key),
       soci::use(c.next_thumbprint), soci::use(c.ca), soci::use(c.revision));
  update.execute(true);
  return update.get_affected_rows() == 1;
}

}  // namespace

Task<Result<std::optional<Account>>> SqlStore::account(CaName ca) {
  const std::string op = "account at " + ca.text();
  return read<std::optional<Account>>(
      op, [ca = std::move(ca)](Session& sql) { return select(sql, ca); });
}

Task<Result<Account>> SqlStore::save_account(Account account, std::vector<Event> events) {
  const std::string op = "save the account at " + account.ca.text();
  return write<Account>(
      op,
      [account = std::move(account), events = std::move(events)](Session& sql) -> Result<Account> {
        const bool fresh = account.revision == 0;
        if (!(fresh ? insert(sql, account) : update(sql, account))) {
          return account_changed_meanwhile();
        }
        insert_events(sql, events);
        auto saved = account;
        ++saved.revision;
        return saved;
      });
}

}  // namespace certherd::store

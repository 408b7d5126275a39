// How machines share an account through a vault. The key stands sealed in the store first, then in
// the vault, and only then does the CA hear of it; so of several machines that begin at the same
// time, one is the first in the vault and the others take its key. What changes afterwards follows
// into the vault. A crash in between leaves store and vault different, and the next opening
// compares them; where their keys differ, the CA says which one it knows.
#include "app/accounts.hpp"
#include "base/log.hpp"
#include "crypto/jws.hpp"

namespace certherd::app {
namespace {

// Each is one at what another machine has done meanwhile.
constexpr int looks = 3;

bool has_ended(const std::string& status) { return !status.empty() && status != "valid"; }

/// Whether the CA has answered that it serves nobody by this key.
bool turns_away(const Error& error) {
  return error.problem &&
         (error.kind == Error::Kind::denied || error.kind == Error::Kind::rejected ||
          error.kind == Error::Kind::misconfigured);
}

}  // namespace

Result<vault::AccountVault*> Accounts::vault_of(const CaName& ca) const {
  const auto& name = config_.cas.at(ca).account_vault;
  if (name.empty()) return nullptr;
  return vaults_(name);
}

Task<Result<std::optional<Accounts::Kept>>> Accounts::kept_in_vault(CaName ca) {
  auto vault = vault_of(ca);
  if (!vault) co_return fail(std::move(vault.error()));
  if (*vault == nullptr) co_return std::optional<Kept>();
  auto document = co_await (*vault)->load_account(ca);
  if (!document) co_return fail(std::move(document.error()));
  if (!*document) co_return std::optional<Kept>();
  const auto& config = config_.cas.at(ca);
  if ((*document)->directory != config.directory) {
    co_return fail(Error::Kind::misconfigured, "compare the directory",
                   fmt::format("[vault.{}] keeps an account of {}, the config names {}: give the "
                               "other CA a section of its own",
                               config.account_vault, (*document)->directory, config.directory));
  }
  auto key = crypto::PrivateKey::from_pem((*document)->key);
  if (!key) {
    co_return fail(std::move(key.error()).during("open the key that the vault keeps"));
  }
  (*document)->thumbprint = crypto::jwk_thumbprint(*key);
  co_return Kept{.document = std::move(**document), .key = std::move(*key)};
}

/// Puts what the vault keeps into the store, in the place of `former` if there is one.
Task<Result<Account>> Accounts::take_from_vault(CaName ca, Kept kept,
                                                std::optional<Account> former) {
  Account account;
  account.ca = ca;
  account.directory = kept.document.directory;
  account.key_type = kept.key.type();
  account.sealed_key = sealer_.seal(kept.key.to_pem(), account_key_purpose(ca));
  account.thumbprint = kept.document.thumbprint;
  account.url = kept.document.url;
  account.status = kept.document.status;
  account.contact = kept.document.contact;
  account.created_at = loop_.clock().now();
  Event taken{.at = account.created_at,
              .domain = {},
              .event = "account.taken_from_vault",
              .detail = {{"ca", ca.text()},
                         {"vault", config_.cas.at(ca).account_vault.text()},
                         {"thumbprint", account.thumbprint},
                         {"account", account.url.text()}}};
  if (former) {
    account.revision = former->revision;
    account.created_at = former->created_at;
    const bool same_key = former->thumbprint == account.thumbprint;
    if (!same_key) taken.detail.emplace("former", former->thumbprint);
    if (same_key && !has_ended(account.status)) account.next_key = former->next_key;
  }
  std::vector<Event> events = {std::move(taken)};
  co_return co_await store_.save_account(std::move(account), std::move(events));
}

/// The same for an entry that is open: from now on it signs with that key.
Task<Status> Accounts::adopt(Entry* entry, Kept kept) {
  const auto ca = entry->account.ca;
  auto client = connect_(config_.cas.at(ca), kept.key);
  if (!client) co_return fail(std::move(client.error()));
  auto revision = kept.document.revision;
  auto former = entry->account;
  auto taken = co_await take_from_vault(ca, std::move(kept), std::move(former));
  if (!taken) co_return fail(std::move(taken.error()));
  log::info("[ca.{}] another machine has changed the account: it is taken from the vault", ca);
  entry->account = std::move(*taken);
  entry->acme = std::move(*client);
  if (!entry->account.url.empty()) entry->acme->use_account(entry->account.url);
  entry->refused.reset();
  entry->vault_revision = std::move(revision);
  co_return Status();
}

/// Makes store and vault say the same, whichever knows more.
Task<Status> Accounts::agree_with_vault(Entry* entry) {
  const auto ca = entry->account.ca;
  Status told;
  for (int count = 0; count < looks; ++count) {
    auto kept = co_await kept_in_vault(ca);
    if (!kept) co_return fail(std::move(kept.error()));
    entry->vault_revision = *kept ? (*kept)->document.revision : std::string();
    auto from = *kept ? co_await newer(entry, **kept) : Result<Newer>(Newer::store);
    if (!from) co_return fail(std::move(from.error()));
    entry->vault_is_behind = *from == Newer::store;
    if (*from == Newer::neither) co_return Status();
    if (*from == Newer::vault) co_return co_await adopt(entry, std::move(**kept));
    told = co_await tell_vault(entry);
    if (told || told.error().kind != Error::Kind::conflict) co_return told;
    // Another machine was first.
  }
  co_return told;
}

Task<Result<Accounts::Newer>> Accounts::newer(Entry* entry, Kept kept) {
  const auto& ours = entry->account;
  const auto& theirs = kept.document;
  const bool they_ended = has_ended(theirs.status);
  if (theirs.thumbprint == ours.thumbprint) {
    const bool we_ended = has_ended(ours.status);
    if (ours.url == theirs.url && ours.status == theirs.status) co_return Newer::neither;
    // What has ended stays so, and a URL is not forgotten again.
    if (we_ended != they_ended) co_return we_ended ? Newer::store : Newer::vault;
    co_return ours.url.empty() ? Newer::vault : Newer::store;
  }
  if (ours.url.empty()) {
    if (they_ended) co_return Newer::store;
    // The config wants another type of key than the one that no CA has accepted yet.
    const bool corrected = theirs.url.empty() && ours.key_type != kept.key.type() &&
                           ours.key_type == config_.cas.at(ours.ca).account_key;
    co_return corrected ? Newer::store : Newer::vault;
  }
  co_return co_await known_to_ca(entry, std::move(kept));
}

/// Of two keys, of which ours has had an account, the one that counts.
Task<Result<Accounts::Newer>> Accounts::known_to_ca(Entry* entry, Kept kept) {
  const auto ca = entry->account.ca;
  const auto op = fmt::format("find out whose key the account at [ca.{}] has", ca);
  auto client = connect_(config_.cas.at(ca), kept.key);
  if (!client) co_return fail(std::move(client.error()).during(op));
  acme::NewAccount existing;
  existing.only_return_existing = true;
  auto by_theirs = co_await (*client)->new_account(existing);
  if (!by_theirs && !turns_away(by_theirs.error())) {
    co_return fail(std::move(by_theirs.error()).during(op));
  }
  if (!by_theirs || has_ended(by_theirs->status)) co_return Newer::store;
  if (by_theirs->url == entry->account.url || has_ended(entry->account.status)) {
    co_return Newer::vault;
  }
  // An account that is still of use is not thrown away.
  auto by_ours = co_await entry->acme->new_account(existing);
  if (!by_ours && !turns_away(by_ours.error())) {
    co_return fail(std::move(by_ours.error()).during(op));
  }
  if (!by_ours || has_ended(by_ours->status)) co_return Newer::vault;
  co_return fail(
      Error::Kind::misconfigured, op,
      fmt::format("the store has {}, and [vault.{}] keeps {}: to go on with the latter, take "
                  "account_vault out of [ca.{}], end the former with certherd account deactivate "
                  "--ca {}, and put account_vault back",
                  by_ours->url, config_.cas.at(ca).account_vault, by_theirs->url, ca, ca));
}

/// Writes what the store says into the vault. Errors: conflict when the vault has moved on.
Task<Status> Accounts::tell_vault(Entry* entry) {
  const auto& account = entry->account;
  auto vault = vault_of(account.ca);
  if (!vault) co_return fail(std::move(vault.error()));
  auto key = open_key(account.ca, account.sealed_key);
  if (!key) co_return fail(std::move(key.error()));
  vault::AccountDocument document{.directory = account.directory,
                                  .key = key->to_pem(),
                                  .thumbprint = account.thumbprint,
                                  .url = account.url,
                                  .status = account.status,
                                  .contact = account.contact,
                                  .revision = *entry->vault_revision};
  auto revision = co_await (*vault)->save_account(account.ca, std::move(document));
  if (!revision) co_return fail(std::move(revision.error()));
  entry->vault_revision = std::move(*revision);
  entry->vault_is_behind = false;
  co_return Status();
}

/// After a change that CA and store have made. What fails here is made good by the next call.
Task<Status> Accounts::follow(Entry* entry) {
  if (!entry->vault_revision) co_return Status();  // no vault, or not compared yet
  entry->vault_is_behind = true;
  auto told = co_await tell_vault(entry);
  if (told) co_return told;
  auto error = std::move(told.error());
  error.detail += "; the CA and the store are up to date, and the next command tells the vault";
  co_return fail(std::move(error));
}

/// Before a new key takes the place of an account that is of no use any more: a crash would leave a
/// store with a key that the CA does not know beside a vault with one that looks good.
Task<Status> Accounts::end_in_vault(Entry* entry) {
  if (!entry->vault_revision) co_return Status();
  const auto status = entry->account.status;
  if (!has_ended(status)) entry->account.status = "replaced";
  auto told = co_await tell_vault(entry);
  if (told) co_return told;
  entry->account.status = status;
  entry->vault_is_behind = true;
  co_return told;
}

}  // namespace certherd::app

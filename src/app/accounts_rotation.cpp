// How an account gets a new key. The CA has one key at any time, and after a lost reply or a crash
// only it knows which. So the new key is sealed in the store beside the present one before the CA
// hears of it, and taken out only when the CA signs with it or has refused it. Until then every
// command asks first. It is never thrown away merely because the CA does not know it yet: a request
// to change to it may still be on its way.
#include "app/accounts.hpp"
#include "base/log.hpp"
#include "crypto/jws.hpp"

namespace certherd::app {
namespace {

bool knows_no_account(const Error& error) {
  return error.problem && error.problem->is_acme("accountDoesNotExist");
}

/// Whether the CA has answered that it serves nobody by this key, as opposed to not having
/// answered at all.
bool turns_away(const Error& error) {
  if (!error.problem) return false;
  return error.kind == Error::Kind::denied || error.kind == Error::Kind::rejected ||
         error.kind == Error::Kind::misconfigured;
}

/// Whether a keyChange was refused for what the new key is.
bool refuses_the_key(const Error& error) {
  if (!error.problem) return false;
  return error.problem->is_acme("badPublicKey") ||
         error.problem->is_acme("badSignatureAlgorithm") || error.kind == Error::Kind::rejected ||
         error.kind == Error::Kind::conflict;
}

}  // namespace

Task<Result<Account>> Accounts::rotate_key(CaName ca, std::optional<KeyType> wanted) {
  auto found = co_await registered(ca);
  if (!found) co_return fail(std::move(found.error()));
  auto* const entry = *found;
  const auto op = fmt::format("change the account key at [ca.{}]", ca);
  const auto is_wanted = [&wanted](KeyType type) { return !wanted || type == *wanted; };

  if (std::exchange(entry->finished_rotation, false) && is_wanted(entry->account.key_type)) {
    co_return entry->account;
  }
  if (const auto begun = entry->account.next_key) {
    auto finished = co_await put_next_key_in_force(entry);
    if (finished) {
      auto told = co_await follow(entry);
      if (!told) co_return fail(std::move(told.error()).during(op));
    }
    if (finished && is_wanted(begun->type)) co_return entry->account;
    const bool dropped = !entry->account.next_key;
    // Without a choice the config may have another type by now than the one that was refused.
    const bool another = wanted.value_or(config_.cas.at(ca).account_key) != begun->type;
    if (!finished && !(dropped && another)) co_return fail(std::move(finished.error()).during(op));
  }

  auto directory = co_await entry->acme->directory();
  if (!directory) co_return fail(std::move(directory.error()).during(op));
  if (directory->key_change.empty()) {
    co_return fail(Error::Kind::not_found, op,
                   "the CA lets no key be changed: a new account (deactivate, then register --new) "
                   "is the only way to a new one");
  }
  auto prepared = co_await prepare_next_key(entry, wanted.value_or(config_.cas.at(ca).account_key));
  if (!prepared) co_return fail(std::move(prepared.error()).during(op));
  auto changed = co_await put_next_key_in_force(entry);
  if (!changed) co_return fail(std::move(changed.error()).during(op));
  if (auto told = co_await follow(entry); !told) co_return fail(std::move(told.error()).during(op));
  co_return entry->account;
}

Task<Status> Accounts::prepare_next_key(Entry* entry, KeyType type) {
  auto key = co_await new_key(type);
  if (!key) co_return fail(std::move(key.error()));
  auto account = entry->account;
  account.next_key = {.type = type,
                      .sealed = sealer_.seal(key->to_pem(), account_key_purpose(account.ca)),
                      .thumbprint = crypto::jwk_thumbprint(*key)};
  std::map<std::string, std::string> detail = {{"thumbprint", account.next_key->thumbprint}};
  co_return co_await save(entry, std::move(account), "account.key_change_begun", std::move(detail));
}

Task<Status> Accounts::put_next_key_in_force(Entry* entry) {
  auto next = open_key(entry->account.ca, entry->account.next_key->sealed);
  if (!next) co_return fail(std::move(next.error()));
  auto changed = co_await entry->acme->change_key(std::move(*next));
  if (changed) co_return co_await adopt_next_key(entry);

  // An error does not say that nothing was done: this reply, or an earlier one, may have been lost.
  auto settled = co_await settle(entry);
  if (!settled) {
    changed.error().detail += fmt::format(
        "; whether the key has changed could not be asked ({}), the next command asks again",
        settled.error().message());
    co_return changed;
  }
  switch (*settled) {
    case InForce::next_key:
      co_return Status{};
    case InForce::neither:
      co_return fail(*entry->refused);
    case InForce::present_key:
      break;
  }
  if (!refuses_the_key(changed.error())) co_return changed;
  auto account = entry->account;
  std::map<std::string, std::string> detail = {{"thumbprint", account.next_key->thumbprint},
                                               {"error", changed.error().message()}};
  account.next_key.reset();
  auto saved =
      co_await save(entry, std::move(account), "account.key_change_refused", std::move(detail));
  if (!saved) co_return saved;
  co_return changed;
}

// RFC 8555 section 7.3.1: onlyReturnExisting finds the account of the key that signs, and makes
// none.
Task<Result<Accounts::InForce>> Accounts::settle(Entry* entry) {
  const auto ca = entry->account.ca;
  const auto op = fmt::format("find out which key the account at [ca.{}] has", ca);
  auto key = open_key(ca, entry->account.next_key->sealed);
  if (!key) co_return fail(std::move(key.error()).during(op));
  auto client = connect_(config_.cas.at(ca), std::move(*key));
  if (!client) co_return fail(std::move(client.error()).during(op));

  acme::NewAccount existing;
  existing.only_return_existing = true;
  auto by_next = co_await (*client)->new_account(existing);
  if (by_next && by_next->url != entry->account.url) {
    co_return fail(Error::Kind::rejected, op,
                   fmt::format("the CA says that the new key belongs to {}, but our account is {}",
                               by_next->url, entry->account.url));
  }
  if (by_next) {
    if (auto adopted = co_await adopt_next_key(entry); !adopted) {
      co_return fail(std::move(adopted.error()).during(op));
    }
    entry->acme = std::move(*client);
    log::info("[ca.{}] the account has the key of the rotation that had broken off", ca);
    co_return InForce::next_key;
  }
  if (!turns_away(by_next.error())) co_return fail(std::move(by_next.error()).during(op));

  auto by_present = co_await entry->acme->new_account(existing);
  if (by_present) {
    log::debug("[ca.{}] a rotation that was begun has not changed the account's key", ca);
    co_return InForce::present_key;
  }
  if (!turns_away(by_present.error())) co_return fail(std::move(by_present.error()).during(op));
  auto refused = std::move(by_present.error()).during(op);
  const bool lost = knows_no_account(by_next.error()) && knows_no_account(refused);
  refused.detail += fmt::format(
      "; the CA serves {} neither by its key nor by the one that a rotation had begun to put in "
      "its place: certherd account register{} --ca {} makes a new account",
      entry->account.url, lost ? "" : " --new", ca);
  entry->refused = std::move(refused);
  co_return InForce::neither;
}

Task<Status> Accounts::adopt_next_key(Entry* entry) {
  const auto next = *entry->account.next_key;
  while (true) {
    auto account = entry->account;
    std::map<std::string, std::string> detail = {{"former", account.thumbprint},
                                                 {"thumbprint", next.thumbprint}};
    account.key_type = next.type;
    account.sealed_key = next.sealed;
    account.thumbprint = next.thumbprint;
    account.next_key.reset();
    auto saved = co_await save(entry, std::move(account), "account.key_changed", std::move(detail));
    if (saved || saved.error().kind != Error::Kind::conflict) co_return saved;

    // Another process has written something else meanwhile, or has found out the same.
    auto stored = co_await store_.account(entry->account.ca);
    if (!stored) co_return fail(std::move(stored.error()));
    if (!*stored) co_return saved;
    entry->account = std::move(**stored);
    if (entry->account.thumbprint == next.thumbprint) co_return Status{};
    if (entry->account.next_key != next) co_return saved;
  }
}

}  // namespace certherd::app

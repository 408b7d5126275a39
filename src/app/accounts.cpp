#include "app/accounts.hpp"

#include "acme/http_client.hpp"
#include "app/version.hpp"
#include "base/versioned_folder.hpp"
#include "crypto/jws.hpp"
#include "fleet/draw_key.hpp"
#include "http/curl_client.hpp"

namespace certherd::app {
namespace {

constexpr std::size_t trust_limit = 1U << 20U;

bool has_ended(const Account& account) {
  return !account.status.empty() && account.status != "valid";
}

std::string way_on(const CaName& ca) {
  return fmt::format("certherd account register --new --ca {} makes a new one, with a new key", ca);
}

Error ended(const Account& account) {
  Error error;
  error.kind = Error::Kind::denied;
  error.op = fmt::format("use the account at [ca.{}]", account.ca);
  error.detail = fmt::format("{} is {}, which cannot be undone: {}", account.url, account.status,
                             way_on(account.ca));
  return error;
}

/// The CA's refusal with what can be done about it, where the CA cannot know.
Error with_remedy(Error error, const CaName& ca, const CaConfig& config) {
  const auto is = [&error](std::string_view type) {
    return error.problem && error.problem->is_acme(type);
  };
  if (is("externalAccountRequired")) {
    error.detail += fmt::format(
        R"(: eab = {{ kid = "…", hmac = {{ env = "NAME" }} }} under [ca.{}], with the key id )"
        "and the key that the CA has given you",
        ca);
  } else if (is("unauthorized")) {
    error.detail += fmt::format(" (if the account has ended: {})", way_on(ca));
    if (config.eab) error.detail += fmt::format(" (otherwise check eab under [ca.{}])", ca);
  }
  return error;
}

}  // namespace

std::string account_key_purpose(const CaName& ca) { return "account-key/" + ca.text(); }

Connect connect_by_https(runtime::EventLoop& loop, runtime::Offload& offload) {
  return [&loop, &offload](const CaConfig& config,
                           crypto::PrivateKey key) -> Result<std::shared_ptr<acme::Client>> {
    struct Connection {
      std::unique_ptr<http::Client> http;
      std::unique_ptr<acme::Client> acme;
    };
    http::CurlOptions options;
    options.user_agent = user_agent();
    if (!config.trust.empty()) {
      auto trust = read_file(config.trust, trust_limit);
      if (!trust) return fail(std::move(trust.error()).during("read trust"));
      options.trust_pem = std::move(*trust);
    }
    auto connection = std::make_shared<Connection>();
    connection->http = http::make_curl_client(loop, std::move(options));
    acme::ClientOptions client{.directory_url = config.directory, .account_key = std::move(key)};
    client.request_timeout = config.timeout;
    client.requests_at_once = static_cast<std::size_t>(config.requests_at_once);
    connection->acme = acme::make_client(*connection->http, loop, offload, std::move(client));
    auto* const acme = connection->acme.get();
    return std::shared_ptr<acme::Client>(std::move(connection), acme);
  };
}

Accounts::Accounts(const Config& config, runtime::EventLoop& loop, runtime::Offload& offload,
                   crypto::KeySource& keys, const crypto::Sealer& sealer, store::Store& store,
                   Connect connect, AccountVaults vaults)
    : config_(config),
      loop_(loop),
      offload_(offload),
      keys_(keys),
      sealer_(sealer),
      store_(store),
      connect_(std::move(connect)),
      vaults_(std::move(vaults)) {}

Accounts::~Accounts() = default;

Result<const CaConfig*> Accounts::section(const CaName& ca) const {
  const auto found = config_.cas.find(ca);
  if (found != config_.cas.end()) return &found->second;
  return fail(Error::Kind::misconfigured, "choose a CA",
              fmt::format("there is no [ca.{}] in the config", ca));
}

Task<Result<acme::Client*>> Accounts::client(CaName ca) {
  auto found = co_await entry(std::move(ca));
  if (!found) co_return fail(std::move(found.error()));
  co_return (*found)->acme.get();
}

Task<Result<Accounts::Entry*>> Accounts::entry(CaName ca) {
  const auto op = fmt::format("open the account at [ca.{}]", ca);
  if (auto known = entries_.find(ca); known != entries_.end()) {
    auto* const entry = &known->second;
    if (entry->vault_is_behind) {
      auto agreed = co_await agree_with_vault(entry);
      if (!agreed) co_return fail(std::move(agreed.error()).during(op));
    }
    co_return entry;
  }
  auto config = section(ca);
  if (!config) co_return fail(std::move(config.error()));
  auto account = co_await stored_or_new(ca);
  if (!account) co_return fail(std::move(account.error()).during(op));
  auto key = open_key(ca, account->sealed_key);
  if (!key) co_return fail(std::move(key.error()).during(op));
  auto client = connect_(**config, std::move(*key));
  if (!client) co_return fail(std::move(client.error()).during(op));

  Entry opened;
  opened.acme = std::move(*client);
  opened.account = std::move(*account);
  if (!opened.account.url.empty()) opened.acme->use_account(opened.account.url);
  if (opened.account.next_key && !has_ended(opened.account)) {
    auto settled = co_await settle(&opened);
    if (!settled) co_return fail(std::move(settled.error()).during(op));
    opened.finished_rotation = *settled == InForce::next_key;
  }
  if (!(*config)->account_vault.empty()) {
    auto agreed = co_await agree_with_vault(&opened);
    if (!agreed) co_return fail(std::move(agreed.error()).during(op));
  }
  co_return &entries_.insert_or_assign(std::move(ca), std::move(opened)).first->second;
}

Task<Result<Accounts::Entry*>> Accounts::registered(CaName ca) {
  auto found = co_await entry(ca);
  if (!found) co_return found;
  const auto& account = (*found)->account;
  if (account.url.empty()) {
    co_return fail(Error::Kind::not_found, fmt::format("use the account at [ca.{}]", ca),
                   fmt::format("it is not registered yet: certherd account register --ca {}", ca));
  }
  if (has_ended(account)) co_return fail(ended(account));
  if ((*found)->refused) co_return fail(*(*found)->refused);
  co_return found;
}

Task<Result<Account>> Accounts::stored_or_new(CaName ca) {
  const auto& config = config_.cas.at(ca);
  auto stored = co_await store_.account(ca);
  if (!stored) co_return fail(std::move(stored.error()));
  if (!*stored) {
    auto made = co_await first(ca);
    if (made || made.error().kind != Error::Kind::conflict) co_return made;
    // Another process was first: its key is the one.
    stored = co_await store_.account(ca);
    if (!stored) co_return fail(std::move(stored.error()));
    if (!*stored) co_return made;
  }
  auto account = std::move(**stored);
  // What the CA would not have, or a URL with a slip in it, is corrected in the config, and nothing
  // is lost by it.
  const bool corrected =
      account.key_type != config.account_key || account.directory != config.directory;
  if (account.url.empty() && corrected) {
    co_return co_await with_new_key(std::move(ca), std::move(account));
  }
  if (account.directory != config.directory) {
    co_return fail(Error::Kind::misconfigured, "compare the directory",
                   fmt::format("the store holds an account of {}, the config names {}: give the "
                               "other CA a section of its own",
                               account.directory, config.directory));
  }
  co_return account;
}

/// What the store begins with: the account that other machines have, or a new key.
Task<Result<Account>> Accounts::first(CaName ca) {
  auto kept = co_await kept_in_vault(ca);
  if (!kept) co_return fail(std::move(kept.error()));
  if (*kept) co_return co_await take_from_vault(std::move(ca), std::move(**kept), std::nullopt);
  co_return co_await with_new_key(std::move(ca), std::nullopt);
}

// The key is written before the CA hears of it.
Task<Result<Account>> Accounts::with_new_key(CaName ca, std::optional<Account> former) {
  const auto& config = config_.cas.at(ca);
  auto key = co_await new_key(config.account_key);
  if (!key) co_return fail(std::move(key.error()));
  Account account;
  account.ca = ca;
  account.directory = config.directory;
  account.key_type = config.account_key;
  account.sealed_key = sealer_.seal(key->to_pem(), account_key_purpose(ca));
  account.thumbprint = crypto::jwk_thumbprint(*key);
  account.created_at = loop_.clock().now();
  Event created{.at = account.created_at,
                .domain = {},
                .event = "account.key_created",
                .detail = {{"ca", ca.text()}, {"thumbprint", account.thumbprint}}};
  if (former) {
    account.revision = former->revision;
    created.detail.emplace("former", former->thumbprint);
    created.detail.emplace("former_account", former->url.text());
  }
  std::vector<Event> events = {std::move(created)};
  co_return co_await store_.save_account(std::move(account), std::move(events));
}

Task<Result<crypto::PrivateKey>> Accounts::new_key(KeyType type) {
  return fleet::draw_key(&offload_, &keys_, &store_, type);
}

Result<crypto::PrivateKey> Accounts::open_key(const CaName& ca, const std::string& sealed) const {
  auto pem = sealer_.open(sealed, account_key_purpose(ca));
  if (!pem) return fail(std::move(pem.error()));
  return crypto::PrivateKey::from_pem(*pem);
}

Task<Result<acme::Directory>> Accounts::directory(CaName ca) {
  auto config = section(ca);
  if (!config) co_return fail(std::move(config.error()));
  // Never used to sign anything, and never kept: asking for the directory needs no account.
  auto key = co_await new_key(KeyType::ecdsa_p256);
  if (!key) co_return fail(std::move(key.error()));
  auto client = connect_(**config, std::move(*key));
  if (!client) co_return fail(std::move(client.error()));
  co_return co_await (*client)->directory();
}

Task<Result<Account>> Accounts::ensure_registered(CaName ca) {
  auto found = co_await entry(ca);
  if (!found) co_return fail(std::move(found.error()));
  if ((*found)->refused) co_return fail(*(*found)->refused);
  const auto& account = (*found)->account;
  if (!account.url.empty() && account.status == "valid") co_return account;
  co_return co_await register_again(std::move(ca));
}

Task<Result<Account>> Accounts::register_again(CaName ca) {
  auto found = co_await entry(ca);
  if (!found) co_return fail(std::move(found.error()));
  auto* const entry = *found;
  if (has_ended(entry->account)) co_return fail(ended(entry->account));
  const auto& config = config_.cas.at(ca);
  const auto op = fmt::format("register the account at [ca.{}]", ca);

  if (!config.terms_of_service_agreed) {
    auto directory = co_await entry->acme->directory();
    if (!directory) co_return fail(std::move(directory.error()).during(op));
    const auto& terms = directory->terms_of_service;
    if (!terms.empty()) {
      co_return fail(Error::Kind::misconfigured, op,
                     fmt::format("the CA's terms of service have to be agreed to: read {} and set "
                                 "terms_of_service_agreed = true under [ca.{}]",
                                 terms, ca));
    }
  }
  acme::NewAccount wanted;
  wanted.contact = config.contact;
  wanted.terms_of_service_agreed = config.terms_of_service_agreed;
  auto info = co_await ask_for(entry, std::move(wanted));
  if (!info) co_return fail(with_remedy(std::move(info.error()), ca, config).during(op));

  auto account = entry->account;
  account.url = info->url;
  account.status = info->status;
  account.contact = info->contact;
  // A key that was to come into another account's hands is of no use for this one.
  if (info->created) account.next_key.reset();
  std::map<std::string, std::string> detail = {{"account", account.url.text()}};
  const auto* event = info->created ? "account.registered" : "account.found";
  auto saved = co_await save(entry, std::move(account), event, std::move(detail));
  if (!saved) co_return fail(std::move(saved.error()).during(op));
  entry->refused.reset();
  if (auto told = co_await follow(entry); !told) co_return fail(std::move(told.error()).during(op));
  co_return entry->account;
}

Task<Result<acme::AccountInfo>> Accounts::ask_for(Entry* entry, acme::NewAccount wanted) {
  const auto& config = config_.cas.at(entry->account.ca);
  std::optional<Error> no_secret;
  if (config.eab) {
    if (auto key = config.eab->read_key()) {
      wanted.external = {.kid = config.eab->kid, .hmac_key = std::move(*key)};
    } else {
      no_secret = std::move(key.error());
      if (entry->account.url.empty()) co_return fail(std::move(*no_secret));
      // Many CAs take it once only, so it may be gone: an account that is there needs it no more.
      wanted.only_return_existing = true;
    }
  }
  auto info = co_await entry->acme->new_account(std::move(wanted));
  if (!info && no_secret && info.error().problem &&
      info.error().problem->is_acme("accountDoesNotExist")) {
    co_return fail(std::move(*no_secret));
  }
  co_return info;
}

Task<Result<Account>> Accounts::replace(CaName ca) {
  auto found = co_await entry(ca);
  if (!found) co_return fail(std::move(found.error()));
  auto* const entry = *found;
  if (entry->account.url.empty()) co_return co_await register_again(std::move(ca));
  const auto op = fmt::format("replace the account at [ca.{}]", ca);
  if (!has_ended(entry->account) && !entry->refused) {
    // It may have been ended elsewhere; what is still valid is not thrown away.
    acme::NewAccount existing;
    existing.only_return_existing = true;
    auto info = co_await entry->acme->new_account(std::move(existing));
    if (info && info->status == "valid") {
      co_return fail(Error::Kind::conflict, op,
                     fmt::format("{} is valid: certherd account deactivate --ca {} ends it, "
                                 "certherd account rotate-key --ca {} changes its key",
                                 entry->account.url, ca, ca));
    }
    if (!info && (info.error().kind != Error::Kind::denied || !info.error().problem)) {
      co_return fail(std::move(info.error()).during(op));
    }
  }
  auto ended = co_await end_in_vault(entry);
  if (!ended) co_return fail(std::move(ended.error()).during(op));
  auto former = std::move(entry->account);
  entries_.erase(ca);
  auto made = co_await with_new_key(ca, std::move(former));
  if (!made) co_return fail(std::move(made.error()).during(op));
  co_return co_await register_again(std::move(ca));
}

Task<Result<Account>> Accounts::update(CaName ca) {
  auto found = co_await registered(ca);
  if (!found) co_return fail(std::move(found.error()));
  auto* const entry = *found;
  const auto& config = config_.cas.at(ca);
  const auto op = fmt::format("update the account at [ca.{}]", ca);
  auto contact = config.contact;
  auto info = co_await entry->acme->update_account(std::move(contact));
  if (!info) co_return fail(with_remedy(std::move(info.error()), ca, config).during(op));
  auto account = entry->account;
  account.status = info->status;
  account.contact = info->contact;
  auto saved = co_await save(entry, std::move(account), "account.updated", {});
  if (!saved) co_return fail(std::move(saved.error()).during(op));
  if (auto told = co_await follow(entry); !told) co_return fail(std::move(told.error()).during(op));
  co_return entry->account;
}

Task<Result<Account>> Accounts::deactivate(CaName ca) {
  auto found = co_await registered(ca);
  if (!found) co_return fail(std::move(found.error()));
  auto* const entry = *found;
  const auto op = fmt::format("deactivate the account at [ca.{}]", ca);
  auto info = co_await entry->acme->deactivate_account();
  if (!info) {
    co_return fail(with_remedy(std::move(info.error()), ca, config_.cas.at(ca)).during(op));
  }
  auto account = entry->account;
  account.status = info->status;
  account.next_key.reset();
  std::map<std::string, std::string> detail = {{"account", account.url.text()}};
  auto saved = co_await save(entry, std::move(account), "account.deactivated", std::move(detail));
  if (!saved) co_return fail(std::move(saved.error()).during(op));
  if (auto told = co_await follow(entry); !told) co_return fail(std::move(told.error()).during(op));
  co_return entry->account;
}

Task<Status> Accounts::save(Entry* entry, Account account, std::string event,
                            std::map<std::string, std::string> detail) {
  detail.emplace("ca", account.ca.text());
  std::vector<Event> events = {{.at = loop_.clock().now(),
                                .domain = {},
                                .event = std::move(event),
                                .detail = std::move(detail)}};
  auto saved = co_await store_.save_account(std::move(account), std::move(events));
  if (!saved) co_return fail(std::move(saved.error()));
  entry->account = std::move(*saved);
  co_return Status{};
}

}  // namespace certherd::app

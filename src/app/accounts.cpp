#include "app/accounts.hpp"

#include "acme/http_client.hpp"
#include "app/version.hpp"
#include "base/versioned_folder.hpp"
#include "crypto/jws.hpp"
#include "http/curl_client.hpp"

namespace certherd::app {
namespace {

constexpr std::size_t trust_limit = 1U << 20U;

}  // namespace

std::string account_key_purpose(const CaName& ca) { return "account-key/" + ca.text(); }

Accounts::Accounts(const Config& config, runtime::EventLoop& loop, runtime::Offload& offload,
                   crypto::KeySource& keys, const crypto::Sealer& sealer, store::Store& store)
    : config_(config),
      loop_(loop),
      offload_(offload),
      keys_(keys),
      sealer_(sealer),
      store_(store) {}

Accounts::~Accounts() = default;

Task<Result<acme::Client*>> Accounts::client(CaName ca) {
  auto found = co_await entry(std::move(ca));
  if (!found) co_return fail(std::move(found.error()));
  co_return (*found)->acme.get();
}

Task<Result<Accounts::Entry*>> Accounts::entry(CaName ca) {
  if (auto known = entries_.find(ca); known != entries_.end()) co_return &known->second;
  const auto op = fmt::format("open the account at [ca.{}]", ca);
  const auto section = config_.cas.find(ca);
  if (section == config_.cas.end()) {
    co_return fail(Error::Kind::misconfigured, op,
                   fmt::format("there is no [ca.{}] in the config", ca));
  }
  const auto& config = section->second;

  auto http = http_client(config);
  if (!http) co_return fail(std::move(http.error()).during(op));
  auto stored = co_await store_.account(ca);
  if (!stored) co_return fail(std::move(stored.error()).during(op));
  Account account;
  std::optional<crypto::PrivateKey> key;
  if (*stored) {
    account = std::move(**stored);
    if (account.directory != config.directory) {
      co_return fail(Error::Kind::misconfigured, op,
                     fmt::format("the store holds an account of {}, the config names {}: give the "
                                 "other CA a section of its own",
                                 account.directory, config.directory));
    }
    auto pem = sealer_.open(account.sealed_key, account_key_purpose(ca));
    if (!pem) co_return fail(std::move(pem.error()).during(op));
    auto opened = crypto::PrivateKey::from_pem(*pem);
    if (!opened) co_return fail(std::move(opened.error()).during(op));
    key = std::move(*opened);
  } else {
    const auto type = config.account_key;
    auto made = co_await new_key(type);
    if (!made) co_return fail(std::move(made.error()).during(op));
    key = std::move(*made);
    account.ca = ca;
    account.directory = config.directory;
    account.key_type = type;
    account.sealed_key = sealer_.seal(key->to_pem(), account_key_purpose(ca));
    account.thumbprint = crypto::jwk_thumbprint(*key);
    account.created_at = loop_.clock().now();
    std::vector<Event> events = {
        {.at = account.created_at,
         .domain = {},
         .event = "account.key_created",
         .detail = {{"ca", ca.text()}, {"thumbprint", account.thumbprint}}}};
    auto saved = co_await store_.save_account(std::move(account), std::move(events));
    if (!saved) co_return fail(std::move(saved.error()).during(op));
    account = std::move(*saved);
  }

  Entry made;
  made.http = std::move(*http);
  acme::ClientOptions client_options{.directory_url = config.directory,
                                     .account_key = std::move(*key)};
  client_options.requests_at_once = static_cast<std::size_t>(config.requests_at_once);
  made.acme = acme::make_client(*made.http, loop_, offload_, std::move(client_options));
  if (!account.url.empty()) made.acme->use_account(account.url);
  made.account = std::move(account);
  co_return &entries_.insert_or_assign(std::move(ca), std::move(made)).first->second;
}

Task<Result<crypto::PrivateKey>> Accounts::new_key(KeyType type) {
  auto* keys = &keys_;
  auto generate = [keys, type] { return keys->generate(type); };
  co_return co_await offload_.call(std::move(generate));
}

Result<std::unique_ptr<http::Client>> Accounts::http_client(const CaConfig& config) {
  http::CurlOptions options;
  options.user_agent = user_agent();
  if (!config.trust.empty()) {
    auto trust = read_file(config.trust, trust_limit);
    if (!trust) return fail(std::move(trust.error()).during("read trust"));
    options.trust_pem = std::move(*trust);
  }
  return http::make_curl_client(loop_, std::move(options));
}

Task<Result<acme::Directory>> Accounts::directory(CaName ca) {
  const auto& config = config_.cas.at(ca);
  auto http = http_client(config);
  if (!http) co_return fail(std::move(http.error()));
  // Never used to sign anything, and never kept: asking for the directory needs no account.
  auto key = co_await new_key(KeyType::ecdsa_p256);
  if (!key) co_return fail(std::move(key.error()));
  acme::ClientOptions options{.directory_url = config.directory, .account_key = std::move(*key)};
  auto client = acme::make_client(**http, loop_, offload_, std::move(options));
  co_return co_await client->directory();
}

Task<Result<Account>> Accounts::ensure_registered(CaName ca) {
  auto found = co_await entry(ca);
  if (!found) co_return fail(std::move(found.error()));
  const auto& account = (*found)->account;
  if (!account.url.empty() && account.status == "valid") co_return account;
  co_return co_await register_again(std::move(ca));
}

Task<Result<Account>> Accounts::register_again(CaName ca) {
  auto found = co_await entry(ca);
  if (!found) co_return fail(std::move(found.error()));
  auto& [http, client, account] = **found;
  const auto& config = config_.cas.at(ca);
  const auto op = fmt::format("register the account at [ca.{}]", ca);

  if (!config.terms_of_service_agreed) {
    auto directory = co_await client->directory();
    if (!directory) co_return fail(std::move(directory.error()).during(op));
    const auto& terms = directory->terms_of_service;
    if (!terms.empty()) {
      co_return fail(Error::Kind::misconfigured, op,
                     fmt::format("the CA's terms of service have to be agreed to: read {} and set "
                                 "terms_of_service_agreed = true under [ca.{}]",
                                 terms, ca));
    }
  }
  acme::NewAccount wanted{.contact = config.contact,
                          .terms_of_service_agreed = config.terms_of_service_agreed,
                          .only_return_existing = false,
                          .external = {}};
  auto info = co_await client->new_account(std::move(wanted));
  if (!info) co_return fail(std::move(info.error()).during(op));
  account.url = info->url;
  account.status = info->status;
  account.contact = info->contact;
  std::vector<Event> events = {{.at = loop_.clock().now(),
                                .domain = {},
                                .event = info->created ? "account.registered" : "account.found",
                                .detail = {{"ca", ca.text()}, {"account", account.url.text()}}}};
  auto saved = co_await store_.save_account(account, std::move(events));
  if (!saved) co_return fail(std::move(saved.error()).during(op));
  account = std::move(*saved);
  co_return account;
}

}  // namespace certherd::app

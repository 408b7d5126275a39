#include "acme/http_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <optional>
#include <ranges>
#include <set>
#include <utility>

#include "acme/account.hpp"
#include "acme/authorization.hpp"
#include "acme/content_type.hpp"
#include "acme/directory.hpp"
#include "acme/object_reader.hpp"
#include "acme/order.hpp"
#include "acme/renewal_info.hpp"
#include "acme/session.hpp"
#include "acme/urls.hpp"
#include "base/log.hpp"
#include "crypto/encoding.hpp"
#include "crypto/jws.hpp"
#include "crypto/x509.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;

constexpr auto directory_kept = std::chrono::hours(1);
constexpr auto directory_asked_again = std::chrono::minutes(1);
constexpr std::size_t most_listed_orders = 10'000;
constexpr std::size_t most_alternates = 16;
constexpr std::string_view pem_chain = "application/pem-certificate-chain";

class HttpClient final : public Client {
 public:
  HttpClient(http::Client& http, runtime::EventLoop& loop, runtime::Offload& offload,
             ClientOptions options)
      : directory_url_(std::move(options.directory_url)),
        thumbprint_(crypto::jwk_thumbprint(options.account_key)),
        session_(http, loop, offload, std::move(options.account_key), options.request_timeout,
                 options.requests_at_once) {}

  Task<Result<Directory>> directory() override;
  Task<Result<AccountInfo>> new_account(NewAccount account) override;
  void use_account(AccountUrl url) override { session_.use_account(std::move(url)); }
  Task<Result<AccountInfo>> fetch_account() override;
  Task<Result<AccountInfo>> update_account(std::vector<std::string> contact) override;
  Task<Result<AccountInfo>> deactivate_account() override;
  Task<Status> change_key(crypto::PrivateKey next) override;
  Task<Result<Order>> new_order(NewOrder order) override;
  Task<Result<std::vector<OrderUrl>>> list_orders() override;
  Task<Result<Order>> fetch_order(OrderUrl url) override;
  Task<Result<Authorization>> fetch_authorization(AuthorizationUrl url) override;
  Task<Result<Challenge>> answer(ChallengeUrl url) override;
  Task<Result<Order>> finalize(OrderUrl order, FinalizeUrl url, std::string csr) override;
  Task<Result<Chain>> download(CertificateUrl url) override;
  Task<Result<RenewalInfo>> renewal_info(std::string ari_id) override;
  Task<Status> revoke(std::string certificate_der, std::optional<int> reason) override;
  Task<Status> revoke_by_key(std::string certificate_der, crypto::PrivateKey key,
                             std::optional<int> reason) override;
  TxtValue challenge_value(const std::string& token) const override;

 private:
  /// An answer and, where asked for, the object in it.
  struct Answer {
    http::Response response;
    json::object object;
  };

  Task<Result<Directory>> fetch_directory();
  Task<Result<Answer>> ask(Post post, std::string what);
  Task<Result<AccountInfo>> post_account(std::string payload, std::string what);
  Task<Status> post_revocation(std::string certificate_der, std::optional<int> reason,
                               std::optional<crypto::PrivateKey> key);
  Task<Result<Challenge>> post_challenge(ChallengeUrl url, std::string payload);
  Result<Order> read_order(const Answer& answer, OrderUrl url) const;

  const std::string directory_url_;
  std::string thumbprint_;
  Session session_;
  std::optional<Directory> directory_;
  Time directory_due_{};
};

/// When an answer was sent, by the clock over there.
std::optional<Time> date_of(const http::Response& response) {
  const auto date = response.header("date");
  return date ? http::parse_http_date(*date) : std::nullopt;
}

/// The absolute URL in the Location header. Errors: rejected.
Result<std::string> location(const http::Response& response, const std::string& asked) {
  const auto value = response.header("location");
  if (!value) {
    return fail(Error::Kind::rejected, "read answer", "the CA gave no Location for what it made");
  }
  return resolve_url(asked, *value);
}

Task<Result<Directory>> HttpClient::fetch_directory() {
  auto url = directory_url_;
  auto response = co_await session_.get(std::move(url));
  if (!response) co_return fail(std::move(response.error()).during("directory"));
  auto object = parse_object(*response, "directory");
  if (!object) co_return fail(std::move(object.error()));
  auto directory = parse_directory(*object);
  if (!directory) co_return fail(std::move(directory.error()));
  directory->date = date_of(*response);
  co_return directory;
}

Task<Result<Directory>> HttpClient::directory() {
  if (directory_ && session_.now() < directory_due_) co_return *directory_;
  // While one call asks again, and while the CA does not answer, the old one serves.
  directory_due_ = session_.now() + directory_asked_again;
  auto fresh = co_await fetch_directory();
  if (!fresh) {
    if (!directory_) co_return fail(std::move(fresh.error()));
    log::warning("the old directory of the CA serves on: {}", fresh.error().message());
    co_return *directory_;
  }
  directory_ = std::move(*fresh);
  directory_due_ = session_.now() + directory_kept;
  session_.use_new_nonce(directory_->new_nonce);
  co_return *directory_;
}

/// Errors: misconfigured when there is no such profile.
Status check_profile(const std::string& profile, const Directory& directory) {
  if (profile.empty() || directory.profiles.contains(profile)) return {};
  if (directory.profiles.empty()) {
    return fail(Error::Kind::misconfigured, "newOrder",
                fmt::format("the CA offers no profiles: take out profile \"{}\"", profile));
  }
  return fail(Error::Kind::misconfigured, "newOrder",
              fmt::format("the CA offers no profile \"{}\", only {}: choose one of these", profile,
                          fmt::join(directory.profiles | std::views::keys, ", ")));
}

Task<Result<HttpClient::Answer>> HttpClient::ask(Post post, std::string what) {
  // Also tells the session where nonces come from.
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during(what));
  auto response = co_await session_.post(std::move(post));
  if (!response) co_return fail(std::move(response.error()).during(what));
  auto object = parse_object(*response, what);
  if (!object) co_return fail(std::move(object.error()));
  co_return Answer{std::move(*response), std::move(*object)};
}

Task<Result<AccountInfo>> HttpClient::new_account(NewAccount account) {
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during("newAccount"));
  Post post;
  post.url = known->new_account;
  post.payload = new_account_payload(account, known->new_account, crypto::jwk(session_.key()));
  post.key = session_.key();
  auto answer = co_await ask(std::move(post), "newAccount");
  if (!answer) co_return fail(std::move(answer.error()));
  auto url = location(answer->response, known->new_account);
  if (!url) co_return fail(std::move(url.error()).during("newAccount"));
  auto info = parse_account(answer->object, AccountUrl(std::move(*url)));
  if (!info) co_return fail(std::move(info.error()));
  // RFC 8555 section 7.3.1: 200 says that the key was known, and 201 that it is new.
  info->created = answer->response.status == 201;
  session_.use_account(info->url);
  co_return std::move(*info);
}

Task<Result<AccountInfo>> HttpClient::fetch_account() { return post_account("", "account"); }

Task<Result<AccountInfo>> HttpClient::update_account(std::vector<std::string> contact) {
  return post_account(contact_payload(contact), "update account");
}

Task<Result<AccountInfo>> HttpClient::deactivate_account() {
  return post_account(R"({"status":"deactivated"})", "deactivate account");
}

Task<Result<AccountInfo>> HttpClient::post_account(std::string payload, std::string what) {
  const AccountUrl url = session_.account();
  Post post{.url = url.text(), .payload = std::move(payload)};
  auto answer = co_await ask(std::move(post), std::move(what));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return parse_account(answer->object, url);
}

// The old key signs what the new one has signed: the CA sees that we hold both.
Task<Status> HttpClient::change_key(crypto::PrivateKey next) {
  const std::string op = "keyChange";
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during(op));
  if (known->key_change.empty()) {
    co_return fail(Error::Kind::not_found, op,
                   "the CA lets no account change its key: deactivate the account and register a "
                   "new one instead");
  }
  const json::object header = {{"alg", crypto::jws_algorithm(next)},
                               {"jwk", json::parse(crypto::jwk(next))},
                               {"url", known->key_change}};
  const json::object change = {{"account", session_.account().text()},
                               {"oldKey", json::parse(crypto::jwk(session_.key()))}};
  auto inner = co_await session_.sign(next, json::serialize(header), json::serialize(change));
  if (!inner) co_return fail(std::move(inner.error()).during(op));
  Post post{.url = known->key_change, .payload = std::move(*inner)};
  auto response = co_await session_.post(std::move(post));
  if (!response) co_return fail(std::move(response.error()).during(op));

  // Whether it really signs for the account is seen before the old key is given up: Pebble 2.10
  // says yes where the new key has another account.
  const auto old = session_.key();
  session_.use_key(next);
  auto seen = co_await fetch_account();
  if (!seen) {
    session_.use_key(old);
    auto error = std::move(seen.error()).during(op);
    if (error.kind == Error::Kind::denied || error.kind == Error::Kind::rejected) {
      error.kind = Error::Kind::conflict;
      error.detail +=
          " (the CA has agreed to the new key and does not take it: does it belong to "
          "another account?)";
    }
    co_return fail(std::move(error));
  }
  thumbprint_ = crypto::jwk_thumbprint(next);
  co_return Status{};
}

Result<Order> HttpClient::read_order(const Answer& answer, OrderUrl url) const {
  auto order = parse_order(answer.object, std::move(url));
  if (order) {
    order->retry_at = http::retry_after(answer.response, session_.now());
    order->date = date_of(answer.response);
  }
  return order;
}

Task<Result<Order>> HttpClient::new_order(NewOrder wanted) {
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during("newOrder"));
  if (auto offered = check_profile(wanted.profile, *known); !offered) {
    co_return fail(std::move(offered.error()));
  }
  if (known->renewal_info.empty()) wanted.replaces.clear();
  Post post;
  post.url = known->new_order;
  post.payload = new_order_payload(wanted);
  auto answer = co_await ask(std::move(post), "newOrder");
  if (!answer) co_return fail(std::move(answer.error()));
  auto url = location(answer->response, known->new_order);
  if (!url) co_return fail(std::move(url.error()).during("newOrder"));
  auto order = read_order(*answer, OrderUrl(std::move(*url)));
  if (order && !is_for(*order, wanted.names)) {
    co_return fail(
        Error::Kind::rejected, "newOrder",
        fmt::format("the CA made an order for {} instead", fmt::join(order->identifiers, ", ")));
  }
  co_return order;
}

Task<Result<std::vector<OrderUrl>>> HttpClient::list_orders() {
  auto account = co_await fetch_account();
  if (!account) co_return fail(std::move(account.error()).during("list orders"));
  std::vector<OrderUrl> orders;
  std::set<std::string> seen;
  std::string page = account->orders;
  while (!page.empty()) {
    if (!seen.insert(page).second) {
      co_return fail(Error::Kind::rejected, "list orders",
                     fmt::format("the CA's list comes back to its page {}", page));
    }
    Post post{.url = page};
    auto answer = co_await ask(std::move(post), "list orders");
    if (!answer) co_return fail(std::move(answer.error()));
    auto listed = parse_orders_page(answer->object);
    if (!listed) co_return fail(std::move(listed.error()).during("list orders"));
    orders.insert(orders.end(), listed->begin(), listed->end());

    const auto next = links(answer->response, "next");
    if (next.empty()) break;
    if (orders.size() >= most_listed_orders || seen.size() >= most_listed_orders) {
      log::warning("the CA lists more than {} orders of this account: the rest is left unread",
                   most_listed_orders);
      break;
    }
    auto resolved = resolve_url(page, next.front());
    if (!resolved) co_return fail(std::move(resolved.error()).during("list orders"));
    page = std::move(*resolved);
  }
  if (orders.size() > most_listed_orders) orders.resize(most_listed_orders);
  co_return orders;
}

Task<Result<Order>> HttpClient::fetch_order(OrderUrl url) {
  Post post{.url = url.text()};
  auto answer = co_await ask(std::move(post), "order");
  if (!answer) co_return fail(std::move(answer.error()));
  co_return read_order(*answer, url);
}

Task<Result<Authorization>> HttpClient::fetch_authorization(AuthorizationUrl url) {
  Post post{.url = url.text()};
  auto answer = co_await ask(std::move(post), "authorization");
  if (!answer) co_return fail(std::move(answer.error()));
  auto authorization = parse_authorization(answer->object, url);
  if (authorization) {
    authorization->retry_at = http::retry_after(answer->response, session_.now());
  }
  co_return authorization;
}

Task<Result<Challenge>> HttpClient::post_challenge(ChallengeUrl url, std::string payload) {
  Post post{.url = url.text(), .payload = std::move(payload)};
  auto answer = co_await ask(std::move(post), "challenge");
  if (!answer) co_return fail(std::move(answer.error()));
  co_return parse_challenge(answer->object);
}

Task<Result<Challenge>> HttpClient::answer(ChallengeUrl url) {
  auto told = co_await post_challenge(url, "{}");
  if (told || !told.error().problem || !told.error().problem->is_acme("malformed")) co_return told;
  // Some servers call it malformed to be told twice (Pebble does). Whether that is what happened
  // shows in the challenge: it is pending no more.
  auto seen = co_await post_challenge(url, "");
  if (seen && seen->status != "pending") co_return seen;
  co_return told;
}

Task<Result<Order>> HttpClient::finalize(OrderUrl order, FinalizeUrl url, std::string csr) {
  Post post{.url = url.text(), .payload = json::serialize(json::object{{"csr", csr}})};
  auto answer = co_await ask(std::move(post), "finalize");
  if (!answer) co_return fail(std::move(answer.error()));
  co_return read_order(*answer, order);
}

Task<Result<Chain>> HttpClient::download(CertificateUrl url) {
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during("download"));
  Post post{.url = url.text(), .accept = std::string(pem_chain)};
  auto response = co_await session_.post(std::move(post));
  if (!response) co_return fail(std::move(response.error()).during("download"));
  if (const auto type = content_type(*response); type != pem_chain) {
    const auto kind = type == "text/html" ? Error::Kind::transient : Error::Kind::rejected;
    co_return fail(kind, "download",
                   fmt::format("the server answered {} with {} instead of a certificate chain",
                               response->status, type.empty() ? "no content type" : type));
  }
  auto certificates = crypto::read_chain(response->body);
  if (!certificates) co_return fail(std::move(certificates.error()).during("download"));

  Chain chain;
  for (const auto& link : links(*response, "alternate")) {
    if (chain.alternates.size() == most_alternates) break;
    auto alternate = resolve_url(url.text(), link);
    if (!alternate) co_return fail(std::move(alternate.error()).during("download"));
    chain.alternates.emplace_back(std::move(*alternate));
  }
  chain.pem = std::move(response->body);
  co_return chain;
}

Task<Result<RenewalInfo>> HttpClient::renewal_info(std::string ari_id) {
  const std::string op = "renewalInfo";
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during(op));
  if (known->renewal_info.empty()) {
    co_return fail(Error::Kind::not_found, op, "the CA has no renewal information");
  }
  auto url = renewal_info_url(known->renewal_info, ari_id);
  auto response = co_await session_.get(std::move(url));
  if (!response) co_return fail(std::move(response.error()).during(op));
  auto object = parse_object(*response, op);
  if (!object) co_return fail(std::move(object.error()));
  auto window = parse_renewal_info(*object);
  if (!window) co_return fail(std::move(window.error()));
  co_return RenewalInfo{.window = std::move(*window),
                        .retry_at = http::retry_after(*response, session_.now())};
}

Task<Status> HttpClient::revoke(std::string certificate_der, std::optional<int> reason) {
  return post_revocation(std::move(certificate_der), reason, std::nullopt);
}

Task<Status> HttpClient::revoke_by_key(std::string certificate_der, crypto::PrivateKey key,
                                       std::optional<int> reason) {
  return post_revocation(std::move(certificate_der), reason, std::move(key));
}

// RFC 8555 section 7.6.
Task<Status> HttpClient::post_revocation(std::string certificate_der, std::optional<int> reason,
                                         std::optional<crypto::PrivateKey> key) {
  auto known = co_await directory();
  if (!known) co_return fail(std::move(known.error()).during("revokeCert"));
  if (known->revoke_cert.empty()) {
    co_return fail(Error::Kind::not_found, "revokeCert",
                   "the CA revokes nothing by ACME: ask it by its own ways");
  }
  json::object payload = {{"certificate", crypto::base64url(certificate_der)}};
  if (reason) payload["reason"] = *reason;
  Post post{.url = known->revoke_cert, .payload = json::serialize(payload)};
  post.key = std::move(key);
  auto response = co_await session_.post(std::move(post));
  if (!response) co_return fail(std::move(response.error()).during("revokeCert"));
  co_return Status{};
}

TxtValue HttpClient::challenge_value(const std::string& token) const {
  return TxtValue(crypto::base64url(crypto::sha256(token + "." + thumbprint_)));
}

}  // namespace

std::unique_ptr<Client> make_client(http::Client& http, runtime::EventLoop& loop,
                                    runtime::Offload& offload, ClientOptions options) {
  return std::make_unique<HttpClient>(http, loop, offload, std::move(options));
}

}  // namespace certherd::acme

#include "fakes/fake_ca.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"

namespace certherd::fakes {
namespace {

using namespace std::chrono_literals;

Error error_of(Error::Kind kind, std::string op, std::string detail) {
  Error error;
  error.kind = kind;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return error;
}

std::string url(std::string_view kind, std::uint64_t number) {
  return fmt::format("https://ca.test/{}/{}", kind, number);
}

}  // namespace

FakeCa::FakeCa(runtime::Clock& clock, runtime::Random& random, Lookup lookup)
    : clock_(clock), random_(random), lookup_(std::move(lookup)), ca_("fake root", clock.now()) {}

Task<std::optional<Error>> FakeCa::exchange(std::string op) {
  ++calls_;
  const auto delay = std::chrono::milliseconds(random_.uniform(20, 200));
  co_await clock_.sleep_for(delay);
  if (random_.uniform(1, 100) <= static_cast<std::uint64_t>(faults_before_)) {
    co_return error_of(Error::Kind::transient, std::move(op), "the connection broke off");
  }
  co_return std::nullopt;
}

std::optional<Error> FakeCa::lost_reply(std::string op) {
  if (random_.uniform(1, 100) > static_cast<std::uint64_t>(faults_after_)) return std::nullopt;
  return error_of(Error::Kind::transient, std::move(op), "the reply was lost");
}

Error FakeCa::unknown(std::string op) const {
  return error_of(Error::Kind::not_found, std::move(op), "the CA knows no such thing");
}

Task<Result<acme::Directory>> FakeCa::directory() { co_return acme::Directory{}; }

Task<Result<acme::AccountInfo>> FakeCa::new_account(acme::NewAccount) { return fetch_account(); }

Task<Result<acme::AccountInfo>> FakeCa::fetch_account() {
  acme::AccountInfo info;
  info.url = AccountUrl("https://ca.test/account/1");
  info.status = "valid";
  co_return info;
}

Task<Result<acme::Order>> FakeCa::new_order(std::vector<Fqdn> names) {
  if (auto fault = co_await exchange("newOrder")) co_return fail(std::move(*fault));
  const auto number = next_++;
  Order order;
  order.shown.url = OrderUrl(url("order", number));
  order.shown.finalize = FinalizeUrl(url("finalize", number));
  for (const auto& name : names) {
    order.shown.identifiers.push_back(name.text());
    const auto own = next_++;
    Authorization authorization;
    authorization.shown.url = AuthorizationUrl(url("authz", own));
    authorization.shown.identifier = name.without_wildcard();
    authorization.shown.wildcard = name.is_wildcard();
    acme::Challenge challenge;
    challenge.type = offers_dns_01_ ? "dns-01" : "http-01";
    challenge.url = ChallengeUrl(url("challenge", own));
    challenge.token = fmt::format("token-{}", own);
    challenge.status = "pending";
    authorization.shown.challenges.push_back(std::move(challenge));
    order.shown.authorizations.push_back(authorization.shown.url);
    authorizations_.emplace(authorization.shown.url.text(), std::move(authorization));
  }
  std::ranges::sort(order.shown.identifiers);
  auto shown = order.shown;
  orders_.emplace(order.shown.url.text(), std::move(order));
  if (auto fault = lost_reply("newOrder")) co_return fail(std::move(*fault));
  co_return shown;
}

Task<Result<std::vector<OrderUrl>>> FakeCa::list_orders() {
  if (auto fault = co_await exchange("orders")) co_return fail(std::move(*fault));
  std::vector<OrderUrl> urls;
  if (keeps_list_) {
    for (const auto& [text, order] : orders_) urls.emplace_back(text);
  }
  co_return urls;
}

void FakeCa::fail_validations() {
  for (auto& [url, authorization] : authorizations_) {
    const bool over = !authorization.valid_from || *authorization.valid_from <= clock_.now();
    if (!over) authorization.succeeds = false;
  }
}

void FakeCa::settle(Order& order) {
  auto& shown = order.shown;
  if (order.issued_from) {
    const bool there = clock_.now() >= *order.issued_from;
    shown.status = there ? acme::OrderStatus::valid : acme::OrderStatus::processing;
    if (there) shown.certificate = CertificateUrl(shown.url.text() + "/certificate");
    return;
  }
  bool all_valid = true;
  for (const auto& authorization_url : shown.authorizations) {
    auto& authorization = authorizations_.at(authorization_url.text());
    auto& status = authorization.shown.status;
    if (authorization.valid_from && clock_.now() >= *authorization.valid_from &&
        status == acme::AuthorizationStatus::pending) {
      status = authorization.succeeds ? acme::AuthorizationStatus::valid
                                      : acme::AuthorizationStatus::invalid;
      if (!authorization.succeeds) {
        authorization.shown.challenges.front().error =
            error_of(Error::Kind::rejected, "dns-01", "no such TXT value was found");
      }
    }
    all_valid = all_valid && status == acme::AuthorizationStatus::valid;
    if (status == acme::AuthorizationStatus::invalid) shown.status = acme::OrderStatus::invalid;
  }
  if (shown.status == acme::OrderStatus::pending && all_valid) {
    shown.status = acme::OrderStatus::ready;
  }
}

Task<Result<acme::Order>> FakeCa::fetch_order(OrderUrl order_url) {
  if (auto fault = co_await exchange("order")) co_return fail(std::move(*fault));
  auto found = orders_.find(order_url.text());
  if (found == orders_.end()) co_return fail(unknown("order"));
  settle(found->second);
  co_return found->second.shown;
}

Task<Result<acme::Authorization>> FakeCa::fetch_authorization(AuthorizationUrl authorization_url) {
  if (auto fault = co_await exchange("authorization")) co_return fail(std::move(*fault));
  auto found = authorizations_.find(authorization_url.text());
  if (found == authorizations_.end()) co_return fail(unknown("authorization"));
  co_return found->second.shown;
}

Task<Result<acme::Challenge>> FakeCa::answer(ChallengeUrl challenge_url) {
  if (auto fault = co_await exchange("challenge")) co_return fail(std::move(*fault));
  for (auto& [text, authorization] : authorizations_) {
    auto& challenge = authorization.shown.challenges.front();
    if (challenge.url != challenge_url) continue;
    if (!authorization.valid_from) {
      const auto& identifier = authorization.shown.identifier;
      authorization.valid_from =
          clock_.now() + std::chrono::milliseconds(random_.uniform(200, 5'000));
      authorization.succeeds =
          !refused_.contains(identifier) &&
          lookup_(identifier.challenge_name(), challenge_value(challenge.token));
    }
    auto shown = challenge;
    if (auto fault = lost_reply("challenge")) co_return fail(std::move(*fault));
    co_return shown;
  }
  co_return fail(unknown("challenge"));
}

Task<Result<acme::Order>> FakeCa::finalize(OrderUrl order_url, FinalizeUrl, std::string csr) {
  if (auto fault = co_await exchange("finalize")) co_return fail(std::move(*fault));
  auto found = orders_.find(order_url.text());
  if (found == orders_.end()) co_return fail(unknown("finalize"));
  auto& order = found->second;
  settle(order);
  if (order.shown.status != acme::OrderStatus::ready) {
    co_return fail(error_of(Error::Kind::conflict, "finalize", "the order is not ready"));
  }
  auto der = crypto::from_base64url(csr);
  auto request = der ? crypto::read_csr(*der) : Result<crypto::CsrInfo>(fail(der.error()));
  if (!request) co_return fail(std::move(request.error()));
  if (request->names != order.shown.identifiers) {
    co_return fail(error_of(Error::Kind::rejected, "finalize", "the CSR has other names"));
  }
  order.issued_from = clock_.now() + std::chrono::milliseconds(random_.uniform(0, 3'000));
  const auto serial = 0x1000 + issued_for_.size();
  order.chain = ca_.issue(request->public_key, request->names, serial, clock_.now() - 1h,
                          clock_.now() + std::chrono::days(90));
  issued_for_.push_back(request->names);
  settle(order);
  if (auto fault = lost_reply("finalize")) co_return fail(std::move(*fault));
  co_return order.shown;
}

Task<Result<acme::Chain>> FakeCa::download(CertificateUrl certificate_url) {
  if (auto fault = co_await exchange("certificate")) co_return fail(std::move(*fault));
  for (const auto& [text, order] : orders_) {
    if (order.shown.certificate != certificate_url) continue;
    acme::Chain chain;
    chain.pem = order.chain;
    co_return chain;
  }
  co_return fail(unknown("certificate"));
}

TxtValue FakeCa::challenge_value(const std::string& token) const {
  return TxtValue(crypto::base64url(crypto::sha256(token)));
}

int FakeCa::issued_for(const std::vector<std::string>& names) const {
  return static_cast<int>(std::ranges::count(issued_for_, names));
}

}  // namespace certherd::fakes

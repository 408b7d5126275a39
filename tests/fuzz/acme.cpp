#include <algorithm>
#include <boost/json.hpp>

#include "acme/account.hpp"
#include "acme/authorization.hpp"
#include "acme/directory.hpp"
#include "acme/http_client.hpp"
#include "acme/object_reader.hpp"
#include "acme/order.hpp"
#include "acme/problem.hpp"
#include "acme/renewal_info.hpp"
#include "acme/token.hpp"
#include "acme/urls.hpp"
#include "crypto/x509.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::fuzz {
namespace {

namespace json = boost::json;

// As src/acme/problem.cpp has it.
constexpr auto longest_wait = std::chrono::days(7);

template <typename Url>
void expect_url(const Url& url) {
  expect(acme::check_url(url).has_value(), "a URL that was taken is one");
}

void expect_same(const std::optional<Error>& one, const std::optional<Error>& other) {
  expect(one.has_value() == other.has_value(), "an error is read the same again");
}

void directory(const json::object& object) {
  const auto read = acme::parse_directory(object);
  if (!is_good(read)) return;
  for (const auto& url : {read->new_nonce, read->new_account, read->new_order}) expect_url(url);
  for (const auto& url : {read->revoke_cert, read->key_change, read->renewal_info}) {
    if (!url.empty()) expect_url(url);
  }
  expect(read->caa_identities.size() <= 100 && read->profiles.size() <= 100,
         "the lists of a directory are limited");
}

constexpr std::array order_statuses = {"pending", "ready", "processing", "valid", "invalid"};

void order(const json::object& object) {
  const OrderUrl url("https://ca.example/order/1");
  const auto read = acme::parse_order(object, url);
  if (!is_good(read)) return;
  expect(std::ranges::is_sorted(read->identifiers), "identifiers are sorted");
  expect(read->identifiers.size() <= 100 && read->authorizations.size() <= 100,
         "the lists of an order are limited");
  expect_url(read->finalize.text());
  for (const auto& authorization : read->authorizations) expect_url(authorization.text());
  if (!read->certificate.empty()) expect_url(read->certificate.text());
  if (read->error) expect_told(*read->error);
  std::vector<Fqdn> names;
  for (const auto& identifier : read->identifiers) {
    auto name = Fqdn::parse(identifier);
    if (name && name->text() == identifier) names.push_back(std::move(*name));
  }
  if (names.size() == read->identifiers.size() && !names.empty()) {
    expect(acme::is_for(*read, names), "an order is for the names in it");
  }

  json::object written = {{"status", order_statuses.at(static_cast<std::size_t>(read->status))},
                          {"finalize", read->finalize.text()}};
  json::array identifiers;
  for (const auto& name : names) {
    identifiers.push_back(json::object{{"type", "dns"}, {"value", name.text()}});
  }
  written["identifiers"] = std::move(identifiers);
  json::array authorizations;
  for (const auto& each : read->authorizations) authorizations.emplace_back(each.text());
  written["authorizations"] = std::move(authorizations);
  if (!read->certificate.empty()) written["certificate"] = read->certificate.text();
  if (!read->profile.empty()) written["profile"] = read->profile;
  if (read->error) written["error"] = object.at("error");
  if (read->expires) written["expires"] = format_time(*read->expires);
  const auto again = acme::parse_order(written, url);
  if (names.size() != read->identifiers.size() || names.empty()) return;
  expect(again.has_value(), "an order is read again");
  expect(again->status == read->status && again->identifiers == read->identifiers &&
             again->authorizations == read->authorizations && again->finalize == read->finalize &&
             again->certificate == read->certificate && again->profile == read->profile,
         "an order is read the same again");
  expect_same(again->error, read->error);
}

void challenge(const json::object& object) {
  const auto read = acme::parse_challenge(object);
  if (!is_good(read)) return;
  if (read->type == "dns-01") {
    expect(acme::is_token(read->token), "a token is one");
    expect_url(read->url.text());
  }
  if (read->error) expect_told(*read->error);
}

void authorization(const json::object& object) {
  const auto read =
      acme::parse_authorization(object, AuthorizationUrl("https://ca.example/authz/1"));
  if (!is_good(read)) return;
  const auto name = Fqdn::parse(read->identifier.text());
  expect(name && *name == read->identifier, "the name of an authorization is in its stored form");
  expect(!read->identifier.is_wildcard(), "the name of an authorization is without its wildcard");
  expect(read->challenges.size() <= 100, "challenges are limited");
}

void account(const json::object& object) {
  const auto read = acme::parse_account(object, AccountUrl("https://ca.example/account/1"));
  if (!is_good(read)) return;
  expect(read->contact.size() <= 100, "contacts are limited");
  if (!read->orders.empty()) expect_url(read->orders);
  const auto payload = json::parse(acme::contact_payload(read->contact)).as_object();
  expect(payload.at("contact").as_array().size() == read->contact.size(),
         "contacts can be sent back");
}

void orders(const json::object& object) {
  const auto read = acme::parse_orders_page(object);
  if (!is_good(read)) return;
  expect(read->size() <= 10'000, "a page of orders is limited");
  for (const auto& url : *read) expect_url(url.text());
}

void renewal_info(const json::object& object) {
  const auto read = acme::parse_renewal_info(object);
  if (!is_good(read)) return;
  expect(read->start < read->end, "a window ends after it begins");
  const json::object written = {{"explanationURL", read->explanation_url},
                                {"suggestedWindow",
                                 {{"start", format_time(read->start)},
                                  {"end", format_time(read->end + std::chrono::seconds(1))}}}};
  expect(acme::parse_renewal_info(written).has_value(), "a window is read again");
}

const crypto::PrivateKey& account_key() {
  static const auto key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  return key;
}

/// What a client does in the course of a certificate, each whatever became of the one before.
Task<void> issue(acme::Client* client) {
  acme::NewAccount wanted;
  wanted.contact = {"mailto:ops@example.org"};
  wanted.terms_of_service_agreed = true;
  if (!is_good(co_await client->new_account(std::move(wanted)))) {
    client->use_account(AccountUrl("https://ca.example/account/1"));
  }
  acme::NewOrder order{.names = {Fqdn::literal("example.org")}, .profile = {}, .replaces = "a.b"};
  const auto ordered = co_await client->new_order(std::move(order));
  if (is_good(ordered)) expect_url(ordered->url.text());
  AuthorizationUrl authorization("https://ca.example/authz/1");
  is_good(co_await client->fetch_authorization(std::move(authorization)));
  ChallengeUrl challenge("https://ca.example/chall/1");
  is_good(co_await client->answer(std::move(challenge)));
  OrderUrl url("https://ca.example/order/1");
  FinalizeUrl finalize("https://ca.example/finalize/1");
  is_good(co_await client->finalize(std::move(url), std::move(finalize), "csr"));
  CertificateUrl certificate("https://ca.example/cert/1");
  const auto chain = co_await client->download(std::move(certificate));
  if (is_good(chain)) {
    is_good(crypto::read_chain(chain->pem));
    for (const auto& alternate : chain->alternates) expect_url(alternate.text());
  }
  const auto info = co_await client->renewal_info("a.b");
  if (is_good(info) && info->retry_at) expect(*info->retry_at >= now, "a wait ends later");
  const auto listed = co_await client->list_orders();
  if (is_good(listed)) expect(listed->size() <= 10'000, "a list of orders is limited");
  is_good(co_await client->change_key(account_key()));
  is_good(co_await client->revoke("certificate", 1));
}

}  // namespace

/// Any object of RFC 8555 and RFC 9773.
void acme_resource(std::string_view input) {
  const http::Response response{
      .status = 200, .headers = {{"content-type", "application/json"}}, .body = std::string(input)};
  const auto object = acme::parse_object(response, "answer");
  if (!is_good(object)) return;
  directory(*object);
  order(*object);
  challenge(*object);
  authorization(*object);
  account(*object);
  orders(*object);
  renewal_info(*object);
  expect_told(acme::validation_error("validate", *object));
}

/// An answer that is no success.
void acme_problem(std::string_view input) {
  const auto response = response_of(input);
  const auto error = acme::to_error("POST https://ca.example/new-order", response, now);
  expect_told(error);
  if (error.problem) expect(error.problem->status == response.status, "the status is the answer's");
  if (error.retry_at) {
    expect(*error.retry_at >= now && *error.retry_at <= now + longest_wait,
           "no CA makes us wait for longer than a week");
  }
}

/// A CA that answers each request with the next part.
void acme_exchange(std::string_view input) {
  const auto loop = runtime::make_virtual_loop(now);
  const auto offload = runtime::make_inline_offload();
  CannedHttp http(input);
  const auto client =
      acme::make_client(http, *loop, *offload, {"https://ca.example/dir", account_key()});
  loop->run(issue(client.get()));
}

}  // namespace certherd::fuzz

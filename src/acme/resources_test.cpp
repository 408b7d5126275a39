#include <gtest/gtest.h>

#include "acme/account.hpp"
#include "acme/authorization.hpp"
#include "acme/directory.hpp"
#include "acme/object_reader.hpp"
#include "acme/order.hpp"
#include "acme/scripted_http_test_support.hpp"

namespace certherd::acme {
namespace {

constexpr std::string_view directory_text = R"({
  "newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/account",
  "newOrder": "https://ca.example/order", "keyChange": "https://ca.example/rollover",
  "renewalInfo": "https://ca.example/ari", "w3k7Zq": "a key that must be ignored",
  "meta": {"termsOfService": "https://ca.example/terms", "website": "https://ca.example",
           "caaIdentities": ["ca.example"], "externalAccountRequired": true,
           "profiles": {"classic": "https://ca.example/classic", "odd": 7}}})";

constexpr std::string_view order_text = R"({
  "status": "valid", "expires": "2026-11-30T12:00:00Z",
  "identifiers": [{"type": "dns", "value": "B.example"}, {"type": "dns", "value": "*.a.example"}],
  "authorizations": ["https://ca.example/authz/2", "https://ca.example/authz/1"],
  "finalize": "https://ca.example/finalize/1", "certificate": "https://ca.example/cert/1",
  "profile": "default"})";

constexpr std::string_view authorization_text = R"({
  "status": "pending", "identifier": {"type": "dns", "value": "a.example"}, "wildcard": true,
  "challenges": [
    {"type": "dns-account-01", "status": "pending", "url": "https://ca.example/chal/0"},
    {"type": "dns-01", "status": "pending", "url": "https://ca.example/chal/1",
     "token": "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"}]})";

boost::json::object with(std::string_view text, std::string_view name, std::string_view value) {
  auto result = object(text);
  result[name] = boost::json::parse(value);
  return result;
}

boost::json::object without(std::string_view text, std::string_view name) {
  auto result = object(text);
  result.erase(name);
  return result;
}

TEST(Directory, ReadsWhatTheCaOffersAndIgnoresTheRest) {
  const auto directory = parse_directory(object(directory_text));
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->new_nonce, "https://ca.example/nonce");
  EXPECT_EQ(directory->new_account, "https://ca.example/account");
  EXPECT_EQ(directory->new_order, "https://ca.example/order");
  EXPECT_EQ(directory->revoke_cert, "");
  EXPECT_EQ(directory->key_change, "https://ca.example/rollover");
  EXPECT_EQ(directory->renewal_info, "https://ca.example/ari");
  EXPECT_EQ(directory->terms_of_service, "https://ca.example/terms");
  EXPECT_EQ(directory->website, "https://ca.example");
  EXPECT_EQ(directory->caa_identities, std::vector<std::string>{"ca.example"});
  EXPECT_TRUE(directory->external_account_required);
  EXPECT_EQ(directory->profiles, (std::map<std::string, std::string>{
                                     {"classic", "https://ca.example/classic"}, {"odd", ""}}));
}

TEST(Directory, NeedsItsThreeUrlsAndNoMeta) {
  EXPECT_TRUE(parse_directory(without(directory_text, "meta")));
  for (const auto* name : {"newNonce", "newAccount", "newOrder"}) {
    const auto directory = parse_directory(without(directory_text, name));
    ASSERT_FALSE(directory) << name;
    EXPECT_EQ(directory.error().kind, Error::Kind::rejected);
    EXPECT_EQ(directory.error().detail, fmt::format("the CA's directory has no \"{}\"", name));
  }
}

TEST(Directory, RefusesPlainHttp) {
  const auto directory =
      parse_directory(with(directory_text, "newOrder", R"("http://ca.example/order")"));
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().detail.find("not HTTPS"), std::string::npos);
}

TEST(Account, ReadsItsMembersOfWhichOnlyTheStatusIsNeeded) {
  const auto account = parse_account(object(R"({"status": "valid", "contact": ["mailto:a@example"],
                 "orders": "https://ca.example/orders/1", "key": {}})"),
                                     AccountUrl("https://ca.example/account/1"));
  ASSERT_TRUE(account);
  EXPECT_EQ(account->url.text(), "https://ca.example/account/1");
  EXPECT_EQ(account->contact, std::vector<std::string>{"mailto:a@example"});
  EXPECT_EQ(account->orders, "https://ca.example/orders/1");
  EXPECT_TRUE(parse_account(object(R"({"status": "valid", "contact": null})"), AccountUrl()));
  EXPECT_FALSE(parse_account(object(R"({"contact": []})"), AccountUrl()));
  EXPECT_FALSE(parse_account(object(R"({"status": "valid", "contact": [1]})"), AccountUrl()));
}

TEST(Account, AsksOnlyForWhatWasSet) {
  EXPECT_EQ(new_account_payload({}, "https://ca.example/account", "{}"), "{}");
  const NewAccount account{{"mailto:a@example"}, true, true, {}};
  EXPECT_EQ(new_account_payload(account, "https://ca.example/account", "{}"),
            R"({"contact":["mailto:a@example"],"termsOfServiceAgreed":true,)"
            R"("onlyReturnExisting":true})");
}

TEST(Order, ReadsItsMembersWithItsNamesSortedInLowerCase) {
  const auto order = parse_order(object(order_text), OrderUrl("https://ca.example/order/1"));
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(order->url.text(), "https://ca.example/order/1");
  EXPECT_EQ(order->status, OrderStatus::valid);
  EXPECT_EQ(order->profile, "default");
  EXPECT_EQ(order->identifiers, (std::vector<std::string>{"*.a.example", "b.example"}));
  EXPECT_EQ(order->authorizations.size(), 2U);
  EXPECT_EQ(order->finalize.text(), "https://ca.example/finalize/1");
  EXPECT_EQ(order->certificate.text(), "https://ca.example/cert/1");
  EXPECT_EQ(order->expires, parse_time("2026-11-30T12:00:00Z"));
  EXPECT_FALSE(order->error);
}

TEST(Order, KnowsEveryStatusOfTheRfcAndNoOther) {
  const auto status_of = [](std::string_view text) {
    return parse_order(with(order_text, "status", text), OrderUrl());
  };
  EXPECT_EQ(status_of(R"("pending")")->status, OrderStatus::pending);
  EXPECT_EQ(status_of(R"("ready")")->status, OrderStatus::ready);
  EXPECT_EQ(status_of(R"("processing")")->status, OrderStatus::processing);
  EXPECT_EQ(status_of(R"("invalid")")->status, OrderStatus::invalid);
  EXPECT_FALSE(status_of(R"("asleep")"));
  EXPECT_FALSE(status_of("7"));
}

TEST(Order, SaysWhatIsMissing) {
  for (const auto* name : {"status", "identifiers", "authorizations", "finalize"}) {
    const auto order = parse_order(without(order_text, name), OrderUrl());
    ASSERT_FALSE(order) << name;
    EXPECT_EQ(order.error().kind, Error::Kind::rejected);
    EXPECT_NE(order.error().detail.find(fmt::format("has no \"{}\"", name)), std::string::npos);
  }
  EXPECT_NE(parse_order(without(order_text, "certificate"), OrderUrl())
                .error()
                .detail.find("is valid but has no \"certificate\""),
            std::string::npos);
}

TEST(Order, RefusesMembersOfAWrongKind) {
  const std::vector<std::pair<std::string_view, std::string_view>> bad = {
      {"identifiers", "{}"},
      {"identifiers", "[]"},
      {"identifiers", "[1]"},
      {"identifiers", R"([{"type": "dns"}])"},
      {"identifiers", R"([{"type": "dns", "value": "a..b"}])"},
      {"authorizations", "7"},
      {"authorizations", "[7]"},
      {"authorizations", R"(["http://ca.example/1"])"},
      {"finalize", R"("ftp://ca.example/1")"},
      {"certificate", "[]"},
      {"expires", R"("tomorrow")"},
      {"error", R"("because")"}};
  for (const auto& [name, value] : bad) {
    EXPECT_FALSE(parse_order(with(order_text, name, value), OrderUrl())) << name << value;
  }
}

TEST(Order, RefusesMoreThanAHundredNamesOrAuthorizations) {
  const boost::json::object name = {{"type", "dns"}, {"value", "a.example"}};
  auto order = object(order_text);
  order["identifiers"] = boost::json::array(100, name);
  order["authorizations"] = boost::json::array(100, "https://ca.example/authz/1");
  EXPECT_TRUE(parse_order(order, OrderUrl()));
  order["identifiers"] = boost::json::array(101, name);
  EXPECT_FALSE(parse_order(order, OrderUrl()));
  order["identifiers"] = boost::json::array(100, name);
  order["authorizations"] = boost::json::array(101, "https://ca.example/authz/1");
  EXPECT_FALSE(parse_order(order, OrderUrl()));
}

TEST(Order, NeverTakesAnAddressForAName) {
  const auto order = parse_order(
      with(order_text, "identifiers", R"([{"type": "ip", "value": "192.0.2.1"}])"), OrderUrl());
  ASSERT_TRUE(order);
  EXPECT_EQ(order->identifiers, std::vector<std::string>{"ip:192.0.2.1"});
}

TEST(Order, TellsWhyItIsInvalidPerName) {
  auto text = object(order_text);
  text["status"] = "invalid";
  text["error"] = object(R"({
    "type": "urn:ietf:params:acme:error:compound", "detail": "two names failed", "status": 403,
    "subproblems": [{"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN",
                     "identifier": {"type": "dns", "value": "b.example"}}]})");
  const auto order = parse_order(text, OrderUrl());
  ASSERT_TRUE(order && order->error);
  EXPECT_EQ(order->error->kind, Error::Kind::rejected);
  EXPECT_NE(order->error->message().find("b.example: NXDOMAIN"), std::string::npos);
}

TEST(Order, AsksForNamesInTheGivenOrderAndKnowsThemAgain) {
  const std::vector<Fqdn> names = {Fqdn::literal("b.example"), Fqdn::literal("*.a.example")};
  EXPECT_EQ(new_order_payload({names, "", ""}),
            R"({"identifiers":[{"type":"dns","value":"b.example"},)"
            R"({"type":"dns","value":"*.a.example"}]})");
  const auto order = parse_order(object(order_text), OrderUrl());
  EXPECT_TRUE(is_for(*order, names));
  EXPECT_FALSE(is_for(*order, {names.front()}));
}

TEST(Authorization, OfAWildcardHoldsTheNameBelowItAndADns01Challenge) {
  const auto authorization =
      parse_authorization(object(authorization_text), AuthorizationUrl("https://ca.example/a/1"));
  ASSERT_TRUE(authorization) << authorization.error().message();
  EXPECT_EQ(authorization->identifier.text(), "a.example");
  EXPECT_TRUE(authorization->wildcard);
  EXPECT_EQ(authorization->challenges.size(), 2U);
  ASSERT_NE(authorization->dns_01(), nullptr);
  EXPECT_EQ(authorization->dns_01()->url.text(), "https://ca.example/chal/1");
  EXPECT_EQ(authorization->dns_01()->token, "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA");
}

TEST(Authorization, MeansTheSameWithTheStarLeftIn) {
  auto text = with(authorization_text, "identifier", R"({"type": "dns", "value": "*.a.example"})");
  text.erase("wildcard");
  const auto authorization = parse_authorization(text, AuthorizationUrl());
  ASSERT_TRUE(authorization);
  EXPECT_EQ(authorization->identifier.text(), "a.example");
  EXPECT_TRUE(authorization->wildcard);
}

TEST(Authorization, MayOfferNoDns01) {
  const auto authorization = parse_authorization(
      with(authorization_text, "challenges", R"([{"type": "tls-alpn-01", "status": "pending"}])"),
      AuthorizationUrl());
  ASSERT_TRUE(authorization);
  EXPECT_EQ(authorization->dns_01(), nullptr);
}

TEST(Authorization, RefusesWhatItCannotMean) {
  const std::vector<std::pair<std::string_view, std::string_view>> bad = {
      {"status", R"("odd")"},
      {"identifier", R"({"type": "ip", "value": "192.0.2.1"})"},
      {"identifier", R"({"type": "dns"})"},
      {"identifier", "null"},
      {"wildcard", R"("yes")"},
      {"challenges", "{}"},
      {"challenges", "[[]]"},
      {"challenges", R"([{"status": "pending"}])"}};
  for (const auto& [name, value] : bad) {
    const auto authorization =
        parse_authorization(with(authorization_text, name, value), AuthorizationUrl());
    ASSERT_FALSE(authorization) << name << value;
    EXPECT_EQ(authorization.error().kind, Error::Kind::rejected);
  }
  auto many = object(authorization_text);
  many["challenges"] = boost::json::array(101, object(R"({"type": "x", "status": "pending"})"));
  EXPECT_FALSE(parse_authorization(many, AuthorizationUrl()));
}

TEST(Challenge, OfDns01NeedsATokenOfBase64url) {
  constexpr std::string_view text =
      R"({"type": "dns-01", "status": "pending", "url": "https://ca.example/chal/1"})";
  EXPECT_FALSE(parse_challenge(object(text)));
  EXPECT_TRUE(parse_challenge(with(text, "token", R"("abc-_9")")));
  for (const auto* token : {R"("")", R"("a b")", R"("a=")", R"("ä")", R"("a.b")", "7"}) {
    const auto challenge = parse_challenge(with(text, "token", token));
    ASSERT_FALSE(challenge) << token;
    EXPECT_EQ(challenge.error().kind, Error::Kind::rejected);
  }
  EXPECT_FALSE(parse_challenge(with(text, "token", "\"" + std::string(257, 'a') + "\"")));
}

TEST(Challenge, TellsWhyItFailed) {
  const auto challenge = parse_challenge(object(R"({
    "type": "dns-01", "status": "invalid", "url": "https://ca.example/chal/1", "token": "abc",
    "error": {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "wrong value"}})"));
  ASSERT_TRUE(challenge && challenge->error);
  EXPECT_EQ(challenge->error->kind, Error::Kind::rejected);
  EXPECT_EQ(challenge->error->detail, "wrong value");
}

TEST(ParseObject, SaysWhatCameInsteadOfJson) {
  const auto page = parse_object(answer(200, "text/html; charset=utf-8", "<html>"), "order");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, Error::Kind::transient);
  EXPECT_EQ(page.error().detail, "the server answered 200 with text/html instead of JSON");
  const auto file = parse_object(answer(200, "application/zip", "PK"), "order");
  EXPECT_EQ(file.error().kind, Error::Kind::rejected);
  EXPECT_NE(parse_object(answer(200, "", "{}"), "order").error().detail.find("no content type"),
            std::string::npos);
}

TEST(ParseObject, TellsATruncatedAnswerFromAWrongOne) {
  for (const auto* body : {"", "{", R"({"status": "pen)", R"({"a": [1,)"}) {
    const auto cut = parse_object(json_answer(200, body), "order");
    ASSERT_FALSE(cut) << body;
    EXPECT_EQ(cut.error().kind, Error::Kind::transient) << body;
    EXPECT_NE(cut.error().detail.find("cut off"), std::string::npos);
  }
  for (const auto* body : {"[]", "7", "nil", "{} {}", "{\"a\": \"\xff\"}"}) {
    const auto wrong = parse_object(json_answer(200, body), "order");
    ASSERT_FALSE(wrong) << body;
    EXPECT_EQ(wrong.error().kind, Error::Kind::rejected) << body;
  }
  EXPECT_FALSE(parse_object(json_answer(200, std::string(100'000, '[')), "order"));
}

TEST(ParseObject, TakesAContentTypeInAnyCaseWithParameters) {
  EXPECT_TRUE(parse_object(answer(200, "Application/JSON ; charset=utf-8", "{}"), "order"));
}

}  // namespace
}  // namespace certherd::acme

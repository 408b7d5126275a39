#include "acme/http_client.hpp"

#include <gtest/gtest.h>

#include "acme/client_fixture_test_support.hpp"
#include "acme/rfc7517_key_test_support.hpp"
#include "crypto/local_ca.hpp"

namespace certherd::acme {
namespace {

constexpr auto* pending_order = R"({"status": "pending",
    "identifiers": [{"type": "dns", "value": "a.example"}],
    "authorizations": ["https://ca.example/authz/1"], "finalize": "https://ca.example/fin/1"})";

constexpr auto* valid_account = R"({"status": "valid", "contact": ["mailto:ops@a.example"],
    "orders": "https://ca.example/orders/1"})";

constexpr auto* pending_challenge = R"({"type": "dns-01", "status": "pending",
    "url": "https://ca.example/chal/1", "token": "tok"})";

class AcmeClient : public ScriptedCa {
 protected:
  Result<AccountInfo> new_account() { return run(client->new_account({{}, true, false, {}})); }
  Result<Order> new_order(std::string profile = "", std::string replaces = "") {
    return run(
        client->new_order({{Fqdn::literal("a.example")}, std::move(profile), std::move(replaces)}));
  }
  /// Directory and first nonce of a CA that offers all there is, with the account known.
  void expect_first_contact_with_a_full_directory() {
    client->use_account(AccountUrl("https://ca.example/account/1"));
    http.expect(Method::get, "https://ca.example/dir", json_answer(200, R"({
        "newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/new-account",
        "newOrder": "https://ca.example/new-order", "revokeCert": "https://ca.example/revoke",
        "keyChange": "https://ca.example/key-change", "renewalInfo": "https://ca.example/ari",
        "meta": {"profiles": {"classic": "as ever", "shortlived": "six days"}}})"));
    expect_nonce("first");
  }
  void expect_order() {
    expect_post(
        "https://ca.example/new-order",
        nonced(json_answer(201, pending_order, {{"location", "https://ca.example/order/9"}}), "n"));
  }
  Result<Chain> download() {
    return run(client->download(CertificateUrl("https://ca.example/cert/1")));
  }
  Result<Challenge> answer_challenge() {
    return run(client->answer(ChallengeUrl("https://ca.example/chal/1")));
  }
};

TEST_F(AcmeClient, FetchesTheDirectoryOncePerHour) {
  expect_directory();
  ASSERT_TRUE(run(client->directory()));
  ASSERT_TRUE(run(client->directory()));
  loop->run(loop->clock().sleep_for(std::chrono::minutes(59)));
  ASSERT_TRUE(run(client->directory()));
  loop->run(loop->clock().sleep_for(std::chrono::minutes(2)));
  expect_directory();
  ASSERT_TRUE(run(client->directory()));
  EXPECT_EQ(http.requests().size(), 2U);
}

TEST_F(AcmeClient, GoesOnWithTheOldDirectoryWhileTheCaIsDown) {
  expect_directory();
  ASSERT_TRUE(run(client->directory()));
  loop->run(loop->clock().sleep_for(std::chrono::hours(2)));
  http.expect(Method::get, "https://ca.example/dir", answer(503, "text/html", ""));
  const auto old = run(client->directory());
  ASSERT_TRUE(old);
  EXPECT_EQ(old->new_order, "https://ca.example/new-order");
  ASSERT_TRUE(run(client->directory()));
  EXPECT_EQ(http.requests().size(), 2U);
}

TEST_F(AcmeClient, TellsThatThereIsNoDirectory) {
  http.expect(Method::get, "https://ca.example/dir", answer(404, "text/html", ""));
  EXPECT_EQ(run(client->directory()).error().kind, Error::Kind::not_found);
  http.expect(Method::get, "https://ca.example/dir", answer(200, "text/html", "<html>"));
  EXPECT_NE(run(client->directory()).error().detail.find("instead of JSON"), std::string::npos);
  http.expect(Method::get, "https://ca.example/dir", json_answer(200, "{}"));
  EXPECT_EQ(new_account().error().kind, Error::Kind::rejected);
}

TEST_F(AcmeClient, RegistersWithItsKeyAndSignsWithTheAccountFromThenOn) {
  expect_directory();
  expect_nonce("first");
  expect_post(
      "https://ca.example/new-account",
      nonced(json_answer(201, valid_account, {{"location", "https://ca.example/account/7"}}),
             "second"));
  expect_post("https://ca.example/account/7", json_answer(200, valid_account));

  const auto account = new_account();
  ASSERT_TRUE(account) << account.error().message();
  EXPECT_TRUE(account->created);
  EXPECT_EQ(account->url.text(), "https://ca.example/account/7");
  const auto header = header_of(http.last());
  EXPECT_EQ(boost::json::serialize(header.at("jwk")), crypto::jwk(key));
  EXPECT_FALSE(header.contains("kid"));
  EXPECT_EQ(payload_of(http.last()), R"({"termsOfServiceAgreed":true})");

  const auto again = run(client->fetch_account());
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created);
  EXPECT_EQ(header_of(http.last()).at("kid"), "https://ca.example/account/7");
}

TEST_F(AcmeClient, FindsAnAccountThatTheKeyHasAlready) {
  expect_directory();
  expect_nonce("first");
  expect_post("https://ca.example/new-account",
              json_answer(200, valid_account, {{"location", "/account/7"}}));
  const auto account = new_account();
  ASSERT_TRUE(account);
  EXPECT_FALSE(account->created);
  EXPECT_EQ(account->url.text(), "https://ca.example/account/7");
}

TEST_F(AcmeClient, AsksWhenACertificateIsToBeRenewed) {
  http.expect(Method::get, "https://ca.example/dir", json_answer(200, R"({
      "newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/new-account",
      "newOrder": "https://ca.example/new-order", "renewalInfo": "https://ca.example/ari"})"));
  const std::string question = "https://ca.example/ari/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  http.expect(Method::get, question,
              json_answer(200, R"({"suggestedWindow": {"start": "2026-12-01T00:00:00Z",
                  "end": "2026-12-03T00:00:00+01:00"}, "explanationURL": "https://ca.example/why"})",
                          {{"retry-after", "21600"}}));
  const auto asked = run(client->renewal_info("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
  ASSERT_TRUE(asked) << asked.error().message();
  EXPECT_EQ(asked->window.start, *parse_time("2026-12-01T00:00:00Z"));
  EXPECT_EQ(asked->window.end, *parse_time("2026-12-02T23:00:00Z"));
  EXPECT_EQ(asked->window.explanation_url, "https://ca.example/why");
  EXPECT_EQ(asked->retry_at, loop->clock().now() + std::chrono::hours(6));

  for (const auto* bad :
       {R"({})", R"({"suggestedWindow": {}})",
        R"({"suggestedWindow": {"start": "soon", "end": ""}})",
        R"({"suggestedWindow": {"start": "2026-12-03T00:00:00Z", "end": "2026-12-03T00:00:00Z"}})",
        R"({"suggestedWindow": "2026-12-03T00:00:00Z"})"}) {
    http.expect(Method::get, question, json_answer(200, bad));
    const auto refused = run(client->renewal_info("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().kind, Error::Kind::rejected) << bad;
  }
  http.expect(Method::get, question, answer(503, "text/html", ""));
  EXPECT_EQ(run(client->renewal_info("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")).error().kind,
            Error::Kind::transient);
}

TEST_F(AcmeClient, AsksAboutManyCertificatesAndAnswersInTheirOrder) {
  http.expect(Method::get, "https://ca.example/dir", json_answer(200, R"({
      "newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/new-account",
      "newOrder": "https://ca.example/new-order", "renewalInfo": "https://ca.example/ari"})"));
  ASSERT_TRUE(run(client->directory()));
  const auto answer_from = [](int day) {
    return json_answer(200, fmt::format(R"({{"suggestedWindow": {{
        "start": "2026-12-{0:02}T00:00:00Z", "end": "2026-12-{0:02}T12:00:00Z"}}}})",
                                        day));
  };
  constexpr int many = 20;  // more than are asked at one time
  std::vector<std::string> ari_ids;
  for (int i = 1; i <= many; ++i) {
    ari_ids.push_back(fmt::format("a.{}", i));
    const bool unknown = i == 3;
    http.expect(Method::get, "https://ca.example/ari/" + ari_ids.back(),
                unknown ? answer(404, "text/html", "") : answer_from(i));
  }
  const auto answers = run(client->renewal_infos(ari_ids));
  ASSERT_EQ(answers.size(), ari_ids.size());
  for (int i = 1; i <= many; ++i) {
    const auto& asked = answers[static_cast<std::size_t>(i - 1)];
    ASSERT_EQ(asked.has_value(), i != 3) << i;
    if (!asked) continue;
    EXPECT_EQ(asked->window.start, *parse_time(fmt::format("2026-12-{:02}T00:00:00Z", i)));
  }
  EXPECT_EQ(answers[2].error().kind, Error::Kind::not_found);
  EXPECT_TRUE(run(client->renewal_infos({})).empty());
}

TEST_F(AcmeClient, ACaWithoutRenewalInformationIsNotAsked) {
  expect_directory();
  EXPECT_EQ(run(client->renewal_info("a.b")).error().kind, Error::Kind::not_found);
}

TEST_F(AcmeClient, CannotUseAnAccountOrOrderWithoutItsUrl) {
  expect_first_contact();
  expect_post("https://ca.example/new-account", nonced(json_answer(201, valid_account), "n"));
  EXPECT_EQ(new_account().error().kind, Error::Kind::rejected);
  expect_post("https://ca.example/new-order", json_answer(201, pending_order));
  EXPECT_EQ(new_order().error().kind, Error::Kind::rejected);
}

TEST_F(AcmeClient, OrdersNamesAndRemembersWhereTheOrderIs) {
  expect_first_contact();
  expect_post("https://ca.example/new-order",
              json_answer(201, pending_order,
                          {{"location", "https://ca.example/order/9"},
                           {"retry-after", "3"},
                           {"date", "Thu, 26 Nov 2026 12:00:00 GMT"}}));
  const auto order = new_order();
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(order->url.text(), "https://ca.example/order/9");
  EXPECT_EQ(order->retry_at, loop->clock().now() + std::chrono::seconds(3));
  EXPECT_EQ(order->date, parse_time("2026-11-26T12:00:00Z"));
  EXPECT_EQ(payload_of(http.last()), R"({"identifiers":[{"type":"dns","value":"a.example"}]})");
}

TEST_F(AcmeClient, AsksForAProfileAndSaysWhatIsReplacedWhereTheCaOffersIt) {
  expect_first_contact_with_a_full_directory();
  expect_order();
  ASSERT_TRUE(new_order("shortlived", "aki.serial"));
  const auto payload = object(payload_of(http.last()));
  EXPECT_EQ(payload.at("profile"), "shortlived");
  EXPECT_EQ(payload.at("replaces"), "aki.serial");
}

TEST_F(AcmeClient, NamesTheProfilesThatThereAreAndSendsNothing) {
  expect_first_contact_with_a_full_directory();
  expect_order();
  ASSERT_TRUE(new_order());
  const auto sent = http.requests().size();
  const auto order = new_order("tlsclient");
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::misconfigured);
  EXPECT_NE(order.error().detail.find("classic, shortlived"), std::string::npos);
  EXPECT_EQ(http.requests().size(), sent);
}

TEST_F(AcmeClient, SendsNeitherProfileNorReplacesToACaThatOffersNone) {
  expect_directory();
  client->use_account(AccountUrl("https://ca.example/account/1"));
  const auto refused = new_order("classic");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_NE(refused.error().detail.find("no profiles"), std::string::npos);
  expect_nonce("first");
  expect_order();
  ASSERT_TRUE(new_order("", "aki.serial"));
  EXPECT_EQ(payload_of(http.last()), R"({"identifiers":[{"type":"dns","value":"a.example"}]})");
}

TEST_F(AcmeClient, TellsThatACertificateWasReplacedBefore) {
  expect_first_contact_with_a_full_directory();
  expect_post("https://ca.example/new-order", problem_answer(409, "alreadyReplaced", "by order 8"));
  const auto order = new_order("", "aki.serial");
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::conflict);
  EXPECT_TRUE(order.error().problem->is_acme("alreadyReplaced"));
}

TEST_F(AcmeClient, BindsANewAccountToAnExternalOne) {
  expect_directory();
  expect_nonce("first");
  expect_post("https://ca.example/new-account",
              json_answer(201, valid_account, {{"location", "https://ca.example/account/7"}}));
  NewAccount wanted;
  wanted.external = ExternalAccount{.kid = "kid-1", .hmac_key = Secret<std::string>("octets")};
  ASSERT_TRUE(run(client->new_account(std::move(wanted))));

  const auto binding = object(payload_of(http.last())).at("externalAccountBinding").as_object();
  const std::string header(binding.at("protected").as_string());
  const std::string payload(binding.at("payload").as_string());
  EXPECT_EQ(object(*crypto::from_base64url(header)),
            (boost::json::object{
                {"alg", "HS256"}, {"kid", "kid-1"}, {"url", "https://ca.example/new-account"}}));
  EXPECT_EQ(*crypto::from_base64url(payload), crypto::jwk(key));
  EXPECT_EQ(binding.at("signature"), boost::json::value(crypto::base64url(crypto::hmac(
                                         "SHA256", "octets", header + "." + payload))));
}

TEST_F(AcmeClient, ChangesContactsAndEndsTheAccount) {
  expect_first_contact();
  expect_post("https://ca.example/account/1", nonced(json_answer(200, valid_account), "n1"));
  const auto updated = run(client->update_account({"mailto:ops@a.example"}));
  ASSERT_TRUE(updated) << updated.error().message();
  EXPECT_EQ(updated->contact, std::vector<std::string>{"mailto:ops@a.example"});
  EXPECT_EQ(payload_of(http.last()), R"({"contact":["mailto:ops@a.example"]})");

  expect_post("https://ca.example/account/1", nonced(json_answer(200, valid_account), "n2"));
  ASSERT_TRUE(run(client->update_account({})));
  EXPECT_EQ(payload_of(http.last()), R"({"contact":[]})");

  expect_post("https://ca.example/account/1", json_answer(200, R"({"status": "deactivated"})"));
  const auto ended = run(client->deactivate_account());
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_EQ(ended->status, "deactivated");
  EXPECT_EQ(payload_of(http.last()), R"({"status":"deactivated"})");
}

TEST_F(AcmeClient, SignsByTheNewKeyOnceTheCaHasTakenIt) {
  for (const auto type : {KeyType::ecdsa_p384, KeyType::rsa_2048}) {
    const auto next = *crypto::PrivateKey::generate(type);
    client = make_client(http, *loop, *offload, {"https://ca.example/dir", key});
    expect_first_contact_with_a_full_directory();
    expect_post("https://ca.example/key-change", nonced(answer(200, "", ""), "n"));
    expect_post("https://ca.example/account/1", nonced(json_answer(200, valid_account), "n"));
    const auto before = client->challenge_value("tok");
    const auto changed = run(client->change_key(next));
    ASSERT_TRUE(changed) << changed.error().message();

    // RFC 8555 section 7.3.5: the old key signs what the new one has signed.
    const auto& change = *(http.requests().end() - 2);
    EXPECT_TRUE(crypto::verify_jws(key, change.body));
    EXPECT_EQ(header_of(change).at("kid"), "https://ca.example/account/1");
    const auto inner = payload_of(change);
    EXPECT_TRUE(crypto::verify_jws(next, inner));
    const auto header = object(*crypto::from_base64url(object(inner).at("protected").as_string()));
    EXPECT_EQ(boost::json::serialize(header.at("jwk")), crypto::jwk(next));
    EXPECT_EQ(header.at("url"), "https://ca.example/key-change");
    EXPECT_FALSE(header.contains("nonce"));
    EXPECT_EQ(object(*crypto::from_base64url(object(inner).at("payload").as_string())),
              (boost::json::object{{"account", "https://ca.example/account/1"},
                                   {"oldKey", boost::json::parse(crypto::jwk(key))}}));

    expect_post("https://ca.example/account/1", json_answer(200, valid_account));
    ASSERT_TRUE(run(client->fetch_account()));
    EXPECT_TRUE(crypto::verify_jws(next, http.last().body));
    EXPECT_NE(client->challenge_value("tok"), before);
    key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  }
}

TEST_F(AcmeClient, KeepsTheOldKeyWhenTheCaRefusesTheNewOne) {
  expect_first_contact_with_a_full_directory();
  expect_post("https://ca.example/key-change",
              nonced(problem_answer(409, "conflict", "that key has an account",
                                    {{"location", "https://ca.example/account/3"}}),
                     "n"));
  const auto changed = run(client->change_key(*crypto::PrivateKey::generate(KeyType::ecdsa_p256)));
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, Error::Kind::conflict);
  EXPECT_NE(changed.error().detail.find("https://ca.example/account/3"), std::string::npos);
  expect_post("https://ca.example/account/1", json_answer(200, valid_account));
  ASSERT_TRUE(run(client->fetch_account()));
  EXPECT_TRUE(crypto::verify_jws(key, http.last().body));
}

TEST_F(AcmeClient, KeepsTheOldKeyUnlessTheNewOneSignsForTheAccount) {
  const auto next = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  const auto value = client->challenge_value("tok");
  expect_first_contact_with_a_full_directory();
  expect_post("https://ca.example/key-change", nonced(answer(200, "", ""), "n"));
  expect_post("https://ca.example/account/1",
              nonced(problem_answer(400, "malformed", "JWS verification error"), "n"));
  const auto untrue = run(client->change_key(next));
  ASSERT_FALSE(untrue);
  EXPECT_EQ(untrue.error().kind, Error::Kind::conflict);
  EXPECT_NE(untrue.error().detail.find("another account"), std::string::npos);

  expect_post("https://ca.example/key-change", nonced(answer(200, "", ""), "n"));
  expect_post("https://ca.example/account/1", nonced(answer(503, "text/html", ""), "n"));
  const auto unsure = run(client->change_key(next));
  ASSERT_FALSE(unsure);
  EXPECT_EQ(unsure.error().kind, Error::Kind::transient);

  EXPECT_EQ(client->challenge_value("tok"), value);
  expect_post("https://ca.example/account/1", json_answer(200, valid_account));
  ASSERT_TRUE(run(client->fetch_account()));
  EXPECT_TRUE(crypto::verify_jws(key, http.last().body));
}

TEST_F(AcmeClient, TellsWhatTheCaDoesNotOffer) {
  expect_directory();
  client->use_account(AccountUrl("https://ca.example/account/1"));
  const auto changed = run(client->change_key(*crypto::PrivateKey::generate(KeyType::ecdsa_p256)));
  EXPECT_EQ(changed.error().kind, Error::Kind::not_found);
  EXPECT_EQ(run(client->revoke("DER", std::nullopt)).error().kind, Error::Kind::not_found);
}

TEST_F(AcmeClient, RevokesByTheAccountOrByTheKeyOfTheCertificate) {
  const auto certificate_key = *crypto::PrivateKey::generate(KeyType::rsa_2048);
  expect_first_contact_with_a_full_directory();
  expect_post("https://ca.example/revoke", nonced(answer(200, "", ""), "n1"));
  ASSERT_TRUE(run(client->revoke("DER", 4)));
  EXPECT_EQ(payload_of(http.last()), R"({"certificate":"REVS","reason":4})");
  EXPECT_EQ(header_of(http.last()).at("kid"), "https://ca.example/account/1");

  expect_post("https://ca.example/revoke", nonced(answer(200, "", ""), "n2"));
  ASSERT_TRUE(run(client->revoke_by_key("DER", certificate_key, std::nullopt)));
  EXPECT_EQ(payload_of(http.last()), R"({"certificate":"REVS"})");
  const auto header = header_of(http.last());
  EXPECT_EQ(boost::json::serialize(header.at("jwk")), crypto::jwk(certificate_key));
  EXPECT_EQ(header.at("alg"), "RS256");
  EXPECT_FALSE(header.contains("kid"));
  EXPECT_TRUE(crypto::verify_jws(certificate_key, http.last().body));

  for (const int status : {400, 409}) {  // RFC 8555 says the one, Pebble the other
    expect_post("https://ca.example/revoke",
                nonced(problem_answer(status, "alreadyRevoked", "long ago"), "n"));
    EXPECT_EQ(run(client->revoke("DER", 4)).error().kind, Error::Kind::conflict);
  }
}

TEST_F(AcmeClient, RefusesAnOrderForOtherNames) {
  expect_first_contact();
  std::string other = pending_order;
  other.replace(other.find("a.example"), 9, "z.example");
  expect_post("https://ca.example/new-order",
              json_answer(201, other, {{"location", "https://ca.example/order/9"}}));
  const auto order = new_order();
  ASSERT_FALSE(order);
  EXPECT_NE(order.error().detail.find("z.example"), std::string::npos);
}

TEST_F(AcmeClient, GivesRetryAfterOfAnAuthorizationAsDateToo) {
  expect_first_contact();
  expect_post("https://ca.example/authz/1",
              json_answer(200, R"({"status": "pending", "challenges": [],
                                   "identifier": {"type": "dns", "value": "a.example"}})",
                          {{"retry-after", "Mon, 23 Nov 2026 12:00:10 GMT"}}));
  const auto authorization =
      run(client->fetch_authorization(AuthorizationUrl("https://ca.example/authz/1")));
  ASSERT_TRUE(authorization) << authorization.error().message();
  EXPECT_EQ(authorization->url.text(), "https://ca.example/authz/1");
  EXPECT_EQ(authorization->retry_at, loop->clock().now() + std::chrono::seconds(10));
}

TEST_F(AcmeClient, AnswersAChallengeWithAnEmptyObject) {
  expect_first_contact();
  expect_post("https://ca.example/chal/1", json_answer(200, pending_challenge));
  ASSERT_TRUE(answer_challenge());
  EXPECT_EQ(payload_of(http.last()), "{}");
}

TEST_F(AcmeClient, MayAnswerAChallengeTwiceWhereTheServerCallsThatMalformed) {
  expect_first_contact();
  expect_post("https://ca.example/chal/1",
              nonced(problem_answer(400, "malformed", "not pending"), "n"));
  std::string valid = pending_challenge;
  valid.replace(valid.find("pending"), 7, "valid");
  expect_post("https://ca.example/chal/1", json_answer(200, valid));
  const auto challenge = answer_challenge();
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->status, "valid");
  EXPECT_EQ(payload_of(http.last()), "");
}

TEST_F(AcmeClient, TellsTheServersWordsWhenAnAnswerReallyIsMalformed) {
  expect_first_contact();
  expect_post("https://ca.example/chal/1",
              nonced(problem_answer(400, "malformed", "no such token"), "n"));
  expect_post("https://ca.example/chal/1", json_answer(200, pending_challenge));
  const auto challenge = answer_challenge();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().detail, "no such token");
}

TEST_F(AcmeClient, KeepsTheOrderUrlWhenFinalizeGivesNone) {
  expect_first_contact();
  std::string processing = pending_order;
  processing.replace(processing.find("pending"), 7, "processing");
  expect_post("https://ca.example/fin/1", json_answer(200, processing, {{"retry-after", "2"}}));
  const auto order = run(client->finalize(OrderUrl("https://ca.example/order/9"),
                                          FinalizeUrl("https://ca.example/fin/1"), "Q1NS"));
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(order->url.text(), "https://ca.example/order/9");
  EXPECT_EQ(order->status, OrderStatus::processing);
  EXPECT_EQ(order->retry_at, loop->clock().now() + std::chrono::seconds(2));
  EXPECT_EQ(payload_of(http.last()), R"({"csr":"Q1NS"})");
}

TEST_F(AcmeClient, TellsACutOffAnswerFromAWebPage) {
  expect_first_contact();
  const OrderUrl url("https://ca.example/order/9");
  expect_post(url.text(), nonced(json_answer(200, R"({"status": "pen)"), "n"));
  EXPECT_NE(run(client->fetch_order(url)).error().detail.find("cut off"), std::string::npos);
  expect_post(url.text(), answer(200, "text/html", "<html>"));
  EXPECT_NE(run(client->fetch_order(url)).error().detail.find("text/html"), std::string::npos);
}

TEST_F(AcmeClient, DownloadsAChainAndTheUrlsOfItsAlternates) {
  const Time now = loop->clock().now();
  const crypto::LocalCa ca("test root", now);
  const auto pem = ca.issue(key.public_key(), {"a.example"}, 7, now, now + std::chrono::days(90));
  expect_first_contact();
  expect_post("https://ca.example/cert/1",
              answer(200, "application/pem-certificate-chain", pem,
                     {{"link", "<https://ca.example/dir>;rel=\"index\""},
                      {"link", "<https://ca.example/cert/1/1>;rel=\"alternate\""},
                      {"link", "</cert/1/2>;rel=\"alternate\""}}));
  const auto chain = download();
  ASSERT_TRUE(chain) << chain.error().message();
  EXPECT_EQ(chain->pem, pem);
  EXPECT_EQ(chain->alternates, (std::vector{CertificateUrl("https://ca.example/cert/1/1"),
                                            CertificateUrl("https://ca.example/cert/1/2")}));
  EXPECT_EQ(payload_of(http.last()), "");
  EXPECT_EQ(http.last().headers.back().second, "application/pem-certificate-chain");
}

TEST_F(AcmeClient, RefusesAChainThatIsNone) {
  expect_first_contact();
  const std::string type = "application/pem-certificate-chain";
  expect_post("https://ca.example/cert/1", nonced(answer(200, "text/html", "<html>"), "n1"));
  EXPECT_EQ(download().error().kind, Error::Kind::transient);
  expect_post("https://ca.example/cert/1", nonced(json_answer(200, "{}"), "n2"));
  EXPECT_EQ(download().error().kind, Error::Kind::rejected);
  expect_post("https://ca.example/cert/1", nonced(answer(200, type, "not PEM"), "n3"));
  EXPECT_EQ(download().error().kind, Error::Kind::rejected);
  // RFC 8555 section 9.1: a key in a chain would be stored and served with it.
  expect_post("https://ca.example/cert/1", answer(200, type, key.to_pem().reveal()));
  EXPECT_EQ(download().error().kind, Error::Kind::rejected);
}

class ListOrders : public ScriptedCa {
 protected:
  void expect_account() {
    expect_first_contact();
    expect_post("https://ca.example/account/1", nonced(json_answer(200, valid_account), "n"));
  }
  void expect_page(std::string url, const std::string& orders, const std::string& next) {
    http::Headers link;
    if (!next.empty()) link.emplace_back("link", "<" + next + ">;rel=\"next\"");
    expect_post(std::move(url),
                nonced(json_answer(200, R"({"orders": [)" + orders + "]}", std::move(link)), "n"));
  }
};

TEST_F(ListOrders, FollowsItsPagesToTheEnd) {
  expect_account();
  expect_page("https://ca.example/orders/1", R"("https://ca.example/o/1")",
              "https://ca.example/orders/1?cursor=2");
  expect_page("https://ca.example/orders/1?cursor=2",
              R"("https://ca.example/o/2", "https://ca.example/o/3")", "");
  const auto orders = run(client->list_orders());
  ASSERT_TRUE(orders) << orders.error().message();
  EXPECT_EQ(*orders,
            (std::vector{OrderUrl("https://ca.example/o/1"), OrderUrl("https://ca.example/o/2"),
                         OrderUrl("https://ca.example/o/3")}));
}

TEST_F(ListOrders, IsEmptyWhereTheServerKeepsNoList) {
  expect_first_contact();
  expect_post("https://ca.example/account/1", json_answer(200, R"({"status": "valid"})"));
  const auto orders = run(client->list_orders());
  ASSERT_TRUE(orders);
  EXPECT_TRUE(orders->empty());
}

TEST_F(ListOrders, IsRefusedWhenItRunsInACircle) {
  expect_account();
  expect_page("https://ca.example/orders/1", "", "https://ca.example/orders/2");
  expect_page("https://ca.example/orders/2", "", "https://ca.example/orders/1");
  EXPECT_EQ(run(client->list_orders()).error().kind, Error::Kind::rejected);
}

TEST_F(ListOrders, EndsAfterTenThousand) {
  std::string many = R"("https://ca.example/o/1")";
  for (int i = 0; i < 5999; ++i) many += R"(,"https://ca.example/o/1")";
  expect_account();
  expect_page("https://ca.example/orders/1", many, "https://ca.example/orders/2");
  expect_page("https://ca.example/orders/2", many, "https://ca.example/orders/3");
  const auto orders = run(client->list_orders());
  ASSERT_TRUE(orders);
  EXPECT_EQ(orders->size(), 10'000U);
}

TEST_F(ListOrders, RefusesAPageOnPlainHttpAndRubbishInIt) {
  expect_account();
  expect_page("https://ca.example/orders/1", "", "http://ca.example/orders/2");
  EXPECT_FALSE(run(client->list_orders()));
  expect_post("https://ca.example/account/1", nonced(json_answer(200, valid_account), "n"));
  expect_page("https://ca.example/orders/1", "7", "");
  EXPECT_FALSE(run(client->list_orders()));
}

// Computed apart from this program: SHA-256 over the token and the thumbprint that RFC 7638
// section 3.1 publishes for this key.
TEST_F(AcmeClient, HashesTokenAndThumbprintIntoTheTxtValue) {
  auto known = crypto::PrivateKey::from_pem(Secret<std::string>(std::string(rfc7517_key)));
  ASSERT_TRUE(known) << known.error().message();
  client = make_client(http, *loop, *offload, {"https://ca.example/dir", *known});
  EXPECT_EQ(client->challenge_value("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA").text(),
            "ZTRx1Ckl1-tM05o5zaizTTA0yUy5AGereMgSNWC6Ll8");
}

}  // namespace
}  // namespace certherd::acme

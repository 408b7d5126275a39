#include "acme/session.hpp"

#include <gtest/gtest.h>

#include "acme/client_fixture_test_support.hpp"

namespace certherd::acme {
namespace {

constexpr auto* resource = "https://ca.example/order/1";
constexpr auto* order_text = R"({"status": "pending", "authorizations": [],
    "identifiers": [{"type": "dns", "value": "a.example"}],
    "finalize": "https://ca.example/finalize/1"})";

class SignedRequests : public ScriptedCa {
 protected:
  Result<Order> fetch() { return run(client->fetch_order(OrderUrl(resource))); }
  static http::Response refused_nonce() { return problem_answer(400, "badNonce", "too old"); }
  std::string nonce_of_last() {
    return std::string(header_of(http.last()).at("nonce").as_string());
  }
};

TEST_F(SignedRequests, SignsAPostAsGetWithTheAccountUrl) {
  expect_first_contact();
  expect_post(resource, json_answer(200, order_text));

  ASSERT_TRUE(fetch());

  const auto header = header_of(http.last());
  EXPECT_EQ(header.at("alg"), "ES256");
  EXPECT_EQ(header.at("nonce"), "first");
  EXPECT_EQ(header.at("url"), resource);
  EXPECT_EQ(header.at("kid"), "https://ca.example/account/1");
  EXPECT_FALSE(header.contains("jwk"));
  EXPECT_EQ(payload_of(http.last()), "");
  EXPECT_TRUE(crypto::verify_jws(key, http.last().body));
}

TEST_F(SignedRequests, SendsTheHeadersOfRfc8555AndNoNonceAmongThem) {
  expect_first_contact();
  expect_post(resource, json_answer(200, order_text));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(http.last().headers, (http::Headers{{"Accept-Language", "en"},
                                                {"Content-Type", "application/jose+json"},
                                                {"Accept", "application/json"}}));
}

TEST_F(SignedRequests, UsesTheNonceOfEachAnswerForTheNextRequest) {
  expect_first_contact();
  expect_post(resource, nonced(json_answer(200, order_text), "second"));
  expect_post(resource, nonced(problem_answer(500, "serverInternal", "oops"), "third"));
  expect_post(resource, json_answer(200, order_text));
  ASSERT_TRUE(fetch());
  EXPECT_FALSE(fetch());
  EXPECT_EQ(nonce_of_last(), "second");
  ASSERT_TRUE(fetch());
  EXPECT_EQ(nonce_of_last(), "third");
}

TEST_F(SignedRequests, AsksForANonceWhenAnAnswerBroughtNoneOrABadOne) {
  expect_first_contact();
  expect_post(resource, json_answer(200, order_text));
  expect_nonce("second");
  expect_post(resource, nonced(json_answer(200, order_text), "not a nonce"));
  expect_nonce("third");
  expect_post(resource, json_answer(200, order_text));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(fetch());
  EXPECT_EQ(nonce_of_last(), "third");
}

TEST_F(SignedRequests, NeverUsesANonceAgainAfterALostAnswer) {
  expect_first_contact();
  expect_post(resource, fail(Error::Kind::transient, "POST", "the connection broke"));
  expect_nonce("second");
  expect_post(resource, json_answer(200, order_text));
  EXPECT_EQ(fetch().error().kind, Error::Kind::transient);
  ASSERT_TRUE(fetch());
  EXPECT_EQ(nonce_of_last(), "second");
}

TEST_F(SignedRequests, TakesTheNonceThatCameWithTheRefusal) {
  expect_first_contact();
  expect_post(resource, nonced(refused_nonce(), "better"));
  expect_post(resource, json_answer(200, order_text));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(nonce_of_last(), "better");
  EXPECT_TRUE(crypto::verify_jws(key, http.last().body));
}

TEST_F(SignedRequests, AsksForANonceWhenTheRefusalBroughtNone) {
  expect_first_contact();
  expect_post(resource, refused_nonce());
  expect_nonce("better");
  expect_post(resource, json_answer(200, order_text));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(nonce_of_last(), "better");
}

TEST_F(SignedRequests, GivesUpAfterABoundedNumberOfRefusedNonces) {
  expect_first_contact();
  for (int i = 0; i < Session::most_bad_nonces; ++i) {
    expect_post(resource, nonced(refused_nonce(), "n" + std::to_string(i)));
  }
  const auto order = fetch();
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::transient);
  EXPECT_TRUE(order.error().problem->is_acme("badNonce"));
}

TEST_F(SignedRequests, DoesNotTryAnyOtherErrorAgain) {
  expect_first_contact();
  expect_post(resource, problem_answer(403, "unauthorized", "not yours"));
  const auto order = fetch();
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::denied);
  EXPECT_EQ(order.error().op, "order: POST https://ca.example/order/1");
}

TEST_F(SignedRequests, PassesOnWhyThereIsNoNonce) {
  client->use_account(AccountUrl("https://ca.example/account/1"));
  expect_directory();
  http.expect(Method::head, "https://ca.example/nonce", answer(200, "", ""));
  const auto without = fetch();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().kind, Error::Kind::rejected);
  http.expect(Method::head, "https://ca.example/nonce",
              answer(503, "text/html", "", {{"retry-after", "5"}}));
  const auto down = fetch();
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error().kind, Error::Kind::transient);
  EXPECT_EQ(down.error().retry_at, loop->clock().now() + std::chrono::seconds(5));
}

TEST_F(SignedRequests, SignsNothingBeforeThereIsAnAccount) {
  expect_directory();
  const auto order = fetch();
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::misconfigured);
}

TEST_F(SignedRequests, SpeaksOfNoNonceAndNoKeyInItsErrors) {
  expect_first_contact();
  expect_post(resource, nonced(problem_answer(400, "malformed", "no"), "sEcReT"));
  const auto text = fetch().error().message();
  EXPECT_EQ(text.find("first"), std::string::npos);
  EXPECT_EQ(text.find("sEcReT"), std::string::npos);
}

/// Counts what goes to a thread.
class CountingOffload final : public runtime::Offload {
 public:
  Task<void> run(std::function<void()> work) override {
    ++runs;
    work();
    co_return;
  }
  int runs = 0;
};

TEST_F(SignedRequests, SignsWithRsaOffTheLoopAndWithCurvesOnIt) {
  CountingOffload counted;
  for (const auto type : {KeyType::ecdsa_p256, KeyType::rsa_2048}) {
    auto other = *crypto::PrivateKey::generate(type);
    client = make_client(http, *loop, counted, {"https://ca.example/dir", other});
    expect_first_contact();
    expect_post(resource, json_answer(200, order_text));
    ASSERT_TRUE(fetch());
    EXPECT_TRUE(crypto::verify_jws(other, http.last().body));
    EXPECT_EQ(counted.runs, type == KeyType::rsa_2048 ? 1 : 0);
  }
  EXPECT_EQ(header_of(http.last()).at("alg"), "RS256");
}

}  // namespace
}  // namespace certherd::acme

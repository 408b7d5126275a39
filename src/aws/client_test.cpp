#include "aws/client.hpp"

#include <gtest/gtest.h>

#include "aws/scripted_http_test_support.hpp"
#include "aws/sigv4.hpp"

namespace certherd::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto* url = "https://route53.amazonaws.com/2013-04-01/change/C1";

class ClientTest : public ScriptedAws {
 protected:
  ClientTest() { set_keys(); }

  static Call get_change() {
    Call call;
    call.operation = "GetChange";
    call.method = Method::get;
    call.path = "/2013-04-01/change/C1";
    return call;
  }

  Client& client() {
    if (!client_) client_.emplace(session(), Client::Options{.service = Service::route53});
    return *client_;
  }
  Reply send(Call call = get_change()) { return run(client().send(std::move(call))); }

  void expect(Result<http::Response> answer, Duration takes = {}) {
    http.expect(Method::get, url, std::move(answer), takes);
  }
  void expect_throttling() { expect(xml_error(400, "Throttling", "Rate exceeded")); }

  /// The signature that a request should have by its own date.
  static std::string right_signature(const http::Request& request, const std::string& key_id) {
    Credentials credentials;
    credentials.secret_access_key = Secret<std::string>("secret of " + key_id);
    const auto authorization = header_of(request, "Authorization");
    const auto begin = authorization.find("SignedHeaders=") + 14;
    const auto names = authorization.substr(begin, authorization.find(',', begin) - begin);
    SigningKey key;
    return signature(credentials, {"us-east-1", "route53"}, header_of(request, "X-Amz-Date"),
                     canonical_request(request, names), key);
  }

  std::optional<Client> client_;
};

TEST_F(ClientTest, SignsACallAndSortsItsQuery) {
  auto call = get_change();
  call.query = {{"type", "TXT"}, {"name", "*.a b.example"}};
  call.headers = {{"Accept", "application/xml"}};
  http.expect(Method::get, std::string(url) + "?name=%2A.a%20b.example&type=TXT", answer(200, "x"));

  const auto reply = send(std::move(call));

  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "x");
  EXPECT_EQ(header_of(http.last(), "X-Amz-Date"), "20261123T120000Z");
  const auto authorization = header_of(http.last(), "Authorization");
  EXPECT_EQ(authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDENV/20261123/us-east-1/route53/aws4_request, "
            "SignedHeaders=accept;host;x-amz-date, Signature=" +
                right_signature(http.last(), "AKIDENV"));
  EXPECT_EQ(http.last_time_limit(), seconds(30));
}

TEST_F(ClientTest, SendsTheSessionTokenAndSignsIt) {
  set_keys("ASIATEMP", "token");
  expect(answer(200));
  ASSERT_TRUE(send());
  EXPECT_EQ(header_of(http.last(), "X-Amz-Security-Token"), "token");
  EXPECT_NE(header_of(http.last(), "Authorization").find("host;x-amz-date;x-amz-security-token"),
            std::string::npos);
}

TEST_F(ClientTest, TriesThreeTimesWithGrowingBackOffAndSignsAnew) {
  for (int i = 0; i < 3; ++i) expect(answer(503));

  const auto reply = send();

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.kind, Kind::transient);
  EXPECT_EQ(reply.error().status, 503);
  EXPECT_EQ(reply.error().error.op, "Route 53 GetChange");
  ASSERT_EQ(http.times().size(), 3U);
  const auto first = http.times()[1] - http.times()[0];
  const auto second = http.times()[2] - http.times()[1];
  EXPECT_GE(first, seconds(0));
  EXPECT_LT(first, seconds(1));
  EXPECT_LT(second, seconds(2));
  for (const auto& request : http.requests()) {
    EXPECT_TRUE(header_of(request, "Authorization").ends_with(right_signature(request, "AKIDENV")));
  }
}

TEST_F(ClientTest, BacksOffByChanceUpTo20Seconds) {
  environment["AWS_MAX_ATTEMPTS"] = "40";
  Duration longest{};
  Duration all{};
  for (int i = 0; i < 40; ++i) expect(answer(500));
  EXPECT_FALSE(send());
  for (std::size_t i = 1; i < 40; ++i) {
    const Duration pause = http.times()[i] - http.times()[i - 1];
    EXPECT_LE(pause, seconds(1 << std::min<std::size_t>(i - 1, 5))) << i;
    longest = std::max(longest, pause);
    all += pause;
  }
  EXPECT_LE(longest, seconds(20));
  EXPECT_GT(longest, seconds(10));
  EXPECT_GT(all, seconds(39 * 5));
}

TEST_F(ClientTest, TriesAgainAfterEveryStatusAndErrorThatMayPass) {
  const auto connection = fail(Kind::transient, "GET x", "connection refused by x");
  const std::vector<Result<http::Response>> passing = {
      answer(500),
      answer(502),
      answer(503),
      answer(504),
      answer(429),
      xml_error(400, "RequestTimeout", ""),
      xml_error(400, "Throttling", ""),
      xml_error(400, "PriorRequestNotComplete", ""),
      Result<http::Response>(connection)};
  for (const auto& first : passing) {
    expect(first);
    expect(answer(200));
    EXPECT_TRUE(send());
  }
}

TEST_F(ClientTest, TriesNothingAgainThatWillStayAsItIs) {
  const std::vector<std::pair<Result<http::Response>, Kind>> lasting = {
      {xml_error(400, "InvalidInput", "no"), Kind::rejected},
      {xml_error(403, "AccessDenied", "no"), Kind::denied},
      {xml_error(404, "NoSuchHostedZone", "no"), Kind::rejected},
      {answer(301, "", {{"location", "https://b.example/"}}), Kind::misconfigured},
      {Result<http::Response>(fail(Kind::rejected, "GET x", "not trusted")), Kind::rejected},
      {Result<http::Response>(fail(Kind::misconfigured, "GET x", "no URL")), Kind::misconfigured}};
  for (const auto& [answer, kind] : lasting) {
    expect(answer);
    EXPECT_EQ(send().error().error.kind, kind);
  }
}

TEST_F(ClientTest, SendsAgainAfterALostReply) {
  expect(fail(Kind::transient, "GET x", "the connection to x broke off"));
  expect(answer(200));
  EXPECT_TRUE(send());
}

TEST_F(ClientTest, CallsAnAttemptThatTookTooLongTransient) {
  for (int i = 0; i < 3; ++i) {
    expect(fail(Kind::deadline, "GET x", "there was no whole answer within 30s"), seconds(30));
  }
  const auto reply = send();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.kind, Kind::transient);
  EXPECT_EQ(reply.error().status, 0);
  EXPECT_EQ(reply.error().error.message(),
            "Route 53 GetChange: GET x: there was no whole answer within 30s");
}

TEST_F(ClientTest, SaysThrottledWhenItsAttemptsAreUsedUp) {
  for (int i = 0; i < 3; ++i) expect_throttling();
  const auto reply = send();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.kind, Kind::throttled);
  EXPECT_EQ(reply.error().error.message(), "Route 53 GetChange: Throttling: Rate exceeded");
  EXPECT_GT(reply.error().error.retry_at, loop->clock().now());
}

TEST_F(ClientTest, WaitsAsLongAsItIsAsked) {
  expect(answer(503, "", {{"retry-after", "15"}}));
  expect(answer(200));
  ASSERT_TRUE(send());
  EXPECT_GE(http.times()[1] - http.times()[0], seconds(15));
}

TEST_F(ClientTest, LeavesALongWaitToItsCaller) {
  expect(answer(429, "", {{"retry-after", "60"}}));
  const auto begun = loop->clock().now();
  const auto reply = send();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.retry_at, begun + seconds(60));
  EXPECT_EQ(loop->clock().now(), begun);
}

TEST_F(ClientTest, LeavesToTheCallerWhatItWantsToWaitForItself) {
  auto call = get_change();
  call.leave = [](const Failure& failure) { return failure.code == "PriorRequestNotComplete"; };
  expect(xml_error(400, "PriorRequestNotComplete", "wait"));
  const auto reply = send(call);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "PriorRequestNotComplete");
  EXPECT_EQ(reply.error().error.kind, Kind::transient);
}

TEST_F(ClientTest, HasAQuotaOfRetriesThatSuccessGivesBack) {
  environment["AWS_MAX_ATTEMPTS"] = "100";
  // 99 retries of 5 leave 5, which is one more; then there is none.
  for (int i = 0; i < 100; ++i) expect(answer(500));
  EXPECT_FALSE(send());
  for (int i = 0; i < 2; ++i) expect(answer(500));
  EXPECT_FALSE(send());
  expect(answer(500));
  EXPECT_FALSE(send());
  // Each success without a retry gives 1 back, and 5 are a retry, which its success gives back.
  for (int i = 0; i < 5; ++i) {
    expect(answer(200));
    EXPECT_TRUE(send());
  }
  for (int i = 0; i < 2; ++i) {
    expect(answer(500));
    expect(answer(200));
    EXPECT_TRUE(send());
  }
  // A retry after a timeout costs 10.
  expect(fail(Kind::deadline, "GET x", "late"));
  EXPECT_FALSE(send());
}

TEST_F(ClientTest, AsksForAdmissionBeforeEachAttempt) {
  struct Gate {
    int asked = 0;
    static Task<Status> open(Gate* gate) {
      ++gate->asked;
      if (gate->asked == 3) co_return fail(Kind::transient, "take", "the store is gone");
      co_return Status();
    }
  };
  Gate gate;
  auto call = get_change();
  call.admit = [&gate] { return Gate::open(&gate); };
  for (int i = 0; i < 2; ++i) expect(answer(500));
  const auto reply = send(call);
  ASSERT_FALSE(reply);
  EXPECT_EQ(gate.asked, 3);
  EXPECT_EQ(reply.error().error.message(), "Route 53 GetChange: take: the store is gone");
}

TEST_F(ClientTest, CorrectsItsClockByTheDateOfTheReply) {
  for (const auto* code : {"RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired",
                           "SignatureDoesNotMatch", "InvalidSignatureException"}) {
    SCOPED_TRACE(code);
    session().set_skew(Duration(0));
    expect(xml_error(403, code, "no", {{"date", "Mon, 23 Nov 2026 13:00:00 GMT"}}));
    expect(answer(200));
    ASSERT_TRUE(send());
    EXPECT_EQ(session().skew(), std::chrono::hours(1));
    EXPECT_EQ(header_of(http.last(), "X-Amz-Date"), "20261123T130000Z");
  }
  EXPECT_EQ(loop->clock().now(), http.times().front()) << "there is nothing to wait for";
}

TEST_F(ClientTest, CorrectsItsClockOnceAndOnlyWhenItWasWrong) {
  const http::Headers right = {{"date", "Mon, 23 Nov 2026 12:04:00 GMT"}};
  expect(xml_error(403, "SignatureDoesNotMatch", "no", right));
  EXPECT_EQ(send().error().error.kind, Kind::denied);
  expect(xml_error(403, "SignatureDoesNotMatch", "no"));
  EXPECT_FALSE(send());
  EXPECT_EQ(session().skew(), Duration(0));
  for (const auto* date : {"Mon, 23 Nov 2026 11:00:00 GMT", "Mon, 23 Nov 2026 10:00:00 GMT"}) {
    expect(xml_error(403, "RequestTimeTooSkewed", "no", {{"date", date}}));
  }
  EXPECT_EQ(send().error().code, "RequestTimeTooSkewed");
}

TEST_F(ClientTest, FetchesTemporaryCredentialsAnewWhenTheyAreRefused) {
  for (const auto* code : {"ExpiredToken", "ExpiredTokenException", "RequestExpired",
                           "UnrecognizedClientException", "InvalidClientTokenId"}) {
    SCOPED_TRACE(code);
    set_keys("ASIATEMP", "token");
    expect(xml_error(403, code, "no"));
    expect(answer(200));
    EXPECT_TRUE(send());
    for (int i = 0; i < 2; ++i) expect(xml_error(403, code, "no"));
    EXPECT_EQ(send().error().code, code);
  }
}

TEST_F(ClientTest, TakesTheRefusalOfLastingKeysAsItIs) {
  expect(xml_error(403, "InvalidClientTokenId", "The security token is invalid."));
  EXPECT_EQ(send().error().error.message(),
            "Route 53 GetChange: InvalidClientTokenId: The security token is invalid. (check the "
            "access key and its secret); signed with the credentials of the environment");
}

TEST_F(ClientTest, ShowsTheSentenceOfAwsThatNamesTheMissingRight) {
  const std::string sentence =
      "User: arn:aws:iam::1:user/a is not authorized to perform: "
      "route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1";
  expect(xml_error(403, "AccessDenied", sentence));
  EXPECT_NE(send().error().error.detail.find(sentence), std::string::npos);
}

TEST_F(ClientTest, NamesNoSecretInAnError) {
  set_keys("ASIATEMP", "the token");
  for (int i = 0; i < 2; ++i) expect(xml_error(403, "ExpiredToken", "no"));
  const auto words = send().error().error.message();
  EXPECT_EQ(words.find("the token"), std::string::npos) << words;
  EXPECT_EQ(words.find("secret of"), std::string::npos) << words;
}

TEST_F(ClientTest, SendsNothingWithoutCredentialsOrEndpoint) {
  environment.erase("AWS_ACCESS_KEY_ID");
  environment.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_EQ(send().error().error.kind, Kind::misconfigured);
  Client secrets(session(), {.service = Service::secrets_manager});
  const auto reply = run(secrets.send(get_change()));
  EXPECT_EQ(reply.error().error.kind, Kind::misconfigured);
  EXPECT_EQ(reply.error().error.op,
            "Secrets Manager GetChange: find the endpoint of Secrets Manager");
}

TEST_F(ClientTest, LeavesReadingATruncatedBodyToItsCaller) {
  expect(answer(200, "<GetChangeResponse><ChangeInfo>"));
  EXPECT_EQ(send()->body, "<GetChangeResponse><ChangeInfo>");
}

}  // namespace
}  // namespace certherd::aws

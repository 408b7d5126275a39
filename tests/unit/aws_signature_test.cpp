#include "sim/aws_signature.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "aws/client.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::fakes {
namespace {

using std::chrono::minutes;

/// A service that looks at the signature first, on a clock of its own.
class StrictServer final : public http::Client {
 public:
  Task<Result<http::Response>> send(http::Request request, Time) override {
    ++requests;
    if (tamper) tamper(&request);
    auto refusal =
        sim::refuse_bad_signature(request, credentials, scope, clock->now() + ahead, xml, key);
    if (refusal) co_return std::move(*refusal);
    http::Response response;
    response.status = 200;
    co_return response;
  }

  runtime::Clock* clock = nullptr;
  aws::Credentials credentials;
  aws::SigningScope scope{"us-east-1", "route53"};
  Duration ahead{};
  bool xml = true;
  aws::SigningKey key;
  int requests = 0;
  std::function<void(http::Request*)> tamper;
};

class SignatureCheck : public testing::Test {
 protected:
  SignatureCheck() {
    server.clock = &loop->clock();
    server.credentials.access_key_id = "ASIATEMP";
    server.credentials.secret_access_key = Secret<std::string>("secret");
    server.credentials.session_token = Secret<std::string>("token");
  }

  aws::Reply call(aws::Service service, aws::Credentials credentials) {
    aws::Settings settings;
    settings.region = "eu-west-1";
    aws::Session session(*loop, *offload, random, server, settings, std::move(credentials));
    aws::Client client(session, {.service = service});
    aws::Call call;
    call.operation = "Call";
    call.path = "/a*b";
    call.query = {{"b", "x y"}, {"a", "*"}};
    call.headers = {{"Content-Type", "text/plain"}};
    call.body = "body";
    return loop->run(client.send(std::move(call)));
  }
  std::string code_of(const std::function<void(http::Request*)>& tamper) {
    server.tamper = tamper;
    const auto reply = call(aws::Service::route53, server.credentials);
    return reply ? "accepted" : reply.error().code;
  }

  std::unique_ptr<runtime::EventLoop> loop =
      runtime::make_virtual_loop(*parse_time("2026-11-23T12:00:00Z"));
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  runtime::SeededRandom random{1};
  StrictServer server;
};

TEST_F(SignatureCheck, AcceptsWhatOurClientSigns) {
  EXPECT_TRUE(call(aws::Service::route53, server.credentials));
  server.scope = {"eu-west-1", "secretsmanager"};
  server.xml = false;
  server.credentials.session_token.reset();
  EXPECT_TRUE(call(aws::Service::secrets_manager, server.credentials));
  EXPECT_EQ(server.requests, 2);
}

TEST_F(SignatureCheck, RefusesWhatWasChangedOnItsWay) {
  EXPECT_EQ(code_of([](auto* r) { r->body += "x"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of([](auto* r) { r->url += "&c=d"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of([](auto* r) { r->method = http::Request::Method::put; }),
            "SignatureDoesNotMatch");
  EXPECT_EQ(code_of([](auto* r) { r->headers[0].second = "text/html"; }), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of([](auto* r) { r->headers.emplace_back("X-Amz-Target", "y"); }),
            "IncompleteSignature");
  EXPECT_EQ(code_of([](auto* r) { r->headers.push_back(r->headers[1]); }), "IncompleteSignature");
  EXPECT_EQ(code_of([](auto* r) { r->headers.pop_back(); }), "MissingAuthenticationToken");
}

TEST_F(SignatureCheck, RefusesOtherKeysTokensAndScopes) {
  auto other = server.credentials;
  other.access_key_id = "AKIAOTHER";
  EXPECT_EQ(call(aws::Service::route53, other).error().code, "InvalidClientTokenId");
  other = server.credentials;
  other.session_token = Secret<std::string>("another");
  EXPECT_EQ(call(aws::Service::route53, other).error().code, "InvalidClientTokenId");
  other = server.credentials;
  other.secret_access_key = Secret<std::string>("another");
  EXPECT_EQ(call(aws::Service::route53, other).error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(call(aws::Service::sts, server.credentials).error().code, "SignatureDoesNotMatch");
  server.xml = false;
  EXPECT_EQ(call(aws::Service::sts, server.credentials).error().code, "InvalidSignatureException");
}

TEST_F(SignatureCheck, MakesOurClientCorrectItsClock) {
  for (const bool xml : {true, false}) {
    server.xml = xml;
    for (const auto ahead : {minutes(7), minutes(-7), minutes(60 * 24)}) {
      server.ahead = ahead;
      server.requests = 0;
      EXPECT_TRUE(call(aws::Service::route53, server.credentials));
      EXPECT_EQ(server.requests, 2);
    }
  }
  server.ahead = minutes(5);
  server.requests = 0;
  EXPECT_TRUE(call(aws::Service::route53, server.credentials));
  EXPECT_EQ(server.requests, 1);
}

TEST(HttpDate, IsReadAsItIsWritten) {
  const auto time = *parse_time("1994-11-06T08:49:37Z");
  EXPECT_EQ(sim::http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http::parse_http_date(sim::http_date(time)), time);
}

}  // namespace
}  // namespace certherd::fakes

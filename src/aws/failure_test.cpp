#include "aws/failure.hpp"

#include <gtest/gtest.h>

#include "aws/scripted_http_test_support.hpp"

namespace certherd::aws {
namespace {

using Kind = Error::Kind;

constexpr Time now = Time(std::chrono::hours(24) * 20'000);

Failure read(const http::Response& response) {
  return read_failure("Route 53 Call", response, now);
}

http::Response json_error(int status, const std::string& type, const std::string& member,
                          const std::string& message) {
  return answer(status,
                R"({"__type": ")" + type + R"(", ")" + member + R"(": ")" + message + R"("})");
}

TEST(ReadFailure, KnowsTheCodesThatAllServicesShare) {
  struct Row {
    int status;
    std::string code;
    Kind kind;
    std::string remedy;
  };
  const std::string let = " (let its policy allow that action)";
  const std::string keys = " (check the access key and its secret)";
  const std::string renew = " (renew them where they come from)";
  const std::string clock = " (set the clock of this machine)";
  const std::vector<Row> rows = {
      {403, "AccessDenied", Kind::denied, let},
      {400, "AccessDeniedException", Kind::denied, let},
      {401, "NotAuthorizedException", Kind::denied, let},
      {403, "NotAuthorized", Kind::denied, let},
      {403, "UnauthorizedOperation", Kind::denied, let},
      {403, "OptInRequired", Kind::denied, " (sign the account up for the service)"},
      {403, "ExpiredToken", Kind::denied, renew},
      {400, "ExpiredTokenException", Kind::denied, renew},
      {403, "InvalidClientTokenId", Kind::denied, keys},
      {400, "UnrecognizedClientException", Kind::denied, keys},
      {403, "InvalidAccessKeyId", Kind::denied, keys},
      {403, "AuthFailure", Kind::denied, keys},
      {403, "SignatureDoesNotMatch", Kind::denied, keys},
      {400, "InvalidSignatureException", Kind::denied, keys},
      {400, "IncompleteSignature", Kind::denied, keys},
      {400, "IncompleteSignatureException", Kind::denied, keys},
      {403, "MissingAuthenticationToken", Kind::denied, keys},
      {400, "MissingAuthenticationTokenException", Kind::denied, keys},
      {403, "RequestTimeTooSkewed", Kind::denied, clock},
      {403, "RequestInTheFuture", Kind::denied, clock},
      {400, "RequestExpired", Kind::denied, clock},
      {400, "RequestTimeout", Kind::transient, ""},
      {400, "RequestTimeoutException", Kind::transient, ""},
      {400, "PriorRequestNotComplete", Kind::transient, ""},
      {400, "IDPCommunicationError", Kind::transient, ""},
      {500, "InternalFailure", Kind::transient, ""},
      {500, "InternalError", Kind::transient, ""},
      {500, "InternalServerError", Kind::transient, ""},
      {400, "InternalServiceError", Kind::transient, ""},
      {500, "InternalServiceErrorException", Kind::transient, ""},
      {503, "ServiceUnavailable", Kind::transient, ""},
      {503, "ServiceUnavailableException", Kind::transient, ""},
      {400, "Throttling", Kind::throttled, ""},
      {400, "ThrottlingException", Kind::throttled, ""},
      {400, "ThrottledException", Kind::throttled, ""},
      {400, "RequestThrottled", Kind::throttled, ""},
      {400, "RequestThrottledException", Kind::throttled, ""},
      {400, "TooManyRequestsException", Kind::throttled, ""},
      {400, "ProvisionedThroughputExceededException", Kind::throttled, ""},
      {400, "TransactionInProgressException", Kind::throttled, ""},
      {400, "RequestLimitExceeded", Kind::throttled, ""},
      {400, "BandwidthLimitExceeded", Kind::throttled, ""},
      {400, "LimitExceededException", Kind::throttled, ""},
      {503, "SlowDown", Kind::throttled, ""},
      {400, "EC2ThrottledException", Kind::throttled, ""},
      // What only the service knows.
      {400, "InvalidInput", Kind::rejected, ""},
      {404, "NoSuchHostedZone", Kind::rejected, ""},
      {400, "ResourceNotFoundException", Kind::rejected, ""},
      {500, "SomethingNew", Kind::transient, ""},
      {429, "SomethingNew", Kind::throttled, ""},
      {403, "SomethingNew", Kind::denied, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.code);
    for (const auto& response : {xml_error(row.status, row.code, "Its words."),
                                 json_error(row.status, row.code, "message", "Its words.")}) {
      const auto failure = read(response);
      EXPECT_EQ(failure.error.kind, row.kind);
      EXPECT_EQ(failure.error.message(),
                "Route 53 Call: " + row.code + ": Its words." + row.remedy);
      EXPECT_EQ(failure.status, row.status);
      EXPECT_EQ(failure.code, row.code);
      EXPECT_EQ(failure.messages, std::vector<std::string>{"Its words."});
      EXPECT_EQ(failure.error.retry_at.has_value(), row.kind == Kind::throttled);
    }
    EXPECT_EQ(is_throttling(row.code), row.kind == Kind::throttled && row.code != "SomethingNew");
  }
}

TEST(ReadFailure, JudgesByTheStatusWhereNoServiceSpeaks) {
  const std::string page = "<html><body><h1>It broke";
  const std::vector<std::pair<int, Kind>> rows = {
      {400, Kind::rejected},  {401, Kind::denied},    {403, Kind::denied},
      {404, Kind::rejected},  {408, Kind::transient}, {429, Kind::throttled},
      {500, Kind::transient}, {501, Kind::rejected},  {502, Kind::transient},
      {503, Kind::transient}, {504, Kind::transient}, {505, Kind::rejected}};
  for (const auto& [status, kind] : rows) {
    const auto failure = read(answer(status, page, {{"content-type", "text/html"}}));
    EXPECT_EQ(failure.error.kind, kind) << status;
    EXPECT_EQ(failure.error.detail, "the server answered " + std::to_string(status) +
                                        " with text/html instead of an error of AWS");
    EXPECT_EQ(failure.code, "");
  }
  EXPECT_EQ(read(answer(500)).error.detail,
            "the server answered 500 with no content instead of an error of AWS");
}

TEST(ReadFailure, NamesWhereARedirectLeads) {
  const auto failure = read(answer(307, "", {{"location", "https://elsewhere.example/"}}));
  EXPECT_EQ(failure.error.kind, Kind::misconfigured);
  EXPECT_EQ(failure.error.detail,
            "the server leads on to https://elsewhere.example/, and signed calls follow no "
            "redirect: correct the endpoint");
}

TEST(ReadFailure, ListsTheMessagesOfAChangeBatchInEitherForm) {
  const std::vector<std::string> messages = {
      "Tried to create resource record set [name='_acme-challenge.a.example.', type='TXT'] but it "
      "already exists",
      "Tried to delete resource record set [name='b.example.', type='TXT'] but it was not found"};
  const auto own_root = read(
      answer(400,
             "<?xml version=\"1.0\"?><InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/"
             "2013-04-01/\"><Messages><Message>" +
                 messages[0] + "</Message><Message>" + messages[1] +
                 "</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>"));
  const auto in_error =
      read(xml_error(400, "InvalidChangeBatch", "[" + messages[0] + ", " + messages[1] + "]"));
  const auto listed =
      read(answer(400, "<ErrorResponse><Error><Code>InvalidChangeBatch</Code><Messages><Message>" +
                           messages[0] + "</Message><Message>" + messages[1] +
                           "</Message></Messages></Error></ErrorResponse>"));
  for (const auto& failure : {own_root, in_error, listed}) {
    EXPECT_EQ(failure.error.kind, Kind::rejected);
    EXPECT_EQ(failure.code, "InvalidChangeBatch");
    EXPECT_EQ(failure.messages, messages);
    EXPECT_EQ(failure.error.detail, "InvalidChangeBatch: " + messages[0] + "; " + messages[1]);
  }
}

TEST(ReadFailure, KeepsACommaInsideOneMessage) {
  const std::string message =
      "Tried to create resource record set a.example. type TXT, but it "
      "already exists";
  EXPECT_EQ(read(xml_error(400, "InvalidChangeBatch", "[" + message + "]")).messages,
            std::vector<std::string>{message});
  EXPECT_EQ(read(xml_error(400, "InvalidInput", message)).messages,
            std::vector<std::string>{message});
}

TEST(ReadFailure, TakesTheCodeOfJsonWithoutItsNamespace) {
  const auto prefixed = json_error(400, "com.amazonaws.secretsmanager#ResourceExistsException",
                                   "Message", "It is there.");
  EXPECT_EQ(read(prefixed).error.detail, "ResourceExistsException: It is there.");
  const auto header = answer(400, R"({"message": "Not there."})",
                             {{"x-amzn-errortype", "ResourceNotFoundException:http://x/"}});
  EXPECT_EQ(read(header).error.detail, "ResourceNotFoundException: Not there.");
  EXPECT_EQ(read(answer(400, R"({"__type": "X"})")).error.detail, "X");
  EXPECT_EQ(read(answer(400, R"({"__type": 5, "message": [1]})")).code, "");
}

TEST(ReadFailure, GuessesNothingFromATruncatedAnswer) {
  for (const char* body :
       {"<ErrorResponse><Error><Code>Throttling</Code>", "{\"__type\": \"Throttl", "<a></b>", "[]",
        "\"text\"", "<InvalidChangeBatch><Messages>"}) {
    EXPECT_EQ(read(answer(400, body)).code, "") << body;
    EXPECT_EQ(read(answer(400, body)).error.kind, Kind::rejected) << body;
  }
}

TEST(ReadFailure, ShowsNoControlCharactersAndNoEndlessText) {
  const auto failure =
      read(json_error(400, "X", "message", "a\\u001b[2Jb" + std::string(9000, 'x')));
  EXPECT_EQ(failure.error.detail.find('\x1b'), std::string::npos);
  EXPECT_LT(failure.error.detail.size(), 2100U);
}

TEST(ReadFailure, SaysWhenToComeBack) {
  const auto asked = read(answer(503, "", {{"retry-after", "7"}}));
  EXPECT_EQ(asked.error.retry_at, now + std::chrono::seconds(7));
  EXPECT_EQ(read(xml_error(400, "Throttling", "Rate exceeded")).error.retry_at,
            now + std::chrono::seconds(20));
  EXPECT_EQ(read(answer(503, "", {{"retry-after", "999999999"}})).error.retry_at,
            now + std::chrono::hours(24));
  EXPECT_EQ(read(answer(503)).error.retry_at, std::nullopt);
}

}  // namespace
}  // namespace certherd::aws

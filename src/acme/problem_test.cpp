#include "acme/problem.hpp"

#include <gtest/gtest.h>

#include "acme/scripted_http_test_support.hpp"

namespace certherd::acme {
namespace {

using Kind = Error::Kind;

const Time now = *parse_time("2026-11-23T12:00:00Z");

/// An error type, the status it comes with, what it means to us, and what a person is told to do.
struct TypeRow {
  std::string type;
  int status;
  Kind kind;
  std::string remedy = {};
};
class ErrorTypes : public testing::TestWithParam<TypeRow> {};

TEST_P(ErrorTypes, MeansTheKindOfTheTable) {
  const auto& [type, status, kind, remedy] = GetParam();
  const http::Headers wait = {{"retry-after", "30"}};
  const auto response = problem_answer(status, type, "the server's words", wait);

  const Error error = to_error("POST https://ca.example/x", response, now);

  EXPECT_EQ(error.kind, kind);
  EXPECT_EQ(error.op, "POST https://ca.example/x");
  EXPECT_EQ(error.detail, "the server's words" + (remedy.empty() ? "" : " (" + remedy + ")"));
  ASSERT_TRUE(error.problem);
  EXPECT_TRUE(error.problem->is_acme(type));
  EXPECT_EQ(error.problem->status, status);
  EXPECT_EQ(error.retry_at, now + std::chrono::seconds(30));
}

constexpr auto* register_it = "register it: certherd account register";
constexpr auto* other_key = "choose another account_key";
constexpr auto* other_contact = "correct contact for this CA";
constexpr auto* other_name = "take the name out or choose another CA";

INSTANTIATE_TEST_SUITE_P(
    Rfc8555, ErrorTypes,
    testing::Values(
        TypeRow{"accountDoesNotExist", 400, Kind::denied, register_it},
        TypeRow{"alreadyRevoked", 400, Kind::conflict},
        TypeRow{"badCSR", 400, Kind::rejected, "if it is about the key, choose another key type"},
        TypeRow{"badNonce", 400, Kind::transient},
        TypeRow{"badPublicKey", 400, Kind::misconfigured, other_key},
        TypeRow{"badRevocationReason", 400, Kind::rejected, "choose another reason"},
        TypeRow{"badSignatureAlgorithm", 400, Kind::misconfigured, other_key},
        TypeRow{"caa", 403, Kind::rejected, "let the domain's CAA records name this CA"},
        TypeRow{"compound", 400, Kind::rejected}, TypeRow{"connection", 400, Kind::rejected},
        TypeRow{"dns", 400, Kind::rejected, "see what its name servers answer: certherd doctor"},
        TypeRow{"externalAccountRequired", 400, Kind::misconfigured, "set eab for this CA"},
        TypeRow{"incorrectResponse", 403, Kind::rejected},
        TypeRow{"invalidContact", 400, Kind::misconfigured, other_contact},
        TypeRow{"malformed", 400, Kind::rejected}, TypeRow{"malformed", 404, Kind::not_found},
        TypeRow{"malformed", 405, Kind::rejected}, TypeRow{"malformed", 415, Kind::rejected},
        TypeRow{"orderNotReady", 403, Kind::conflict}, TypeRow{"rateLimited", 429, Kind::throttled},
        TypeRow{"rejectedIdentifier", 400, Kind::rejected, other_name},
        TypeRow{"serverInternal", 500, Kind::transient}, TypeRow{"tls", 400, Kind::rejected},
        TypeRow{"unauthorized", 403, Kind::denied},
        TypeRow{"unsupportedContact", 400, Kind::misconfigured, other_contact},
        TypeRow{"unsupportedIdentifier", 400, Kind::rejected, other_name},
        TypeRow{"userActionRequired", 403, Kind::misconfigured}),
    [](const auto& row) { return row.param.type + "_" + std::to_string(row.param.status); });

INSTANTIATE_TEST_SUITE_P(
    Later, ErrorTypes,
    testing::Values(TypeRow{"alreadyReplaced", 409, Kind::conflict},
                    TypeRow{"autoRenewalCanceled", 403, Kind::rejected},
                    TypeRow{"autoRenewalCancellationInvalid", 403, Kind::rejected},
                    TypeRow{"autoRenewalExpired", 403, Kind::rejected},
                    TypeRow{"autoRenewalRevocationNotSupported", 403, Kind::rejected},
                    TypeRow{"invalidProfile", 400, Kind::misconfigured, "choose another profile"},
                    TypeRow{"onionCAARequired", 403, Kind::rejected},
                    TypeRow{"unknownDelegation", 403, Kind::rejected},
                    TypeRow{"conflict", 409, Kind::conflict},
                    TypeRow{"fromTheFuture", 400, Kind::rejected},
                    TypeRow{"fromTheFuture", 403, Kind::denied},
                    TypeRow{"fromTheFuture", 404, Kind::not_found},
                    TypeRow{"fromTheFuture", 503, Kind::transient},
                    TypeRow{"notImplemented", 501, Kind::rejected}),
    [](const auto& row) { return row.param.type + "_" + std::to_string(row.param.status); });

using StatusRow = std::pair<int, Kind>;
class StatusCodes : public testing::TestWithParam<StatusRow> {};

TEST_P(StatusCodes, DecideWhereTheServerGaveNoProblem) {
  const auto& [status, kind] = GetParam();
  const Error error = to_error("GET x", answer(status, "text/html", "<h1>Sorry</h1>"), now);
  EXPECT_EQ(error.kind, kind);
  EXPECT_FALSE(error.problem);
  EXPECT_EQ(error.detail, "the server answered " + std::to_string(status) + " with text/html");
}

INSTANTIATE_TEST_SUITE_P(
    Http, StatusCodes,
    testing::Values(StatusRow{301, Kind::rejected}, StatusRow{400, Kind::rejected},
                    StatusRow{401, Kind::denied}, StatusRow{403, Kind::denied},
                    StatusRow{404, Kind::not_found}, StatusRow{408, Kind::transient},
                    StatusRow{409, Kind::conflict}, StatusRow{410, Kind::not_found},
                    StatusRow{429, Kind::throttled}, StatusRow{500, Kind::transient},
                    StatusRow{501, Kind::rejected}, StatusRow{502, Kind::transient},
                    StatusRow{503, Kind::transient}));

TEST(ToError, TellsWhenToComeBackFromAWebPageOfTheLoadBalancer) {
  const http::Headers wait = {{"retry-after", "Mon, 23 Nov 2026 12:05:00 GMT"}};
  const Error error = to_error("GET x", answer(503, "text/html", "<html>", wait), now);
  EXPECT_EQ(error.kind, Kind::transient);
  EXPECT_EQ(error.retry_at, now + std::chrono::minutes(5));
}

TEST(ToError, AlwaysSaysWhenToComeBackAfterTooMany) {
  const Error error = to_error("GET x", answer(429, "", ""), now);
  EXPECT_EQ(error.kind, Kind::throttled);
  EXPECT_GT(error.retry_at, now);
}

TEST(ToError, TakesRateLimitedWithoutRetryAfterForAPauseThatAPersonHasToLift) {
  const std::string words = "Your account is paused for a.example. Visit https://ca.example/lift";
  const Error error = to_error("POST x", problem_answer(429, "rateLimited", words), now);
  EXPECT_EQ(error.kind, Kind::rejected);
  EXPECT_EQ(error.detail,
            words + " (a person has to lift this at the CA; until then it is asked once a day)");
  EXPECT_EQ(error.retry_at, now + std::chrono::hours(24));
}

TEST(ToError, ShowsThePageAboutALimit) {
  const Error error = to_error(
      "POST x",
      problem_answer(429, "rateLimited", "too many",
                     {{"retry-after", "60"}, {"link", "<https://ca.example/limits>;rel=\"help\""}}),
      now);
  EXPECT_EQ(error.kind, Kind::throttled);
  EXPECT_EQ(error.detail, "too many (see https://ca.example/limits)");
}

TEST(ToError, BelievesNobodyWhoWantsToBeLeftAloneForYears) {
  const Error error = to_error(
      "POST x", problem_answer(429, "rateLimited", "no", {{"retry-after", "99999999999"}}), now);
  EXPECT_EQ(error.retry_at, now + std::chrono::days(7));
}

TEST(ToError, ShowsWhereAPersonMustActAndWhatCanBeDoneHere) {
  const std::string body = R"({"type": "urn:ietf:params:acme:error:userActionRequired",
                               "detail": "Terms have changed",
                               "instance": "https://ca.example/agree?token=1"})";
  const auto agree = answer(403, "application/problem+json", body);
  EXPECT_EQ(to_error("POST x", agree, now).detail,
            "Terms have changed (see https://ca.example/agree?token=1)");
  const http::Headers terms = {{"link", "<https://ca.example/dir>;rel=\"index\""},
                               {"link", "<https://ca.example/terms-v2>;rel=\"terms-of-service\""}};
  EXPECT_EQ(to_error("POST x", answer(403, "application/problem+json", body, terms), now).detail,
            "Terms have changed (see https://ca.example/agree?token=1 and "
            "https://ca.example/terms-v2)");
  EXPECT_EQ(
      to_error("POST x", problem_answer(403, "userActionRequired", "Agree", terms), now).detail,
      "Agree (see https://ca.example/terms-v2)");
}

TEST(ToError, TellsOfEachIdentifierInACauseOfItsOwn) {
  const auto response = answer(403, "application/problem+json", R"({
      "type": "urn:ietf:params:acme:error:compound", "detail": "Some are refused",
      "subproblems": [
        {"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden by CAA",
         "identifier": {"type": "dns", "value": "a.example"}},
        {"type": "urn:ietf:params:acme:error:userActionRequired", "detail": "sign here",
         "identifier": {"type": "dns", "value": "c.example"}},
        "rubbish",
        {"detail": 7, "identifier": "b.example"}]})");
  const Error error = to_error("newOrder", response, now);
  ASSERT_TRUE(error.problem);
  ASSERT_EQ(error.problem->subproblems.size(), 3U);
  EXPECT_EQ(error.problem->subproblems[0].type, "urn:ietf:params:acme:error:caa");
  ASSERT_EQ(error.causes.size(), 3U);
  EXPECT_EQ(error.causes[0].op, "a.example");
  EXPECT_EQ(error.causes[0].kind, Kind::rejected);
  EXPECT_EQ(error.causes[1].kind, Kind::misconfigured);
  EXPECT_NE(error.message().find("; a.example: forbidden by CAA; c.example: sign here"),
            std::string::npos);
  EXPECT_EQ(error.message().find("forbidden"), error.message().rfind("forbidden"));
}

TEST(ToError, LetsNoControlCharactersThrough) {
  const auto response =
      answer(403, "application/problem+json", "{\"detail\": \"\\u001b[2Jgone\\nand \\u007f\"}");
  EXPECT_EQ(to_error("POST x", response, now).detail, " [2Jgone and  ");
}

TEST(ToError, SurvivesAProblemThatIsNone) {
  for (const auto* body : {"", "{", "[]", "null", R"({"type": 1, "detail": [], "status": "x"})"}) {
    const Error error = to_error("POST x", answer(500, "application/problem+json", body), now);
    EXPECT_EQ(error.kind, Kind::transient) << body;
  }
}

TEST(ParseProblem, CutsEndlessTextsBetweenCharactersAndEndlessLists) {
  boost::json::array many(5000, boost::json::object{{"detail", "no"}});
  std::string words = "x";
  for (int i = 0; i < 5000; ++i) words += "ä";
  const auto problem = parse_problem({{"detail", words}, {"subproblems", many}});
  EXPECT_LT(problem.detail.size(), 2010U);
  EXPECT_TRUE(problem.detail.ends_with("ä…"));
  EXPECT_EQ(problem.subproblems.size(), 100U);
}

TEST(ValidationError, IsAlwaysRejectedAndKeepsTheProblem) {
  const auto error = validation_error(
      "order", object(R"({"type": "urn:ietf:params:acme:error:serverInternal", "detail": "d",
                          "status": 500})"));
  EXPECT_EQ(error.kind, Kind::rejected);
  EXPECT_EQ(error.problem->status, 500);
}

}  // namespace
}  // namespace certherd::acme

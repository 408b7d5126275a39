#include "base/result.hpp"

#include <gtest/gtest.h>

namespace certherd {
namespace {

Error make_error(std::string op, std::string detail) {
  return fail(Error::Kind::rejected, std::move(op), std::move(detail)).value();
}

Problem problem_of(std::string type) {
  Problem problem;
  problem.type = std::move(type);
  return problem;
}

TEST(ErrorText, PutsTheOutermostStepFirst) {
  const Error error = make_error("POST /order", "status 500");
  EXPECT_EQ(error.during("finalize").message(), "finalize: POST /order: status 500");
  EXPECT_EQ(make_error("", "x").during("finalize").op, "finalize");
}

TEST(ErrorText, TellsTheServersWordsOnceAndEachCause) {
  Error error = make_error("new order", "refused");
  Problem problem = problem_of("urn:ietf:params:acme:error:rejectedIdentifier");
  problem.detail = "policy forbids";
  problem.subproblems = {{.type = {}, .detail = "bad name", .identifier = "a.example"}};
  error.problem = std::make_shared<const Problem>(problem);
  EXPECT_EQ(error.message(), "new order: refused - policy forbids; a.example: bad name");
  error.detail = "policy forbids";
  EXPECT_EQ(error.message(), "new order: policy forbids; a.example: bad name");

  error.causes = {make_error("ns1", "timeout"), make_error("ns2", "refused")};
  EXPECT_EQ(error.message(), "new order: policy forbids; ns1: timeout; ns2: refused");
}

TEST(ErrorText, IsOneLineWhateverAServerSays) {
  Error error;
  error.op = "read order";
  error.detail = "the unknown status \"\x1b]0;mine\x07\n\"";
  error.causes = {{.op = "a\xff.example", .detail = std::string(5000, 'x')}};

  EXPECT_EQ(error.message(), "read order: the unknown status \" ]0;mine  \"; a\uFFFD.example: " +
                                 std::string(2000, 'x') + "…");
}

TEST(ErrorText, ComparesProblemsByContent) {
  Error left = make_error("a", "b");
  Error right = left;
  EXPECT_EQ(left, right);
  left.problem = std::make_shared<const Problem>(problem_of("x"));
  EXPECT_NE(left, right);
  right.problem = std::make_shared<const Problem>(problem_of("x"));
  EXPECT_EQ(left, right);
}

TEST(ErrorKind, HasTheContractsWordsBothWays) {
  using enum Error::Kind;
  for (const auto kind :
       {transient, throttled, denied, not_found, conflict, rejected, misconfigured, deadline}) {
    EXPECT_EQ(parse_error_kind(to_string(kind)), kind);
  }
  EXPECT_EQ(to_string(not_found), "not_found");
  EXPECT_EQ(parse_error_kind("Transient"), std::nullopt);
  EXPECT_EQ(parse_error_kind(""), std::nullopt);
}

TEST(AcmeProblem, IsKnownByItsUrnAlone) {
  const Problem problem = problem_of("urn:ietf:params:acme:error:badNonce");
  EXPECT_TRUE(problem.is_acme("badNonce"));
  EXPECT_FALSE(problem.is_acme("bad"));
  EXPECT_FALSE(problem_of("badNonce").is_acme("badNonce"));
  EXPECT_FALSE(Problem{}.is_acme(""));
}

}  // namespace
}  // namespace certherd

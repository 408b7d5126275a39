#include "policy/caa.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using Outcome = CaaVerdict::Outcome;
using testing::HasSubstr;

constexpr auto account = "https://ca.example/acct/17";

/// A request of the CA "ca.example" (also "ca.test") by that account.
CaaRequest of_ca_example(bool wildcard = false) {
  return {.wildcard = wildcard, .issuers = {"ca.example", "ca.test"}, .account = account};
}

struct Row {
  std::string_view what;
  std::vector<CaaProperty> set;
  Outcome expected;
};

void check(const std::vector<Row>& rows, const CaaRequest& request) {
  for (const auto& row : rows) {
    const auto verdict = judge_caa(row.set, request);
    EXPECT_EQ(verdict.outcome, row.expected) << row.what << ": " << verdict.reason;
    EXPECT_EQ(verdict.remedy.empty(), verdict.outcome == Outcome::allowed) << row.what;
    if (verdict.outcome != Outcome::allowed) EXPECT_FALSE(verdict.reason.empty()) << row.what;
  }
}

TEST(JudgeCaa, GoesByIssueForNames) {
  check(
      {
          {"no CAA at all", {}, Outcome::allowed},
          {"our issuer", {{0, "issue", "ca.example"}}, Outcome::allowed},
          {"another name of ours", {{0, "issue", "ca.test"}}, Outcome::allowed},
          {"any case of tag and name", {{0, "ISSUE", "CA.Example"}}, Outcome::allowed},
          {"blanks around it", {{0, "issue", " \tca.example \t"}}, Outcome::allowed},
          {"somebody else", {{0, "issue", "other.example"}}, Outcome::forbidden},
          {"one of several",
           {{0, "issue", "other.example"}, {0, "issue", "ca.example"}},
           Outcome::allowed},
          {"nobody", {{0, "issue", ";"}}, Outcome::forbidden},
          {"nobody, by an empty value", {{0, "issue", ""}}, Outcome::forbidden},
          {"nobody, yet also us",
           {{0, "issue", ";"}, {0, "issue", "ca.example"}},
           Outcome::allowed},
          {"a subdomain of ours is not ours", {{0, "issue", "x.ca.example"}}, Outcome::forbidden},
          {"a superdomain neither", {{0, "issue", "example"}}, Outcome::forbidden},
          {"issuewild says nothing of names",
           {{0, "issuewild", "other.example"}},
           Outcome::allowed},
          {"not even to forbid", {{0, "issuewild", ";"}}, Outcome::allowed},
          {"only iodef", {{0, "iodef", "mailto:a@b.example"}}, Outcome::allowed},
          {"critical iodef is known", {{128, "iodef", "mailto:a@b.example"}}, Outcome::allowed},
          {"critical issue is known", {{128, "issue", "ca.example"}}, Outcome::allowed},
          {"an unknown property", {{0, "future", "x"}}, Outcome::allowed},
          {"a critical unknown one", {{128, "future", "x"}}, Outcome::forbidden},
          {"also beside one that allows",
           {{0, "issue", "ca.example"}, {128, "future", "x"}},
           Outcome::forbidden},
          {"with the bit that is often taken for it", {{1, "future", "x"}}, Outcome::forbidden},
          {"other bits mean nothing", {{64, "future", "x"}}, Outcome::allowed},
          {"a tag that only begins like one", {{128, "issuer", "ca.example"}}, Outcome::forbidden},
      },
      of_ca_example());
}

TEST(JudgeCaa, GoesByIssuewildForWildcards) {
  check(
      {
          {"no CAA at all", {}, Outcome::allowed},
          {"issue alone counts for wildcards too", {{0, "issue", "ca.example"}}, Outcome::allowed},
          {"also where it forbids", {{0, "issue", "other.example"}}, Outcome::forbidden},
          {"issuewild wins, to allow",
           {{0, "issue", "other.example"}, {0, "issuewild", "ca.example"}},
           Outcome::allowed},
          {"issuewild wins, to forbid",
           {{0, "issue", "ca.example"}, {0, "issuewild", "other.example"}},
           Outcome::forbidden},
          {"no wildcards at all",
           {{0, "issue", "ca.example"}, {0, "issuewild", ";"}},
           Outcome::forbidden},
          {"its parameters count as well",
           {{0, "issuewild", "ca.example; validationmethods=http-01"}},
           Outcome::forbidden},
      },
      of_ca_example(true));
}

TEST(JudgeCaa, WantsAccountAndMethodWhereTheSetDoes) {
  check(
      {
          {"our account",
           {{0, "issue", "ca.example; accounturi=https://ca.example/acct/17"}},
           Outcome::allowed},
          {"blanks around the parts",
           {{0, "issue", "ca.example ;\taccounturi = https://ca.example/acct/17 "}},
           Outcome::allowed},
          {"another account",
           {{0, "issue", "ca.example; accounturi=https://ca.example/acct/1"}},
           Outcome::forbidden},
          {"one that differs in case",
           {{0, "issue", "ca.example; accounturi=https://CA.example/acct/17"}},
           Outcome::forbidden},
          {"one of two properties",
           {{0, "issue", "ca.example; accounturi=https://ca.example/acct/1"},
            {0, "issue", "ca.example; accounturi=https://ca.example/acct/17"}},
           Outcome::allowed},
          {"two accounts in one property",
           {{0, "issue",
             "ca.example; accounturi=https://ca.example/acct/17; "
             "accounturi=https://ca.example/acct/17"}},
           Outcome::forbidden},
          {"our method", {{0, "issue", "ca.example; validationmethods=dns-01"}}, Outcome::allowed},
          {"among others",
           {{0, "issue", "ca.example;validationmethods=http-01,dns-01"}},
           Outcome::allowed},
          {"another method",
           {{0, "issue", "ca.example; validationmethods=tls-alpn-01"}},
           Outcome::forbidden},
          {"a longer word",
           {{0, "issue", "ca.example; validationmethods=dns-01-extra"}},
           Outcome::forbidden},
          {"no method", {{0, "issue", "ca.example; validationmethods="}}, Outcome::forbidden},
          {"an empty one among them",
           {{0, "issue", "ca.example; validationmethods=,dns-01"}},
           Outcome::forbidden},
          {"two lists",
           {{0, "issue", "ca.example; validationmethods=dns-01; validationmethods=dns-01"}},
           Outcome::forbidden},
          {"both",
           {{0, "issue",
             "ca.example; validationmethods=dns-01; accounturi=https://ca.example/acct/17"}},
           Outcome::allowed},
          {"the right account with the wrong method",
           {{0, "issue",
             "ca.example; accounturi=https://ca.example/acct/17; validationmethods=http-01"}},
           Outcome::forbidden},
          {"parameters that nobody knows",
           {{0, "issue", "ca.example; policy=ev; x-y=1"}},
           Outcome::allowed},
          {"any case of the parameter's name",
           {{0, "issue", "ca.example; AccountURI=x:y"}},
           Outcome::forbidden},
          {"parameters of somebody else",
           {{0, "issue", "other.example; accounturi=x:y"}, {0, "issue", "ca.example"}},
           Outcome::allowed},
      },
      of_ca_example());
}

TEST(JudgeCaa, LetsNobodyIssueByWhatIsNotWellFormed) {
  check(
      {
          {"a separator behind the name alone", {{0, "issue", "ca.example;"}}, Outcome::allowed},
          {"and blanks", {{0, "issue", "ca.example; "}}, Outcome::allowed},
          {"a separator behind parameters", {{0, "issue", "ca.example; a=b;"}}, Outcome::forbidden},
          {"two separators", {{0, "issue", "ca.example;;"}}, Outcome::forbidden},
          {"a parameter without a value", {{0, "issue", "ca.example; a"}}, Outcome::forbidden},
          {"without a name", {{0, "issue", "ca.example; =b"}}, Outcome::forbidden},
          {"with a blank in its value", {{0, "issue", "ca.example; a=b c"}}, Outcome::forbidden},
          {"with a control character", {{0, "issue", "ca.example; a=b\x01"}}, Outcome::forbidden},
          {"with an octet beyond ASCII",
           {{0, "issue", "ca.example; a=\xC3\xBC"}},
           Outcome::forbidden},
          {"an underscore in its name", {{0, "issue", "ca.example; a_b=c"}}, Outcome::forbidden},
          {"a value with = in it", {{0, "issue", "ca.example; a=b=c"}}, Outcome::allowed},
          {"a trailing dot", {{0, "issue", "ca.example."}}, Outcome::forbidden},
          {"a URL", {{0, "issue", "https://ca.example"}}, Outcome::forbidden},
          {"a comma", {{0, "issue", "ca.example, other.example"}}, Outcome::forbidden},
          {"a hyphen at the end", {{0, "issue", "ca-.example"}}, Outcome::forbidden},
          {"quotes as part of it", {{0, "issue", "\"ca.example\""}}, Outcome::forbidden},
          {"a zero octet", {{0, "issue", std::string("ca.example\0", 11)}}, Outcome::forbidden},
      },
      of_ca_example());
}

TEST(JudgeCaa, IsUnsureWhereTheCaDoesNotTellItsName) {
  const CaaRequest request{.wildcard = false, .issuers = {}, .account = account};
  check(
      {
          {"no CAA", {}, Outcome::allowed},
          {"no restriction", {{0, "iodef", "mailto:a@b.example"}}, Outcome::allowed},
          {"somebody", {{0, "issue", "other.example"}}, Outcome::unsure},
          {"nobody", {{0, "issue", ";"}}, Outcome::forbidden},
          {"critical", {{128, "future", ""}}, Outcome::forbidden},
      },
      request);
  EXPECT_THAT(judge_caa({{0, "issue", "b.example"}, {0, "issue", "a.example"}}, request).reason,
              HasSubstr("only a.example, b.example may issue"));
}

TEST(JudgeCaa, IsUnsureWhereAnAccountIsWantedAndThereIsNoneYet) {
  const CaaRequest request{.wildcard = false, .issuers = {"ca.example"}, .account = {}};
  check(
      {
          {"an account", {{0, "issue", "ca.example; accounturi=x:y"}}, Outcome::unsure},
          {"an account or none",
           {{0, "issue", "ca.example; accounturi=x:y"}, {0, "issue", "ca.example"}},
           Outcome::allowed},
          {"the wrong method besides",
           {{0, "issue", "ca.example; accounturi=x:y; validationmethods=http-01"}},
           Outcome::forbidden},
      },
      request);
}

TEST(JudgeCaa, TellsWhatItWentByAndWhatShouldStandThere) {
  EXPECT_EQ(judge_caa({{0, "issue", "other.example"}}, of_ca_example()),
            (CaaVerdict{Outcome::forbidden,
                        "only other.example may issue, and the CA is ca.example, ca.test",
                        "let the set hold `0 issue \"ca.example\"`"}));
  EXPECT_EQ(judge_caa({{0, "issuewild", ";"}}, of_ca_example(true)),
            (CaaVerdict{Outcome::forbidden, "nobody may issue",
                        "let the set hold `0 issuewild \"ca.example\"`"}));
  EXPECT_EQ(judge_caa({{0, "issue", "ca.example; accounturi=x:y"}}, of_ca_example()).reason,
            "`0 issue \"ca.example; accounturi=x:y\"` wants the account x:y, ours is "
            "https://ca.example/acct/17");
  EXPECT_EQ(judge_caa({{128, "tbs", "\"\x07"}}, of_ca_example()).reason,
            "`128 tbs \"\\\"\\007\"` is critical and no CA knows its meaning");
  EXPECT_EQ(judge_caa({{0, "issue", "ca.example"}}, of_ca_example()).reason,
            "`0 issue \"ca.example\"`");
}

}  // namespace
}  // namespace certherd::policy

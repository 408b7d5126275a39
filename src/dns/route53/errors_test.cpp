#include "dns/route53/errors.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dns/route53/refusal.hpp"

namespace certherd::dns::route53 {
namespace {

using Kind = Error::Kind;

aws::Failure failure_of(int status, const std::string& code, const std::string& message) {
  http::Response response;
  response.status = status;
  response.body = fmt::format(
      "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error>"
      "<Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
      "<RequestId>1</RequestId></ErrorResponse>",
      code, message);
  return aws::read_failure("Route 53 Call", response, Time());
}

struct Case {
  std::string code;
  int status;
  Kind kind;
  std::string words;  ///< that the message ends in
};

class Route53Codes : public testing::TestWithParam<Case> {};

TEST_P(Route53Codes, HaveAKindAndSayWhatToDo) {
  const auto& expected = GetParam();
  const auto error = to_error(failure_of(expected.status, expected.code, "the reason"));
  EXPECT_EQ(error.kind, expected.kind);
  EXPECT_EQ(error.op, "Route 53 Call");
  EXPECT_EQ(error.detail, expected.code + ": the reason" + expected.words);
}

INSTANTIATE_TEST_SUITE_P(
    All, Route53Codes,
    testing::Values(
        Case{"Throttling", 400, Kind::throttled, ""},
        Case{"ThrottlingException", 400, Kind::throttled, ""},
        Case{"PriorRequestNotComplete", 400, Kind::throttled,
             "; an earlier request of the zone is still under way; the next one waits longer"},
        Case{"InvalidChangeBatch", 400, Kind::rejected, ""},
        Case{"InvalidInput", 400, Kind::rejected, ""},
        Case{"InvalidDomainName", 400, Kind::rejected, ""},
        Case{"NoSuchHostedZone", 404, Kind::not_found,
             "; correct the domain's zone_id, or leave it out so that the zone is found by name"},
        Case{"NoSuchChange", 404, Kind::not_found, "; Route 53 no longer knows that change"},
        Case{"ConcurrentModification", 400, Kind::transient,
             "; something else changed it at the same time; it is tried again"},
        Case{"LimitsExceeded", 400, Kind::rejected,
             "; raise that quota of the AWS account, or remove what is not needed"},
        Case{"NotAuthorizedException", 401, Kind::denied, " (let its policy allow that action)"},
        Case{"AccessDenied", 403, Kind::denied, " (let its policy allow that action)"},
        Case{"ServiceUnavailable", 503, Kind::transient, ""},
        Case{"SomethingNew", 400, Kind::rejected, ""}),
    [](const auto& info) { return info.param.code; });

TEST(Route53Errors, TellWhatTheProviderDoesNext) {
  EXPECT_TRUE(wants_a_gap(failure_of(400, "PriorRequestNotComplete", "")));
  EXPECT_FALSE(wants_a_gap(failure_of(400, "Throttling", "")));
  EXPECT_TRUE(is_about_the_batch(failure_of(400, "InvalidChangeBatch", "")));
  EXPECT_TRUE(is_about_the_batch(failure_of(400, "InvalidInput", "")));
  EXPECT_TRUE(is_about_the_batch(failure_of(400, "InvalidDomainName", "")));
  EXPECT_FALSE(is_about_the_batch(failure_of(404, "NoSuchHostedZone", "")));
  EXPECT_TRUE(is_about_a_quota(failure_of(400, "LimitsExceeded", "")));
}

const Fqdn a = Fqdn::literal("_acme-challenge.a.example.com");
const Fqdn b = Fqdn::literal("_acme-challenge.b.example.com");
const Fqdn aa = Fqdn::literal("_acme-challenge.aa.example.com");
const Fqdn star = Fqdn::literal("*.example.com");
const Fqdn apex = Fqdn::literal("example.com");

std::set<Fqdn> found_in(const std::string& message) {
  std::set<Fqdn> names;
  for (const auto& [name, objection] : objections({message}, {a, aa, b, star, apex})) {
    names.insert(name);
  }
  return names;
}

TEST(Route53Refusal, FindsTheNamesThatAreMeant) {
  EXPECT_EQ(found_in("Tried to create resource record set [name='_acme-challenge.a.example.com.', "
                     "type='TXT'] but it already exists"),
            std::set{a});
  EXPECT_EQ(found_in("Name=_acme-challenge.a.example.com, Type=TXT"), std::set{a});
  EXPECT_EQ(found_in("of _ACME-challenge.A.example.com."), std::set{a});
  EXPECT_EQ(found_in("RRSet with DNS name \\052.example.com. is odd"), std::set{star});
  EXPECT_EQ(found_in("\"*.example.com\""), std::set{star});
  EXPECT_EQ(found_in("_acme-challenge.a.example.com and _acme-challenge.b.example.com."),
            (std::set{a, b}));
}

TEST(Route53Refusal, FindsNoNameInsideOfAnother) {
  EXPECT_TRUE(found_in("x_acme-challenge.a.example.com").empty());
  EXPECT_TRUE(found_in("_acme-challenge.a.example.com.au").empty());
  EXPECT_TRUE(found_in("nothing of ours").empty());
}

TEST(Route53Refusal, DoesNotTakeTheZoneForWhatIsRefused) {
  EXPECT_EQ(found_in("RRSet with DNS name _acme-challenge.a.example.com. is not permitted in zone "
                     "example.com."),
            std::set{a});
  EXPECT_EQ(found_in("RRSet with DNS name example.com. is not permitted in zone example.com."),
            std::set{apex});
}

TEST(Route53Refusal, KnowsWhatNoReadingOfTheSetCanMend) {
  const std::string exists = "[name='_acme-challenge.a.example.com.'] but it already exists";
  const std::string cname =
      "RRSet of type TXT with DNS name _acme-challenge.a.example.com. is not permitted because a "
      "conflicting RRSet of type CNAME with the same DNS name already exists in zone example.com.";
  EXPECT_FALSE(objections({exists}, {a}).at(a).for_good);
  EXPECT_TRUE(objections({exists, cname}, {a}).at(a).for_good);
  EXPECT_EQ(objections({exists, cname}, {a}).at(a).words, cname);
  EXPECT_EQ(objections({exists, "_acme-challenge.a.example.com. too"}, {a}).at(a).words, exists);
}

TEST(Route53Refusal, BlamesTheValueAndSaysWhatToDo) {
  const TxtChange change{.action = TxtChange::Action::ensure, .name = a, .value = TxtValue("v")};
  const auto outside = refused(change, "RRSet is not permitted in zone example.org.");
  EXPECT_EQ(outside.kind, Kind::rejected);
  EXPECT_EQ(outside.op, "v");
  EXPECT_EQ(outside.detail,
            "Route 53 refuses a TXT value at _acme-challenge.a.example.com: RRSet is not permitted "
            "in zone example.org.; the name is not in that zone: correct the domain's zone_id, or "
            "leave it out so that the zone is found by name");
  EXPECT_NE(
      refused(change, "a conflicting RRSet of type CNAME").detail.find("remove it, or let it"),
      std::string::npos);
  EXPECT_NE(refused(change, "a routing policy").detail.find("delegate the challenge name"),
            std::string::npos);
  EXPECT_TRUE(refused(change, "whatever").detail.ends_with(": whatever"));
}

}  // namespace
}  // namespace certherd::dns::route53

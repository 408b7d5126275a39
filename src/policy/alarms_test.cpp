#include "policy/alarms.hpp"

#include <gmock/gmock.h>

#include <memory>

namespace certherd::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Alarm::Kind;
using ErrorKind = Error::Kind;
using namespace std::chrono_literals;

constexpr Time start = Time(std::chrono::days(20'000));

class AlarmsTest : public testing::Test {
 protected:
  AlarmsTest() { domain.name = Fqdn::literal("shop.example"); }

  void issue(Duration lifetime = std::chrono::days(90)) {
    certificate.emplace();
    certificate->serial = Serial("0a");
    certificate->fingerprint = Fingerprint("f0a");
    certificate->not_before = start;
    certificate->not_after = start + lifetime;
    certificate->served = true;
    certificate->targets[TargetName("edge")] = Installed::installed;
  }

  void fail_with(ErrorKind kind, int failures, const std::string& op = "finalize") {
    domain.failures = failures;
    domain.last_error = fail(kind, op, "why").value();
  }

  Seen other() const {
    return {.endpoint = Endpoint::parse("shop.example").value(),
            .serial = Serial("0b"),
            .fingerprint = Fingerprint("f0b"),
            .issuer = "Some CA",
            .not_before = start,
            .not_after = start + std::chrono::days(90)};
  }

  std::vector<Alarm> alarms(Duration age = 0s) const {
    return alarms_of({.domain = domain,
                      .certificate = certificate,
                      .working = working,
                      .seen = seen,
                      .looked_at = looked_at},
                     standing, warn_before, start + age);
  }
  std::vector<Kind> kinds(Duration age = 0s) const {
    std::vector<Kind> found;
    for (const auto& alarm : alarms(age)) found.push_back(alarm.key.kind);
    return found;
  }
  std::string ending(Kind kind) const {
    return ending_of({.key = {.kind = kind, .domain = domain.name}},
                     &static_cast<const Watched&>(Watched{domain, certificate}));
  }

  Domain domain;
  std::optional<Certificate> certificate;
  bool working = false;
  std::vector<Seen> seen;
  bool looked_at = true;
  std::set<Kind> standing;
  Duration warn_before = std::chrono::days(14);
};

TEST_F(AlarmsTest, WhatWasSeenStandsUntilItIsLookedAtAgain) {
  issue();
  standing = {Kind::not_served, Kind::expiring};
  looked_at = false;
  EXPECT_THAT(kinds(), testing::UnorderedElementsAre(Kind::not_served, Kind::expiring));
  looked_at = true;
  EXPECT_THAT(kinds(), IsEmpty());
  standing.clear();
  looked_at = false;
  EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(AlarmsTest, WhatCouldNotBeInstalledIsNotMissed) {
  issue();
  seen = {other()};
  EXPECT_THAT(kinds(), ElementsAre(Kind::not_served));
  certificate->targets[TargetName("edge")] = Installed::failed;
  EXPECT_THAT(kinds(), IsEmpty()) << "that is a failure, and told as one";
  certificate->targets.clear();
  EXPECT_THAT(kinds(), IsEmpty()) << "it is installed by hand";
}

TEST_F(AlarmsTest, NoneStandsWhereAllIsWell) {
  EXPECT_THAT(kinds(), IsEmpty()) << "new";
  issue();
  seen = {other()};
  seen.front().fingerprint = certificate->fingerprint;
  EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(AlarmsTest, FailingBeginsWithTheSecondFailureInARow) {
  for (const auto kind : {ErrorKind::transient, ErrorKind::rejected, ErrorKind::deadline,
                          ErrorKind::not_found, ErrorKind::conflict}) {
    fail_with(kind, 1);
    EXPECT_THAT(kinds(), IsEmpty()) << to_string(kind);
    fail_with(kind, 2);
    EXPECT_THAT(kinds(), ElementsAre(Kind::failing)) << to_string(kind);
  }
  EXPECT_EQ(alarms().front().detail,
            "work on shop.example has failed 2 times in a row: finalize: why; look for the cause "
            "with: certherd doctor shop.example");
}

TEST_F(AlarmsTest, FailingBeginsAtOnceWhereOnlyAPersonCanMendIt) {
  for (const auto kind : {ErrorKind::denied, ErrorKind::misconfigured}) {
    fail_with(kind, 1);
    EXPECT_THAT(kinds(), ElementsAre(Kind::failing)) << to_string(kind);
  }
  fail_with(ErrorKind::rejected, 1);
  Problem paused;
  paused.type = "urn:ietf:params:acme:error:rateLimited";
  paused.detail = "paused, visit https://ca.example/lift";
  domain.last_error->problem = std::make_shared<const Problem>(paused);
  ASSERT_THAT(kinds(), ElementsAre(Kind::failing));
  EXPECT_EQ(alarms().front().detail,
            "work on shop.example cannot go on until somebody mends this: finalize: why - paused, "
            "visit https://ca.example/lift");
}

TEST_F(AlarmsTest, ALimitIsNoFailureAndDoesNotEndOne) {
  fail_with(ErrorKind::throttled, 9);
  EXPECT_THAT(kinds(), IsEmpty());
  standing = {Kind::failing};
  EXPECT_THAT(kinds(), ElementsAre(Kind::failing)) << "no certificate was got";
  domain.failures = 0;
  domain.last_error.reset();
  EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(AlarmsTest, ADisabledDomainHasNone) {
  issue();
  fail_with(ErrorKind::denied, 3);
  certificate->served = false;
  domain.enabled = false;
  standing = {Kind::failing, Kind::expiring, Kind::not_served};
  EXPECT_THAT(kinds(std::chrono::days(100)), IsEmpty());
  EXPECT_EQ(ending(Kind::failing), "shop.example is disabled");
}

TEST_F(AlarmsTest, ExpiringBeginsSoManyDaysBeforeTheEnd) {
  issue();
  EXPECT_THAT(kinds(std::chrono::days(76) - 1s), IsEmpty());
  ASSERT_THAT(kinds(std::chrono::days(76)), ElementsAre(Kind::expiring));
  EXPECT_EQ(alarms(std::chrono::days(76)).front().detail,
            "certificate 0a of shop.example ends at 2025-01-02T00:00:00Z, in 14d, and it has not "
            "been replaced yet; see what holds it back with: certherd plan shop.example");
  fail_with(ErrorKind::transient, 1);
  EXPECT_THAT(alarms(std::chrono::days(90)).front().detail,
              testing::AllOf(HasSubstr("ended at 2025-01-02"), HasSubstr("finalize: why"),
                             HasSubstr("certherd doctor shop.example")));
}

TEST_F(AlarmsTest, AShortLivedCertificateExpiresInTheLastFifthOfItsLife) {
  issue(std::chrono::hours(160));
  EXPECT_THAT(kinds(std::chrono::hours(107)), IsEmpty()) << "when its renewal is due";
  EXPECT_THAT(kinds(std::chrono::hours(128) - 1s), IsEmpty());
  EXPECT_THAT(kinds(std::chrono::hours(128)), ElementsAre(Kind::expiring));
}

TEST_F(AlarmsTest, WhatIsServedExpiresToo) {
  seen = {other()};
  EXPECT_THAT(kinds(std::chrono::days(75)), IsEmpty());
  ASSERT_THAT(kinds(std::chrono::days(80)), ElementsAre(Kind::expiring));
  EXPECT_THAT(alarms(std::chrono::days(80)).front().detail,
              HasSubstr("get one with: certherd issue shop.example"));
  issue(std::chrono::days(180));
  ASSERT_THAT(kinds(std::chrono::days(80)), ElementsAre(Kind::expiring, Kind::not_served));
  EXPECT_THAT(alarms(std::chrono::days(80)).front().detail,
              testing::AllOf(HasSubstr("shop.example serves certificate 0b of Some CA, which ends"),
                             HasSubstr("certherd deploy shop.example")));
}

TEST_F(AlarmsTest, ARevokedCertificateThatCannotBeReplacedIsAsGoodAsEnded) {
  issue();
  certificate->revoked_at = start;
  EXPECT_THAT(kinds(), IsEmpty()) << "its successor is being ordered";
  fail_with(ErrorKind::transient, 1);
  ASSERT_THAT(kinds(), ElementsAre(Kind::expiring));
  EXPECT_THAT(alarms().front().detail, HasSubstr("was revoked at 2024-10-04T00:00:00Z"));
}

TEST_F(AlarmsTest, NotServedIsToldOnceAndNotAsAFailureToo) {
  issue();
  certificate->served = false;
  fail_with(ErrorKind::deadline, 4, "prove");
  ASSERT_THAT(kinds(), ElementsAre(Kind::not_served));
  EXPECT_EQ(alarms().front().detail,
            "certificate 0a of shop.example was installed and is not served: prove: why; look at "
            "its targets, then install it again with: certherd deploy shop.example");
  fail_with(ErrorKind::deadline, 5, "finalize");
  EXPECT_THAT(kinds(), ElementsAre(Kind::failing, Kind::not_served)) << "something else";
}

TEST_F(AlarmsTest, NotServedStandsUntilTheNextCertificateIsProven) {
  issue();
  standing = {Kind::not_served};
  certificate->served.reset();
  working = true;
  EXPECT_THAT(kinds(), ElementsAre(Kind::not_served));
  certificate->served = true;
  EXPECT_THAT(kinds(), IsEmpty());
  EXPECT_EQ(ending(Kind::not_served), "certificate 0a of shop.example is served");
  certificate->served.reset();
  working = false;
  EXPECT_THAT(kinds(), IsEmpty()) << "there is nowhere to look any more";
}

TEST_F(AlarmsTest, AnotherCertificateThanOursIsNotServed) {
  issue();
  seen = {other()};
  ASSERT_THAT(kinds(), ElementsAre(Kind::not_served));
  EXPECT_EQ(alarms().front().detail,
            "shop.example serves certificate 0b of Some CA, valid until 2025-01-02T00:00:00Z, "
            "instead of 0a of shop.example; look at its targets, then install it again with: "
            "certherd deploy shop.example");
  working = true;
  EXPECT_THAT(kinds(), IsEmpty()) << "ours is on its way";
}

TEST_F(AlarmsTest, ACaThatCannotBeUsedIsToldWithItsName) {
  const auto alarm =
      account_alarm(CaName("le"), fail(ErrorKind::denied, "register", "why").value(), start);
  EXPECT_EQ(alarm.key, (Alarm::Key{.kind = Kind::account, .domain = {}, .ca = CaName("le")}));
  EXPECT_EQ(alarm.since, start);
  EXPECT_EQ(
      alarm.detail,
      "[ca.le] cannot be used, and no domain gets a certificate there: register: why; look at "
      "it with: certherd account show --ca le");
  EXPECT_EQ(ending_of(alarm, nullptr), "[ca.le] can be used again");
}

TEST_F(AlarmsTest, SaysHowItCameToBeOver) {
  const Alarm failing{.key = {.kind = Kind::failing, .domain = domain.name}};
  EXPECT_EQ(ending_of(failing, nullptr), "shop.example is in the inventory no more");
  EXPECT_EQ(ending(Kind::failing), "shop.example does not fail any more");
  issue();
  EXPECT_EQ(ending(Kind::failing),
            "shop.example does not fail any more; it has certificate 0a, valid until "
            "2025-01-02T00:00:00Z");
  EXPECT_EQ(ending(Kind::expiring),
            "shop.example has certificate 0a, valid until 2025-01-02T00:00:00Z");
}

TEST_F(AlarmsTest, LongWordsOfOthersAreCutOff) {
  fail_with(ErrorKind::denied, 1);
  domain.last_error->detail = "\n" + std::string(599, 'a') + "é" + std::string(5'000, 'b');
  const auto detail = alarms().front().detail;
  EXPECT_LT(detail.size(), 800);
  EXPECT_EQ(detail.find('\n'), std::string::npos);
  EXPECT_TRUE(detail.ends_with("a…")) << detail;
}

TEST_F(AlarmsTest, AnExpiringCertificateOfAHeldDomainIsToldWithWhatHoldsIt) {
  issue();
  domain.hold = "yes";
  EXPECT_THAT(kinds(), IsEmpty());
  const auto old = std::chrono::days(80);
  ASSERT_THAT(kinds(old), ElementsAre(Kind::expiring));
  EXPECT_THAT(alarms(old).front().detail,
              testing::AllOf(HasSubstr("since it is held: end that with: certherd domain set "
                                       "shop.example hold=, or"),
                             HasSubstr("certherd issue shop.example")));
  domain.hold = format_time(start + std::chrono::days(85));
  EXPECT_THAT(alarms(old).front().detail, HasSubstr("held until " + domain.hold));
  domain.hold = format_time(start + std::chrono::days(79));
  EXPECT_THAT(alarms(old).front().detail, HasSubstr("certherd plan")) << "that is over";

  domain.hold = "yes";
  certificate->revoked_at = start;
  EXPECT_THAT(alarms().front().detail, HasSubstr("is held"));
  working = true;
  fail_with(ErrorKind::transient, 1);
  EXPECT_THAT(alarms().front().detail, HasSubstr("doctor")) << "what was begun goes on";
}

}  // namespace
}  // namespace certherd::policy

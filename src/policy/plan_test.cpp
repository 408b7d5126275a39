#include "policy/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time start = Time(days(20'000));

struct PlanTest : testing::Test {
  Domain domain;
  std::optional<Certificate> certificate;
  std::optional<Step> working;
  std::vector<TargetName> targets;

  PlanTest() { domain.name = Fqdn::literal("shop.example"); }

  void issue() {
    certificate.emplace();
    certificate->names = {domain.name};
    certificate->not_before = start;
    certificate->not_after = start + days(90);
  }
  void put_off(Time until, Error::Kind kind) {
    domain.failures = 3;
    domain.next_at = until;
    domain.last_error.emplace();
    domain.last_error->kind = kind;
  }
  Plan at(Time now) const { return plan_for(domain, certificate, working, targets, 0.5, now); }
};

TEST_F(PlanTest, ADomainWithoutACertificateIsIssuedNow) {
  const auto plan = at(start);
  EXPECT_EQ(to_string(plan.action), "issue");
  EXPECT_EQ(plan.at, start);
  EXPECT_THAT(plan.limited_by, IsEmpty());
}

TEST_F(PlanTest, NothingIsDueBeforeItsAgeSaysSo) {
  issue();
  const auto young = at(start + days(44));
  EXPECT_EQ(to_string(young.action), "none");
  EXPECT_EQ(young.at, start + days(45));
  EXPECT_THAT(young.limited_by, IsEmpty());

  const auto old = at(start + days(45));
  EXPECT_EQ(to_string(old.action), "renew");
  EXPECT_EQ(old.at, start + days(45));
  EXPECT_THAT(old.reason, HasSubstr("expires in 45d"));
}

TEST_F(PlanTest, WhatHasBeenDueForLongIsTakenUpNow) {
  issue();
  const auto now = start + days(100);
  EXPECT_EQ(to_string(at(now).action), "renew");
  EXPECT_EQ(at(now).at, now);
  EXPECT_THAT(at(now).reason, HasSubstr("expired"));
}

TEST_F(PlanTest, ChangedNamesAreDueAtOnce) {
  issue();
  domain.names.push_back(Fqdn::literal("www.shop.example"));
  EXPECT_EQ(to_string(at(start).action), "renew");
  EXPECT_THAT(at(start).reason, HasSubstr("names"));
}

TEST_F(PlanTest, WhatIsNotOnAllItsTargetsIsDeployed) {
  issue();
  targets = {TargetName("edge"), TargetName("new"), TargetName("broken")};
  certificate->targets = {{TargetName("edge"), Installed::unchanged},
                          {TargetName("broken"), Installed::failed},
                          {TargetName("former"), Installed::installed}};
  const auto plan = at(start);
  EXPECT_EQ(to_string(plan.action), "deploy");
  EXPECT_EQ(plan.reason, "not installed on new, broken");
  EXPECT_EQ(plan.at, start);
  EXPECT_EQ(to_string(at(start + days(45)).action), "renew");  // which installs it as well
  certificate->revocation_reason = RevocationReason::superseded;
  EXPECT_EQ(to_string(at(start).action), "none");
  certificate->revocation_reason.reset();
  targets = {TargetName("edge")};
  EXPECT_EQ(to_string(at(start).action), "none");
}

TEST_F(PlanTest, AFailureHoldsBackWhatIsDueUntilItsPauseIsOver) {
  put_off(start + 10min, Error::Kind::rejected);
  const auto plan = at(start);
  EXPECT_EQ(to_string(plan.action), "issue");
  EXPECT_EQ(plan.at, start + 10min);
  EXPECT_THAT(plan.limited_by, HasSubstr("3 failures"));

  EXPECT_EQ(at(start + 10min).at, start + 10min);
  EXPECT_THAT(at(start + 10min).limited_by, IsEmpty());
}

TEST_F(PlanTest, ALimitOfTheOtherSideIsToldAsOne) {
  put_off(start + 3h, Error::Kind::throttled);
  EXPECT_THAT(at(start).limited_by, HasSubstr("limit"));
}

TEST_F(PlanTest, AnIssuanceThatWasBegunGoesOnWhateverTheAge) {
  issue();
  const std::vector<std::pair<Step, std::string>> cases = {
      {Step::create_key, "renew"}, {Step::validate, "renew"}, {Step::store, "renew"},
      {Step::install, "deploy"},   {Step::prove, "prove"},    {Step::clean_up, "clean_up"},
  };
  for (const auto& [step, action] : cases) {
    working = step;
    EXPECT_EQ(to_string(at(start).action), action) << to_string(step);
    EXPECT_EQ(at(start).at, start);
  }
  certificate.reset();
  working = Step::validate;
  EXPECT_EQ(to_string(at(start).action), "issue");
  EXPECT_THAT(at(start).reason, HasSubstr("validate"));
}

TEST_F(PlanTest, AnInstallationThatFailedWaitsForItsPause) {
  issue();
  working = Step::install;
  put_off(start + 1min, Error::Kind::misconfigured);
  EXPECT_EQ(to_string(at(start).action), "deploy");
  EXPECT_EQ(at(start).at, start + 1min);
}

TEST_F(PlanTest, OfOneMomentTheCertificateThatEndsFirstComesFirst) {
  const auto without = at(start + days(50));
  issue();
  const auto with = at(start + days(50));
  EXPECT_TRUE(earlier(without, with));
  EXPECT_FALSE(earlier(with, without));
  put_off(start + days(51), Error::Kind::deadline);
  EXPECT_TRUE(earlier(with, at(start + days(50))));
}

// `start` is a Friday.
TEST_F(PlanTest, AHoldKeepsFromBeginningAndFromNothingThatWasBegun) {
  domain.hold = "yes";
  EXPECT_EQ(to_string(at(start).action), "issue");
  EXPECT_EQ(at(start).moment(), std::nullopt);
  EXPECT_EQ(at(start).limited_by, "a hold without an end");
  for (const auto step : {Step::create_key, Step::new_order, Step::install, Step::prove}) {
    working = step;
    EXPECT_EQ(at(start).at, start);
  }
  working.reset();

  issue();
  domain.hold = format_time(start + days(50));
  EXPECT_EQ(at(start).at, start + days(50)) << "it will be due at half its life";
  EXPECT_THAT(at(start).limited_by, HasSubstr("a hold until"));
  EXPECT_EQ(to_string(at(start + days(46)).action), "renew");
  EXPECT_EQ(at(start + days(46)).at, start + days(50));
  EXPECT_EQ(at(start + days(50)).at, start + days(50));
  certificate->revoked_at = start;
  EXPECT_EQ(at(start + 1h).at, start + days(50));
}

TEST_F(PlanTest, ADueRenewalWaitsForTheNextOpeningOfItsWindow) {
  issue();
  domain.window = "sat 02:00-05:00";
  const Time opens = start + days(50) + 2h;  // it is due on the 45th day
  EXPECT_EQ(at(start).at, opens);
  const auto due = at(start + days(46));
  EXPECT_EQ(to_string(due.action), "renew");
  EXPECT_EQ(due.at, opens);
  EXPECT_EQ(due.limited_by, "its maintenance window, which opens " + format_time(opens));
  EXPECT_EQ(at(opens + 1h).at, opens + 1h);
  EXPECT_THAT(at(opens + 1h).limited_by, IsEmpty());

  put_off(opens + 4h, Error::Kind::transient);
  EXPECT_EQ(at(opens + 1h).at, opens + days(7)) << "the pause ends when it is closed";
  EXPECT_THAT(at(opens + 1h).limited_by, HasSubstr("maintenance window"));
  put_off(opens + 2h, Error::Kind::transient);
  EXPECT_EQ(at(opens + 1h).at, opens + 2h);
  EXPECT_THAT(at(opens + 1h).limited_by, HasSubstr("the pause"));
}

TEST_F(PlanTest, NoCertificateIsLostToAWindow) {
  domain.window = "sat 02:00-05:00";
  EXPECT_EQ(at(start).at, start) << "none yet";
  issue();
  const Time late = start + days(79);  // the next opening is on the 85th day, after the last moment
  EXPECT_EQ(at(late).at, late);
  EXPECT_THAT(at(late).limited_by, IsEmpty());
  EXPECT_EQ(at(start + days(91)).at, start + days(91)) << "expired";
  const auto good = certificate;
  certificate->revoked_at = start;
  EXPECT_EQ(at(start).at, start) << "revoked";
  certificate = good;
  certificate->revocation_reason = RevocationReason::key_compromise;
  EXPECT_EQ(at(start).at, start) << "its key is known";
  certificate = good;
  domain.names.push_back(Fqdn::literal("www.shop.example"));
  EXPECT_EQ(at(start + days(2)).at, start + days(8) + 2h) << "the present one is good";
}

TEST_F(PlanTest, ACaWithAReasonIsNotKeptWaitingBeyondItsWindow) {
  issue();
  domain.window = "sat 02:00-05:00";
  certificate->renewal.window = {
      .start = start + days(60), .end = start + days(62), .explanation_url = {}};
  certificate->renewal.at = start + days(61);
  EXPECT_EQ(at(start + days(61)).at, start + days(64) + 2h) << "it is as usual";
  certificate->renewal.window->explanation_url = "https://ca.test/revoked-soon";
  EXPECT_EQ(at(start + days(61)).at, start + days(61));
  certificate->renewal.window = {
      .start = start + days(37), .end = start + days(38), .explanation_url = {}};
  certificate->renewal.at = start + days(37);
  EXPECT_EQ(at(start + days(37)).at, start + days(37));
}

TEST_F(PlanTest, AnInstallationWaitsForTheWindowAsLongAsTheCertificateBeforeLasts) {
  issue();
  domain.window = "sat 02:00-05:00";
  const Time now = start + days(3);
  const Time opens = start + days(8) + 2h;
  targets = {TargetName("new")};
  EXPECT_EQ(to_string(at(now).action), "deploy");
  EXPECT_EQ(at(now).at, opens);

  working = Step::install;
  certificate->install_by = opens;
  EXPECT_EQ(to_string(at(now).action), "deploy");
  EXPECT_EQ(at(now).at, opens);
  certificate->install_by = opens - 1s;
  EXPECT_EQ(at(now).at, now);
  certificate->install_by.reset();
  EXPECT_EQ(at(now).at, now);
  certificate->install_by = opens;
  for (const auto step : {Step::validate, Step::store, Step::prove, Step::clean_up}) {
    working = step;
    EXPECT_EQ(at(now).at, now) << to_string(step);
  }
}

}  // namespace
}  // namespace certherd::policy

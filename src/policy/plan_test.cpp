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

}  // namespace
}  // namespace certherd::policy

#include "policy/endpoint_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::ElementsAre;
using testing::IsEmpty;
using enum EndpointStatus;

constexpr Time start = Time(days(20'000));

struct EndpointStatusTest : testing::Test {
  ServedCertificate served{
      .not_before = start, .not_after = start + days(90), .name_matches = true, .trusted = true};
  std::vector<EndpointStatus> at(Duration age, Duration warn_before = days(14)) const {
    return faults_of(served, warn_before, start + age);
  }
};

TEST_F(EndpointStatusTest, RunsFromNotYetValidToExpired) {
  EXPECT_THAT(at(-1s), ElementsAre(not_yet_valid));
  EXPECT_THAT(at(0s), IsEmpty());
  EXPECT_THAT(at(days(76)), IsEmpty());
  EXPECT_THAT(at(days(76) + 1s), ElementsAre(expiring));
  EXPECT_THAT(at(days(90) - 1s), ElementsAre(expiring));
  EXPECT_THAT(at(days(90)), ElementsAre(expired));
}

TEST_F(EndpointStatusTest, WhatMattersMostComesFirst) {
  served.name_matches = false;
  served.trusted = false;
  EXPECT_THAT(at(days(91)), ElementsAre(expired, name_mismatch, untrusted));
  EXPECT_THAT(at(days(89)), ElementsAre(name_mismatch, untrusted, expiring));
  EXPECT_THAT(at(-1s), ElementsAre(not_yet_valid, name_mismatch, untrusted));
  served.name_matches = true;
  EXPECT_THAT(at(days(1)), ElementsAre(untrusted));
}

TEST_F(EndpointStatusTest, AShortLifeIsExpiringInItsLastThirdOnly) {
  served.not_after = start + days(6);
  EXPECT_THAT(at(days(4)), IsEmpty());
  EXPECT_THAT(at(days(4) + 1s), ElementsAre(expiring));
}

TEST_F(EndpointStatusTest, AWarningOfNoDaysIsNone) {
  EXPECT_THAT(at(days(90) - 1s, 0s), IsEmpty());
  EXPECT_THAT(at(days(90), 0s), ElementsAre(expired));
}

TEST_F(EndpointStatusTest, WhatNeverWasValidIsBoth) {
  served.not_after = start - days(1);
  EXPECT_THAT(at(-1h), ElementsAre(expired, not_yet_valid));
}

TEST(DaysUntil, RoundsDown) {
  EXPECT_EQ(days_until(start + days(3), start), 3);
  EXPECT_EQ(days_until(start + days(3) - 1s, start), 2);
  EXPECT_EQ(days_until(start + 1s, start), 0);
  EXPECT_EQ(days_until(start - 1s, start), -1);
}

}  // namespace
}  // namespace certherd::policy

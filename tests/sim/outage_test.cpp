// The service while something outside is away: nothing is lost, it recovers by itself, and people
// are told once that it began and once that it is over.
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "served_fleet.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using Kind = Alarm::Kind;

Error away(Error::Kind kind, std::string detail) {
  Error error;
  error.kind = kind;
  error.op = "as the test wants it";
  error.detail = std::move(detail);
  return error;
}

class Outage : public ServedFleet {
 protected:
  void SetUp() override { settle(); }

  std::map<std::string, int> began(Kind kind) { return fleet.listener().told(kind, false); }
  std::map<std::string, int> over(Kind kind) { return fleet.listener().told(kind, true); }

  std::string alarms() {
    std::string text;
    for (const auto& event : fleet.events()) {
      if (!event.event.starts_with("alarm.")) continue;
      text += fmt::format("\n{} {}", event.event, fmt::join(event.detail, " "));
    }
    return text;
  }

  /// An alarm of that kind for each domain, once, and no other.
  void expect_all_told_once(Kind kind) {
    EXPECT_THAT(began(kind), testing::AllOf(SizeIs(domains), Each(Pair(testing::_, 1))));
    for (const auto other : alarm_kinds) {
      if (other != kind) EXPECT_THAT(began(other), IsEmpty()) << to_string(other) << alarms();
    }
  }

  void expect_all_over_once(Kind kind) {
    expect_all_told_once(kind);
    EXPECT_THAT(over(kind), testing::AllOf(SizeIs(domains), Each(Pair(testing::_, 1))));
  }
};

TEST_F(Outage, TheCaMayBeDownForAnHour) {
  fleet.ca().set_down(true);
  make_due();
  fleet.serve_for(1h);
  EXPECT_EQ(issued(), domains);
  expect_all_told_once(Kind::failing);
  EXPECT_THAT(over(Kind::failing), IsEmpty());

  fleet.ca().set_down(false);
  fleet.serve_for(3h);
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  expect_all_over_once(Kind::failing);
  fleet.serve_for(days(2));
  expect_all_over_once(Kind::failing);
}

TEST_F(Outage, TheDnsHostMayBeDown) {
  fleet.dns().refuse(away(Error::Kind::transient, "503"));
  make_due();
  fleet.serve_for(4h);
  EXPECT_EQ(issued(), domains);
  expect_all_told_once(Kind::failing);
  fleet.dns().refuse(std::nullopt);
  fleet.serve_for(days(2));
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  expect_all_over_once(Kind::failing);
}

TEST_F(Outage, AVaultMayBeReadOnlyAndNoCertificateIsLost) {
  fleet.vault().refuse_changes(away(Error::Kind::denied, "the policy does not allow it"));
  make_due();
  fleet.serve_for(4h);
  EXPECT_EQ(issued(), 2 * domains) << "each of them once, and kept in the store";
  expect_all_told_once(Kind::failing);
  fleet.vault().refuse_changes(std::nullopt);
  fleet.serve_for(days(2));
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  expect_all_over_once(Kind::failing);
}

TEST_F(Outage, ATargetMayRefuseAndNothingIsIssuedAgain) {
  fleet.target().refuse(away(Error::Kind::rejected, "no room"));
  make_due();
  fleet.serve_for(4h);
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_told_once(Kind::failing);
  fleet.target().refuse(std::nullopt);
  fleet.serve_for(days(2));
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  expect_all_over_once(Kind::failing);
}

TEST_F(Outage, WhoGetsFartherAfterDaysOfFailingIsNotLeftAloneForADayOnceMore) {
  fleet.dns().refuse(away(Error::Kind::denied, "the policy does not allow it"));
  make_due();
  fleet.serve_for(days(6));
  EXPECT_EQ(issued(), domains);
  fleet.dns().refuse(std::nullopt);
  for (int i = 0; i < 3 * domains; ++i) {
    fleet.vault().fail_next(away(Error::Kind::denied, "the policy does not allow it"));
  }
  fleet.serve_for(days(3));
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  std::map<Fqdn, Time> issued_at;
  for (const auto& event : fleet.events()) {
    if (event.event == "certificate.issued") issued_at[event.domain] = event.at;
    if (event.event != "certificate.stored") continue;
    EXPECT_LT(event.at - issued_at.at(event.domain), 3h) << event.domain.text();
  }
}

// The certificate that waits for the target lives long; that which is served does not.
TEST_F(Outage, ATargetThatIsBackIsTriedInTimeForWhatIsServed) {
  const Time end = certificate(0).not_after;
  fleet.target().refuse(away(Error::Kind::transient, "nobody answers"));
  make_due();
  fleet.serve_for(end - 12h - now());
  EXPECT_EQ(issued(), 2 * domains);
  fleet.target().refuse(std::nullopt);
  be_patient();
  fleet.serve_for(8h);
  for (int i = 0; i < domains; ++i) {
    const auto* leaf = fleet.target().leaf(fleet.name(i));
    ASSERT_NE(leaf, nullptr);
    EXPECT_GT(leaf->not_after, end + days(1)) << fleet.name(i).text();
  }
}

TEST_F(Outage, WhatIsNotSeenServedInTimeIsAnAlarmUntilItIs) {
  fleet.probe().be_blind_until(now() + 5h);
  make_due();
  fleet.serve_for(1h);
  be_patient();
  EXPECT_THAT(began(Kind::not_served), IsEmpty()) << "it may take a while";
  fleet.serve_for(3h);
  expect_all_told_once(Kind::not_served);
  fleet.serve_for(days(2));
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  expect_all_over_once(Kind::not_served);
}

Task<void> open_at_the_third_time(fleet::CaPort* port, int* asked) {
  if (++*asked == 3) port->unusable.reset();
  co_return;
}

TEST_F(Outage, ACaThatCouldNotBeOpenedIsOpenedLater) {
  auto& port = fleet.ports().cas.at(CaName("ca"));
  port.unusable = away(Error::Kind::transient, "nobody answers");
  int asked = 0;
  fleet.set_open_ca([&](CaName) { return open_at_the_third_time(&port, &asked); });
  make_due();
  fleet.serve_for(2h);
  EXPECT_EQ(asked, 3) << "not once it can be used";
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  EXPECT_THAT(over(Kind::account), ElementsAre(Pair("ca", 1)));
}

TEST_F(Outage, AnAccountThatCannotBeUsedIsToldOnceForAll) {
  auto& port = fleet.ports().cas.at(CaName("ca"));
  port.unusable = away(Error::Kind::denied, "the account was deactivated");
  fleet.serve_for(1h);
  fleet.serve_for(1h);
  EXPECT_THAT(began(Kind::account), ElementsAre(Pair("ca", 1)));
  EXPECT_EQ(fleet.listener().messages(), 1U);
  port.unusable.reset();
  fleet.serve_for(1h);
  EXPECT_THAT(over(Kind::account), ElementsAre(Pair("ca", 1)));
  EXPECT_EQ(fleet.listener().messages(), 2U);
}

}  // namespace
}  // namespace certherd::sim

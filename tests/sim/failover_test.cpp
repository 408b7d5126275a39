// Domains that may go to several CAs.
#include <gmock/gmock.h>

#include "served_fleet.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

const CaName first("ca");
const CaName second("second");

class Failover : public ServedFleet {
 protected:
  void SetUp() override {
    fleet.ports().defaults.cas = {first, second};
    settle();
  }

  int issued_by_second() { return other.certificates_issued(); }

  sim::FakeCa& other = fleet.add_ca(second);
};

TEST_F(Failover, GoesToTheNextCaAfterThreeFailuresAndBackAtTheNextRenewal) {
  ASSERT_EQ(issued_by_second(), 0);
  fleet.ca().set_down(true);
  make_due();
  fleet.serve_for(1h);
  EXPECT_EQ(issued_by_second(), 0) << "two failures, and a third one";
  fleet.serve_for(3h);
  be_patient();
  EXPECT_EQ(issued_by_second(), domains);
  EXPECT_EQ(count("issuance.failed_over"), domains);
  expect_all_served_well();
  EXPECT_EQ(certificate(0).ca, second);

  fleet.ca().set_down(false);
  fleet.serve_for(days(10));
  make_due();
  fleet.serve_for(2h);
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  EXPECT_EQ(issued_by_second(), domains);
  EXPECT_EQ(certificate(0).ca, first);
  expect_all_served_well();
}

TEST_F(Failover, ACaWithoutAnAccountIsPassedOverAtOnce) {
  fleet.ports().cas.at(first).unusable =
      fail(Error::Kind::denied, "register", "the account was deactivated").value();
  make_due();
  fleet.serve_for(1h);
  be_patient();
  EXPECT_EQ(issued_by_second(), domains);
  expect_all_served_well();
}

TEST_F(Failover, WhatTheFirstCaOwesIsTakenFromIt) {
  // It fails after finalize: its certificate is there, or will be.
  fleet.vault().refuse_changes(
      fail(Error::Kind::denied, "vault", "the policy does not allow it").value());
  make_due();
  fleet.serve_for(days(3));
  fleet.vault().refuse_changes(std::nullopt);
  fleet.serve_for(days(2));
  be_patient();
  EXPECT_EQ(issued(), 2 * domains);
  EXPECT_EQ(issued_by_second(), 0);
  expect_all_served_well();
}

}  // namespace
}  // namespace certherd::sim

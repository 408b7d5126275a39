// Certificates that have to go, due or not: each is replaced once, whatever holds it up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fleet_simulation.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using policy::CaLimit;
using std::chrono::days;
using testing::AllOf;
using testing::Each;
using testing::SizeIs;

constexpr int domains = 8;

class Replacing : public testing::Test {
 protected:
  void SetUp() override {
    fleet.issue_all();
    ASSERT_EQ(issued(), domains);
    known().rates = {{CaLimit::new_orders, {4, 40min}}};
  }

  Time now() { return fleet.loop().clock().now(); }
  int issued() { return fleet.ca().certificates_issued(); }
  policy::CaLimits& known() { return fleet.ports().cas.at(CaName("ca")).limits; }

  /// A request to replace each present certificate.
  std::vector<WorkRequest> requests(std::optional<Time> patient_until = std::nullopt) {
    std::vector<WorkRequest> requests;
    for (const auto& row : fleet.domains()) {
      WorkRequest request;
      request.kind = WorkRequest::Kind::issue;
      request.owner = "sim";
      request.domain_id = row.domain.id;
      request.domain = row.domain.name;
      request.arguments.serial = row.certificate->serial;
      request.arguments.patient_until = patient_until;
      requests.push_back(std::move(request));
    }
    return requests;
  }

  void submit(std::vector<WorkRequest> requests, const std::string& batch) {
    for (auto& request : requests) request.batch = batch;
    ASSERT_TRUE(fleet.loop().run(fleet.store().submit(std::move(requests))));
  }

  std::vector<std::string> outcomes(const std::string& batch) {
    std::vector<std::string> outcomes;
    for (const auto& request : *fleet.loop().run(fleet.store().batch(batch))) {
      const auto report = fleet::parse_report(request.result);
      if (report) outcomes.emplace_back(report->at("outcome").as_string());
    }
    return outcomes;
  }

  std::vector<Fqdn> ordered_since(Time time) {
    std::vector<Fqdn> names;
    for (const auto& event : fleet.events()) {
      if (event.event == "order.placed" && event.at >= time) names.push_back(event.domain);
    }
    return names;
  }

  FleetSimulation fleet{23, domains};
};

TEST_F(Replacing, WaitsForRoomUntilTheDeadlineAndReplacesNoneTwice) {
  const auto wanted = requests(now() + 24h);
  submit(wanted, "first");
  const Time begun = now();
  fleet.run_idle();
  EXPECT_THAT(outcomes("first"), AllOf(SizeIs(domains), Each("issued")));
  EXPECT_EQ(issued(), 2 * domains);
  EXPECT_GE(now() - begun, 40min) << "four at once, then one in ten minutes";

  submit(wanted, "again");
  fleet.run_idle();
  EXPECT_THAT(outcomes("again"), AllOf(SizeIs(domains), Each("current")));
  EXPECT_EQ(issued(), 2 * domains);
}

TEST_F(Replacing, BeginsWithWhatEndsFirst) {
  fleet.ca().set_validity(days(30));
  known().rates.clear();
  auto shorter = requests();
  shorter.erase(shorter.begin(), shorter.begin() + domains / 2);
  submit(shorter, "shorter");
  fleet.run_idle();
  known().rates = {{CaLimit::new_orders, {4, 40min}}};
  const Time begun = now();
  submit(requests(), "all");
  fleet.run_idle();
  const auto ordered = ordered_since(begun);
  ASSERT_EQ(ordered.size(), 4U);
  for (int i = domains / 2; i < domains; ++i) {
    EXPECT_EQ(std::ranges::count(ordered, fleet.name(i)), 1) << i;
  }
}

TEST_F(Replacing, WhatHadToWaitIsNotForgottenWithTheCommand) {
  submit(requests(), "impatient");
  fleet.run_idle();
  EXPECT_EQ(issued(), domains + 4);
  EXPECT_THAT(outcomes("impatient"), testing::Contains("deferred").Times(4));
  fleet.serve_for(12h);
  EXPECT_EQ(issued(), 2 * domains);
  fleet.serve_for(days(2));
  EXPECT_EQ(issued(), 2 * domains) << "each once";
}

TEST_F(Replacing, WhatFailsIsTriedAgainUntilTheDeadline) {
  known().rates.clear();
  fleet.ca().refuse(fleet.name(2));
  submit(requests(now() + 5min), "refused");
  const Time begun = now();
  fleet.run_idle();
  EXPECT_EQ(issued(), 2 * domains - 1);
  EXPECT_THAT(outcomes("refused"), testing::Contains("failed").Times(1));
  const auto ordered = ordered_since(begun);
  EXPECT_EQ(std::ranges::count(ordered, fleet.name(2)), 2) << "at once and after a minute";
}

// A command may ask for a domain that waits for the time that the CA has named; its issuance is
// taken up when that has come all the same.
TEST_F(Replacing, AskingOnceMoreWhileTheCaHasItWaitLosesNothing) {
  known().rates.clear();
  sim::BoulderLimits::Options strict;
  strict.orders = {.count = domains - 1, .period = (domains - 1) * 10min};
  fleet.ca().keep_limits(strict);
  auto wanted = requests(now() + 24h);
  for (auto& request : wanted) request.arguments.serial = {};
  submit(wanted, "patient");
  fleet.issue_all_again_after(5min);
  EXPECT_THAT(outcomes("patient"), AllOf(SizeIs(domains), Each("issued")));
  EXPECT_EQ(fleet.ca().orders_placed(), 3 * domains - 1) << "what was done is done again";
}

// It is installed and not proven yet when it is asked to go.
TEST_F(Replacing, ACertificateThatIsNearlyThroughIsReplacedToo) {
  known().rates.clear();
  fleet.probe().be_blind_until(now() + 10min);
  fleet.do_for_all(WorkRequest::Kind::issue, {}, 5min);
  ASSERT_THAT(fleet.domains(), Each(testing::Field(&store::DomainRow::working, Step::prove)));
  const auto wanted = requests();
  submit(wanted, "late");
  fleet.run_idle();
  EXPECT_THAT(outcomes("late"), AllOf(SizeIs(domains), Each("issued")));
  const auto after = fleet.domains();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NE(after[i].certificate->serial, wanted[i].arguments.serial) << i;
  }
}

}  // namespace
}  // namespace certherd::sim

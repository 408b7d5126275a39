// Hold and maintenance window of a domain, in the service on the virtual clock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/x509.hpp"
#include "fleet_simulation.hpp"
#include "policy/maintenance_window.hpp"
#include "runtime/task_group.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::IsEmpty;

// They are due in the last hours of the eighth day, and should not wait beyond the eleventh.
constexpr Duration lifetime = days(12);

class Held : public testing::Test {
 protected:
  /// A fleet whose first domain has that hold and window.
  void begin(const std::string& hold, const std::string& window, int domains = 2) {
    const auto shape = [&](Domain& domain) {
      if (domain.name != Fqdn::literal("site-00000.fleet.test")) return;
      domain.hold = hold;
      domain.window = window;
    };
    fleet = std::make_unique<FleetSimulation>(7, domains, shape);
    fleet->ca().set_validity(lifetime);
    start = fleet->loop().clock().now();
  }

  store::DomainRow first() { return fleet->domains().front(); }

  /// When that happened to the first domain.
  std::vector<Time> times(const std::string& event) {
    std::vector<Time> times;
    for (const auto& each : fleet->events()) {
      if (each.event == event && each.domain == first().domain.name) times.push_back(each.at);
    }
    return times;
  }

  Serial served() {
    const auto* version = fleet->target().served(first().domain.name);
    return version == nullptr ? Serial() : crypto::read_chain(version->fullchain)->front().serial;
  }

  std::unique_ptr<FleetSimulation> fleet;
  Time start;  ///< a Monday, at midnight
};

TEST_F(Held, NothingIsBegunForItUntilSomebodyAsksForItByName) {
  begin("yes", "");
  fleet->serve_for(days(1));
  EXPECT_EQ(fleet->ca().certificates_issued(), 1);
  fleet->renew(fleet->domains());
  EXPECT_EQ(fleet->outcomes("deferred"), 1);
  EXPECT_EQ(fleet->outcomes("current"), 1);
  EXPECT_FALSE(first().domain.last_error) << "it has not failed";
  EXPECT_THAT(times("issuance.started"), IsEmpty());
  fleet->do_for_all(WorkRequest::Kind::issue);
  EXPECT_EQ(fleet->outcomes("issued"), 2);
  fleet->serve_for(days(9));
  EXPECT_EQ(times("issuance.started").size(), 1U) << "nor is it renewed";
  EXPECT_EQ(fleet->ca().certificates_issued(), 4) << "the other one is";
}

TEST_F(Held, WhatIsDueBeginsWhenTheHoldEnds) {
  begin("2026-11-26", "");
  fleet->serve_for(days(4));
  EXPECT_THAT(times("issuance.started"), testing::ElementsAre(start + days(3)));
  EXPECT_EQ(served(), first().certificate->serial);
}

TEST_F(Held, WhatWasBegunGoesOn) {
  begin("", "");
  fleet->dns().refuse(fail(Error::Kind::transient, "publish", "503").value());
  fleet->serve_for(1h);
  ASSERT_TRUE(first().working);
  auto row = first();
  row.domain.hold = "yes";
  store::InventoryChange change;
  change.changed = {row.domain};
  ASSERT_TRUE(fleet->loop().run(fleet->store().change_inventory(std::move(change))));
  fleet->dns().refuse(std::nullopt);
  fleet->serve_for(days(1));
  EXPECT_EQ(served(), first().certificate.value().serial);
  EXPECT_EQ(times("issuance.started").size(), 1U);
}

TEST_F(Held, ARenewalBeginsAndIsInstalledWithinTheWindow) {
  begin("", "wed 02:00-05:00");
  fleet->serve_for(1h);
  EXPECT_THAT(times("issuance.started"), testing::ElementsAre(start))
      << "there was no certificate to wait with";
  fleet->serve_for(days(10));
  const auto opens = start + days(9) + 2h;
  ASSERT_EQ(times("issuance.started").size(), 2U);
  EXPECT_EQ(times("issuance.started").back(), opens);
  ASSERT_EQ(times("certificate.installed").size(), 2U);
  EXPECT_GT(times("certificate.installed").back(), opens);
  EXPECT_LT(times("certificate.installed").back(), opens + 3h);
  EXPECT_EQ(served(), first().certificate->serial);
}

TEST_F(Held, AWindowThatWouldComeTooLateIsNotWaitedFor) {
  begin("", "sun 02:00-05:00");
  fleet->ca().set_validity(days(6));
  fleet->serve_for(days(4));
  ASSERT_EQ(times("certificate.installed").size(), 2U);
  EXPECT_LT(times("certificate.installed").back(), start + days(3) + 1h);
  EXPECT_EQ(served(), first().certificate->serial);
}

TEST_F(Held, WhatWasGotWhileTheWindowClosedIsInstalledWhenItOpensAgain) {
  begin("", "02:00-02:30");
  fleet->serve_for(days(8));
  const auto before = served();
  fleet->dns().refuse(fail(Error::Kind::transient, "publish", "503").value());
  fleet->serve_for(2h + 20min);
  ASSERT_EQ(times("issuance.started").size(), 2U);
  fleet->dns().refuse(std::nullopt);
  fleet->serve_for(6h);
  EXPECT_EQ(first().working, Step::install);
  EXPECT_NE(first().certificate->serial, before);
  EXPECT_EQ(served(), before);
  EXPECT_EQ(times("install.deferred").size(), 1U);
  EXPECT_FALSE(first().domain.last_error);
  EXPECT_EQ(first().working_next_at, start + days(9) + 2h);

  fleet->serve_for(days(1));
  EXPECT_FALSE(first().working);
  EXPECT_EQ(served(), first().certificate->serial);
  EXPECT_GE(times("certificate.installed").back(), start + days(9) + 2h);
  EXPECT_EQ(fleet->ca().certificates_issued(), 4);
}

/// Somebody sets the window while the order waits for the DNS.
Task<void> set_window(FleetSimulation* fleet, std::string window) {
  while (true) {
    co_await fleet->loop().clock().sleep_for(1min);
    auto row = co_await fleet->store().domain(Fqdn::literal("site-00000.fleet.test"));
    if (row->working != Step::propagate) continue;
    store::InventoryChange change;
    change.changed = {row->domain};
    change.changed.front().window = std::move(window);
    (void)co_await fleet->store().change_inventory(std::move(change));
    co_return;
  }
}

TEST_F(Held, AWindowThatIsSetWhileTheOrderWaitsCountsForItsInstallation) {
  begin("", "");
  fleet->serve_for(days(7));
  fleet->dns().set_in_sync_after(8min);
  const auto before = served();
  runtime::TaskGroup outside(fleet->loop());
  outside.spawn(set_window(fleet.get(), "12:00-12:30"));
  fleet->serve_for(days(1) + 6h);
  fleet->loop().run(outside.join());
  EXPECT_EQ(first().working, Step::install);
  EXPECT_EQ(served(), before);
  EXPECT_EQ(times("install.deferred").size(), 1U);

  fleet->serve_for(days(1));
  EXPECT_FALSE(first().working);
  EXPECT_NE(served(), before);
  EXPECT_EQ(fleet->ca().certificates_issued(), 4);
}

TEST_F(Held, WhoAsksByNameDoesNotWaitForTheWindow) {
  begin("", "sat 02:00-05:00");
  fleet->serve_for(1h);
  fleet->do_for_all(WorkRequest::Kind::issue);
  EXPECT_EQ(fleet->outcomes("issued"), 2);
  EXPECT_EQ(served(), first().certificate->serial);
  EXPECT_EQ(times("certificate.installed").size(), 2U);
}

// They wait for a slot one after the other, longer than the window is open.
TEST(HeldFleet, NothingBeginsAfterTheWindowHasClosed) {
  constexpr int domains = 6;
  const std::string text = "02:00-02:01";
  const auto window = policy::MaintenanceWindow::parse(text).value();
  FleetSimulation fleet(7, domains, [&text](Domain& domain) { domain.window = text; });
  fleet.ports().cas.at(CaName("ca")).max_in_flight = 1;
  fleet.ca().set_validity(lifetime);
  fleet.serve_for(days(8));
  const auto begun = fleet.events().size();
  ASSERT_EQ(fleet.ca().certificates_issued(), domains);
  fleet.serve_for(days(2));
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);
  std::set<Time> nights;
  const auto events = fleet.events();
  for (auto event = events.begin() + static_cast<std::ptrdiff_t>(begun); event != events.end();
       ++event) {
    if (event->event != "issuance.started" && event->event != "certificate.installed") continue;
    EXPECT_EQ(window.next(event->at), event->at) << event->event << format_time(event->at);
    nights.insert(std::chrono::floor<days>(event->at));
  }
  EXPECT_GT(nights.size(), 1U);
}

}  // namespace
}  // namespace certherd::sim

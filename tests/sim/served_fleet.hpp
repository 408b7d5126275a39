#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/x509.hpp"
#include "fleet_simulation.hpp"

namespace certherd::sim {

/// A small fleet that the service keeps.
class ServedFleet : public testing::Test {
 protected:
  static constexpr int domains = 6;

  Time now() { return fleet.loop().clock().now(); }

  Certificate certificate(int index) {
    for (const auto& row : fleet.domains()) {
      if (row.domain.name == fleet.name(index)) return row.certificate.value();
    }
    return {};
  }

  /// How many certificates the CA has given out.
  int issued() { return fleet.ca().certificates_issued(); }

  int count(const std::string& event) {
    const auto events = fleet.events();
    return static_cast<int>(
        std::ranges::count(events, event, [](const Event& each) { return each.event; }));
  }

  /// What every edge serves is valid, and is what the vault holds.
  void expect_all_served_well() {
    for (const auto& row : fleet.domains()) {
      const auto* served = fleet.target().served(row.domain.name);
      ASSERT_NE(served, nullptr) << row.domain.name.text();
      const auto chain = crypto::read_chain(served->fullchain);
      ASSERT_TRUE(chain);
      EXPECT_GT(chain->front().not_after, now()) << row.domain.name.text();
      EXPECT_EQ(chain->front().serial, row.certificate->serial) << row.domain.name.text();
      const auto kept = fleet.loop().run(fleet.vault().load(row.domain.name));
      ASSERT_TRUE(kept);
      EXPECT_EQ(kept->fullchain, served->fullchain);
      EXPECT_FALSE(row.working) << row.domain.name.text();
      EXPECT_FALSE(row.domain.last_error) << row.domain.last_error->message();
    }
    EXPECT_TRUE(fleet.ledger().empty());
  }

  /// All have a certificate, of ten days' age, and it is good.
  void settle() {
    fleet.serve_for(std::chrono::days(10));
    ASSERT_EQ(issued(), domains);
    expect_all_served_well();
  }
  /// From now on all present certificates are due.
  void make_due() { fleet.ports().defaults.renew_at = 0.1; }
  /// And no longer.
  void be_patient() { fleet.ports().defaults.renew_at = 0.667; }

  FleetSimulation fleet{7, domains};
};

}  // namespace certherd::sim

// A fleet keeps to the limits of a CA, so that the CA never has to refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fleet/order_forecast.hpp"
#include "fleet_simulation.hpp"
#include "policy/plan.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using policy::CaLimit;
using policy::CaLimits;
using sim::BoulderLimits;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using Rows = std::vector<store::DomainRow>;

const CaName ca_name("ca");

/// A CA with Let's Encrypt's limits, and a fleet that knows them.
class Limited {
 public:
  explicit Limited(int domains, const std::function<void(Domain&)>& shape = nullptr)
      : fleet(11, domains, shape) {
    fleet.ca().keep_limits({});
    auto& port = fleet.ports().cas.at(ca_name);
    port.limits = CaLimits::of(CaLimits::Preset::letsencrypt);
    port.authority = "ca.test";
  }

  Time now() { return fleet.loop().clock().now(); }
  void wait_until(Time time) { fleet.loop().run(fleet.loop().clock().sleep_for(time - now())); }
  CaLimits& known() { return fleet.ports().cas.at(ca_name).limits; }
  int refusals() { return fleet.ca().limits().refusals(); }

  /// When each will be ordered, as `plan` tells it.
  std::vector<policy::Plan> plans(const Rows& rows) {
    const auto& defaults = fleet.ports().defaults;
    const auto& port = fleet.ports().cas.at(ca_name);
    std::vector<policy::Plan> plans;
    for (const auto& row : rows) {
      plans.push_back(policy::plan_for(row.domain, row.certificate, row.working, defaults.targets,
                                       defaults.renew_at, now()));
    }
    std::vector<fleet::OrderForecast::Item> items;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      items.push_back({.row = &rows[i], .plan = &plans[i]});
    }
    std::map<CaName, fleet::LimitedCa> cas = {
        {ca_name, {.limits = port.limits, .authority = port.authority, .account = port.account}}};
    auto forecast =
        fleet.loop().run(fleet::OrderForecast::read(&fleet.store(), std::move(cas), defaults));
    forecast->put_off(items, now());
    return plans;
  }

  store::DomainRow row(const Fqdn& name) { return *fleet.loop().run(fleet.store().domain(name)); }

  FleetSimulation fleet;
};

/// Moves the names of a fleet to registered domains of their own.
class Brands {
 public:
  static constexpr int all = 40;
  static constexpr int large = 4;
  static constexpr int in_a_large_one = 90;

  void operator()(Domain& domain) {
    const int brand =
        number_ < large * in_a_large_one ? number_ % large : large + number_ % (all - large);
    domain.name = Fqdn::literal(fmt::format("site-{:04}.brand-{:02}.test", number_, brand));
    domain.names.clear();
    domain.zone_id = ZoneId("zone");
    number_ += 1;
  }

 private:
  int number_ = 0;
};

/// All names of a fleet in one zone.
class OneZone {
 public:
  OneZone(FleetSimulation& fleet, const Fqdn& name)
      : provider_(fleet.loop().clock(), {{.id = ZoneId("zone"), .name = name}}),
        visibility_(fleet.loop().clock(), name, lookup()) {
    fleet.use_dns({.provider = &provider_, .visibility = &visibility_, .lookup = lookup()});
  }

 private:
  sim::FakeVisibility::Lookup lookup() {
    return [this](const Fqdn& record, const TxtValue& value) {
      return provider_.holds(record, value);
    };
  }

  sim::FakeDnsProvider provider_;
  sim::FakeVisibility visibility_;
};

// Both limits bind: 1,000 orders are more than 300, and 90 certificates for one registered domain
// more than 50.
TEST(CaLimits, AThousandNewDomainsNeverMakeTheCaRefuse) {
  constexpr int domains = 1'000;
  Limited limited(domains, Brands());
  auto& fleet = limited.fleet;
  OneZone dns(fleet, Fqdn::literal("test"));
  const Time begun = limited.now();
  const auto plans = limited.plans(fleet.domains());
  const Time predicted = std::ranges::max(plans, {}, &policy::Plan::at).at;
  EXPECT_THAT(plans,
              Contains(testing::Field(&policy::Plan::limited_by, "300 new orders in 3h at ca")));
  EXPECT_THAT(plans, Contains(testing::Field(&policy::Plan::limited_by,
                                             "50 certificates for brand-00.test in 7d at ca")));

  // As a service does it: each has its turn, and is taken up again then. Those of a few minutes go
  // together, which takes a tenth of the time.
  constexpr Duration together = 10min;
  fleet.issue_all();
  std::set<std::pair<Time, Fqdn>> turns;
  const auto note = [&turns](const store::DomainRow& row) {
    if (!row.certificate) turns.emplace(row.domain.next_at.value(), row.domain.name);
  };
  for (const auto& row : fleet.domains()) note(row);
  EXPECT_EQ(fleet.outcomes("issued"), domains - static_cast<int>(turns.size()));
  EXPECT_GE(fleet.outcomes("issued"), 240);
  int rounds = 1;
  while (!turns.empty()) {
    limited.wait_until(turns.begin()->first + together);
    Rows due;
    while (!turns.empty() && turns.begin()->first <= limited.now()) {
      due.push_back(limited.row(turns.begin()->second));
      turns.erase(turns.begin());
    }
    fleet.renew(due);
    ASSERT_EQ(fleet.outcomes("failed"), 0);
    for (const auto& row : due) note(limited.row(row.domain.name));
    ASSERT_LT(++rounds, 2 * domains) << "it never comes to an end";
  }

  EXPECT_EQ(limited.refusals(), 0);
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
  const auto took = limited.now() - begun;
  EXPECT_GT(took, 5 * 24h);
  EXPECT_LT(std::chrono::abs(limited.now() - predicted), took / 20)
      << "predicted " << format_time(predicted) << ", was " << format_time(limited.now());
}

TEST(CaLimits, ABulkLeavesAShareToRenewals) {
  Limited limited(10);
  limited.known().rates = {{CaLimit::new_orders, {10, 1h}}};
  auto& fleet = limited.fleet;
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 8);
  EXPECT_EQ(fleet.outcomes("deferred"), 2);

  // Two that have a certificate want one for other names, which is not exempt: there is room.
  auto change = [](Rows rows) {
    store::InventoryChange change;
    for (auto& row : rows) {
      if (!row.certificate || change.changed.size() == 2) continue;
      row.domain.names.push_back(Fqdn::literal("www." + row.domain.name.text()));
      change.changed.push_back(std::move(row.domain));
    }
    return change;
  };
  auto changed = fleet.loop().run(fleet.store().change_inventory(change(fleet.domains())));
  ASSERT_TRUE(changed);
  auto rows = fleet.domains();
  std::erase_if(rows, [](const store::DomainRow& row) {
    return row.certificate && row.certificate->names.size() == row.domain.all_names().size();
  });
  ASSERT_EQ(rows.size(), 4U);
  fleet.renew(rows);
  EXPECT_EQ(fleet.outcomes("issued"), 2);
  EXPECT_EQ(fleet.outcomes("deferred"), 2);
  EXPECT_EQ(limited.refusals(), 0);
}

TEST(CaLimits, TheSameNamesAreExemptFromAllButTheirOwnLimit) {
  Limited limited(2);
  auto& fleet = limited.fleet;
  for (int i = 0; i < 5; ++i) {
    fleet.do_for_all(WorkRequest::Kind::issue);
    EXPECT_EQ(fleet.outcomes("issued"), 2) << i;
  }
  fleet.do_for_all(WorkRequest::Kind::issue);
  EXPECT_EQ(fleet.outcomes("deferred"), 2);
  EXPECT_EQ(limited.refusals(), 0);
  EXPECT_EQ(fleet.ca().orders_placed(), 10);
  const auto domain = fleet.domains().front().domain;
  ASSERT_TRUE(domain.last_error && domain.next_at);
  EXPECT_THAT(domain.last_error->message(),
              AllOf(HasSubstr("5 certificates for the same names in 7d at ca"),
                    HasSubstr(format_time(*domain.next_at))));
  EXPECT_EQ(domain.failures, 0);
  // One unit comes back in 33.6 hours.
  EXPECT_GT(*domain.next_at, limited.now() + 33h);
  EXPECT_LT(*domain.next_at, limited.now() + 34h);

  limited.wait_until(*domain.next_at);
  fleet.do_for_all(WorkRequest::Kind::issue);
  EXPECT_EQ(fleet.outcomes("issued"), 2);
  EXPECT_EQ(fleet.domains().front().domain.last_error, std::nullopt);
  EXPECT_EQ(limited.refusals(), 0);
}

TEST(CaLimits, WhatFailsOftenIsLeftAloneBeforeTheCaHasTo) {
  Limited limited(3);
  auto& fleet = limited.fleet;
  fleet.ca().refuse(fleet.name(1));
  for (int i = 0; i < 5; ++i) {
    fleet.do_for_all(WorkRequest::Kind::issue);
    EXPECT_EQ(fleet.outcomes("failed"), 1) << i;
  }
  // The others have spent their same names by now.
  fleet.do_for_all(WorkRequest::Kind::issue);
  EXPECT_EQ(fleet.outcomes("deferred"), 3);
  const auto domain = fleet.domains().at(1).domain;
  ASSERT_TRUE(domain.last_error);
  EXPECT_THAT(domain.last_error->message(),
              AllOf(HasSubstr("5 failed validations of site-00001.fleet.test in 1h at ca"),
                    HasSubstr("certherd doctor")));
  EXPECT_EQ(limited.refusals(), 0);
}

// The CA counts a certificate when it issues it: an allowance that comes back in less time than
// that takes does not come back before.
TEST(CaLimits, WhatIsNotIssuedYetIsNotCountedAsPast) {
  Limited limited(8);
  auto& fleet = limited.fleet;
  BoulderLimits::Options quick;
  quick.per_domain = {.count = 2, .period = 4s};
  fleet.ca().keep_limits(quick);
  limited.known().rates[CaLimit::certificates_per_domain] = {2, 4s};
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 8);
  EXPECT_EQ(limited.refusals(), 0);
}

// Others draw on the same account, or its limits are lower than the config says.
TEST(CaLimits, ARefusalClosesTheAllowanceThatItNames) {
  Limited limited(8);
  auto& fleet = limited.fleet;
  BoulderLimits::Options stricter;
  stricter.orders = {.count = 4, .period = 4h};
  fleet.ca().keep_limits(stricter);
  fleet.ports().cas.at(ca_name).max_in_flight = 1;
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 4);
  EXPECT_EQ(fleet.outcomes("deferred"), 4);
  EXPECT_EQ(limited.refusals(), 1);
  int by_the_ca = 0;
  for (const auto& row : fleet.domains()) {
    if (row.certificate) continue;
    EXPECT_GT(*row.domain.next_at, limited.now() + 58min);
    if (row.domain.last_error->problem) ++by_the_ca;
  }
  EXPECT_EQ(by_the_ca, 1);

  // What does not draw on it goes on.
  auto rows = fleet.domains();
  std::erase_if(rows, [](const store::DomainRow& row) { return !row.certificate; });
  fleet.ports().defaults.renew_at = 0.0;
  fleet.renew(rows);
  EXPECT_EQ(fleet.outcomes("issued"), 4);
  EXPECT_EQ(limited.refusals(), 1);
}

}  // namespace
}  // namespace certherd::sim

#include "app/fleet_plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/offload.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::app {
namespace {

using namespace std::chrono_literals;
using HeldBy = FleetPlan::HeldBy;

constexpr Time start = Time(std::chrono::days(20'780));
const CaName former("former");
const CaName limited("letsencrypt");

class ForesaidFleet : public testing::Test {
 protected:
  /// Each in a registered domain of its own, with a certificate that is not due.
  static std::vector<store::DomainRow> fleet_of(int domains, const CaName& issued_by) {
    std::vector<store::DomainRow> rows;
    for (int i = 0; i < domains; ++i) {
      store::DomainRow row;
      row.domain.id = DomainId{i + 1};
      row.domain.name = Fqdn::literal(fmt::format("site-{:04}.test", i));
      Certificate certificate;
      certificate.domain_id = row.domain.id;
      certificate.names = {row.domain.name};
      certificate.ca = issued_by;
      certificate.not_before = start - 24h;
      // The later in the alphabet, the sooner it ends.
      certificate.not_after = start + 80 * 24h - i * 1min;
      row.certificate = std::move(certificate);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  static std::set<DomainId> ids_of(const std::vector<store::DomainRow>& rows) {
    std::set<DomainId> ids;
    for (const auto& row : rows) ids.insert(row.domain.id);
    return ids;
  }

  FleetPlan plan(std::vector<store::DomainRow> rows, const std::set<DomainId>& replaced) {
    fleet::Defaults defaults;
    defaults.cas = {limited};
    std::map<CaName, fleet::LimitedCa> cas = {
        {limited,
         {.limits = policy::CaLimits::of(policy::CaLimits::Preset::letsencrypt),
          .authority = "ca.test",
          .account = AccountUrl("https://ca.test/account")}}};
    auto orders = loop_->run(fleet::OrderForecast::read(store_.get(), std::move(cas), defaults));
    OutsideLimits limits{.orders = std::move(orders.value()), .writes = TargetLimits()};
    return FleetPlan(std::move(rows), defaults, std::move(limits), start, replaced);
  }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(start);
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  std::unique_ptr<store::Store> store_ =
      store::Store::open({.url = "sqlite::memory:", .create = true}, *offload_, *offload_,
                         loop_->clock())
          .value();
};

TEST_F(ForesaidFleet, WhatIsReplacedAtAnotherCaWaitsForItsLimitsMostUrgentFirst) {
  auto rows = fleet_of(1'000, former);
  EXPECT_TRUE(plan(rows, {}).due().empty());

  const auto ids = ids_of(rows);
  const auto plans = plan(std::move(rows), ids);
  ASSERT_EQ(plans.due().size(), 1'000U);
  EXPECT_EQ(plans.due().front().row->domain.name.text(), "site-0999.test");
  EXPECT_EQ(plans.due().back().row->domain.name.text(), "site-0000.test");
  // 300 at once, then one every 36 seconds.
  const auto at_once = std::ranges::count_if(
      plans.due(), [](const FleetPlan::Item& item) { return item.plan.at == start; });
  EXPECT_EQ(at_once, 300);
  EXPECT_EQ(plans.finish_at(), start + 700 * 36s);
  EXPECT_EQ(plans.due().front().held_by, HeldBy::nothing);
  EXPECT_EQ(plans.due().back().held_by, HeldBy::ca);
  EXPECT_EQ(plans.due().back().plan.limited_by, "300 new orders in 3h at letsencrypt");
}

// Boulder exempts names that it has certified before.
TEST_F(ForesaidFleet, WhatIsReplacedAtItsOwnCaWaitsForNothing) {
  auto rows = fleet_of(1'000, limited);
  const auto ids = ids_of(rows);
  const auto plans = plan(std::move(rows), ids);
  EXPECT_EQ(plans.due().size(), 1'000U);
  EXPECT_EQ(plans.finish_at(), start);
}

TEST_F(ForesaidFleet, OnlyTheChosenAreReplacedAndAPauseAfterAFailureDoesNotHoldThemBack) {
  auto rows = fleet_of(3, limited);
  rows[1].domain.failures = 2;
  rows[1].domain.next_at = start + 10min;
  rows[1].domain.last_error = Error();
  rows[2].working = Step::clean_up;
  const std::set chosen = {rows[1].domain.id, rows[2].domain.id};
  auto plans = plan(rows, chosen);
  ASSERT_EQ(plans.due().size(), 2U);
  EXPECT_EQ(plans.later().size(), 1U);
  for (const auto& item : plans.due()) {
    EXPECT_EQ(item.plan.action, policy::Action::renew);
    EXPECT_EQ(item.plan.at, start);
    EXPECT_EQ(item.held_by, HeldBy::nothing);
  }
  plans.keep({rows[0].domain.id});
  EXPECT_TRUE(plans.due().empty());
  EXPECT_EQ(plans.later().size(), 1U);

  // The other side has named its time: that goes for everybody.
  rows[1].working = Step::finalize;
  rows[1].domain.last_error->kind = Error::Kind::throttled;
  const auto held = plan(rows, chosen);
  EXPECT_EQ(held.due().back().row->domain.name, rows[1].domain.name);
  EXPECT_EQ(held.due().back().plan.at, start + 10min);
  EXPECT_EQ(held.due().back().held_by, HeldBy::pause);
}

}  // namespace
}  // namespace certherd::app

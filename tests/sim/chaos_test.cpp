// The promises of docs/promises.md, held against fleets to which everything happens.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "first_seed.hpp"
#include "sim/report.hpp"
#include "sim/simulation.hpp"

namespace certherd::sim {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Scenario chaos(int domains, int days, std::uint64_t seed) {
  auto scenario = Scenario::named("chaos").value();
  scenario.domains = domains;
  scenario.span = std::chrono::days(days);
  scenario.seed = seed;
  return scenario;
}

TEST(Chaos, BreaksNoPromise) {
  constexpr int seeds = 10;
  constexpr int domains = 30;
  constexpr int days = 150;
  Outcome sum;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    const auto outcome = simulate(chaos(domains, days, seed), {});
    EXPECT_THAT(outcome.broken, IsEmpty())
        << "repeat it with: " << command_of(outcome.scenario, "");
    sum.add(outcome);
  }
  std::cout << fmt::format(
      "{} renewals, {} questions about renewals, {} probes, {} journal writes, {} kills, {} "
      "outages, {} broken domains, {} changes, {} freezes, {} wrong clocks\n",
      sum.renewals, sum.polls, sum.probes, sum.journal_writes, sum.kills, sum.outages,
      sum.broken_sites, sum.inventory_changes, sum.freezes, sum.wrong_clocks);
  // Otherwise nothing was put to the test.
  constexpr int fleet_days = seeds * domains * days;
  EXPECT_GT(sum.renewals, seeds * domains * 3 / 2);
  EXPECT_GT(sum.polls, fleet_days * 3) << "every six hours or so";
  EXPECT_GT(sum.probes, fleet_days / 2);
  EXPECT_GT(sum.journal_writes, 10 * sum.renewals);
  EXPECT_GT(sum.kills, seeds * 3);
  EXPECT_GT(sum.outages, seeds);
  EXPECT_GT(sum.broken_sites, seeds);
  EXPECT_GT(sum.inventory_changes, seeds);
  EXPECT_GT(sum.wrong_clocks, seeds / 2);
}

TEST(Chaos, IsTheSameForTheSameSeedToTheByte) {
  const auto run = [](std::uint64_t seed) {
    std::string log;
    (void)simulate(chaos(10, 60, seed),
                   {.log = [&log](const std::string& line) { log += line + "\n"; }});
    return log;
  };
  const auto one = run(7);
  EXPECT_GT(one.size(), 10'000U);
  EXPECT_EQ(one, run(7));
  EXPECT_NE(one, run(8));
}

TEST(Chaos, BreaksNoPromiseOnTheStoreInMemory) {
  auto scenario = chaos(20, 100, first_seed());
  scenario.store = Scenario::Keeping::memory;
  EXPECT_THAT(simulate(scenario, {}).broken, IsEmpty());
}

// Longer than a look into the DNS waits: what was published has to be found there later.
TEST(Scenarios, WhereTheDnsHostTakesAnHourAllIsRenewedAllTheSame) {
  auto scenario = Scenario::named("steady").value();
  scenario.domains = 10;
  scenario.span = std::chrono::days(100);
  scenario.least_to_in_sync = std::chrono::minutes(30);
  scenario.most_to_in_sync = std::chrono::minutes(60);
  const auto outcome = simulate(scenario, {});
  EXPECT_THAT(outcome.broken, IsEmpty());
  EXPECT_GE(outcome.renewals, 10U);
}

TEST(Scenarios, WithACallInTwoSecondsTakeLongAndComeToAnEnd) {
  auto scenario = Scenario::named("first-import").value();
  scenario.domains = 20;
  scenario.span = std::chrono::days(3);
  scenario.delegated = false;
  scenario.calls_per_second = 0.5;
  const auto outcome = simulate(scenario, {});
  EXPECT_THAT(outcome.broken, IsEmpty());
  EXPECT_EQ(outcome.certificates, 20U);
}

TEST(Scenarios, OfChaosDifferByTheirSeed) {
  const auto kills_with = [](std::uint64_t seed) {
    return simulate(chaos(10, 60, seed), {}).kills;
  };
  EXPECT_EQ(kills_with(4), 0U);
  EXPECT_GT(kills_with(3) + kills_with(7), 0U);
}

TEST(Scenarios, WhereNothingGoesWrongAllIsRenewedAsPlanned) {
  auto scenario = Scenario::named("steady").value();
  scenario.domains = 20;
  scenario.span = std::chrono::days(100);
  const auto outcome = simulate(scenario, {});
  EXPECT_THAT(outcome.broken, IsEmpty());
  EXPECT_GE(outcome.renewals, 30U);
  EXPECT_LE(outcome.renewals, 40U) << "each 60 days, and none twice";
  // Within the window around two thirds of the lifetime that the CA suggests.
  EXPECT_GT(outcome.least_margin, 0.32);
  EXPECT_LT(outcome.mean_margin, 0.35);
  EXPECT_EQ(outcome.days.size(), 99U);
}

TEST(Scenarios, AFirstImportTakesAsLongAsTheCaLets) {
  auto scenario = Scenario::named("first-import").value();
  scenario.domains = 40;
  scenario.span = std::chrono::days(4);
  scenario.limits.rates[policy::CaLimit::new_orders] = {.units = 5,
                                                        .period = std::chrono::hours(6)};
  const auto outcome = simulate(scenario, {});
  EXPECT_THAT(outcome.broken, IsEmpty());
  // 5 at once, and then one every 72 minutes.
  ASSERT_TRUE(outcome.all_served_after);
  EXPECT_GT(*outcome.all_served_after, std::chrono::hours(41));
  EXPECT_LT(*outcome.all_served_after, std::chrono::hours(44));
}

TEST(Scenarios, AMassRevocationIsOverInTime) {
  auto scenario = Scenario::named("mass-revocation").value();
  scenario.domains = 60;
  const auto outcome = simulate(scenario, {});
  EXPECT_THAT(outcome.broken, IsEmpty());
  ASSERT_THAT(outcome.recalls, SizeIs(1));
  EXPECT_GE(outcome.recalls[0].certificates, 59);
  EXPECT_EQ(outcome.recalls[0].in_time, outcome.recalls[0].certificates);
  EXPECT_LE(*outcome.recalls[0].last, std::chrono::hours(9)) << "each is asked about every six";
}

TEST(ScenarioFile, SaysAllThatIsWrongWithIt) {
  const auto read =
      Scenario::parse("fleet.toml", "domains = 0\nbreaks = 2\nlike = \"x\"\nwat = 1\n");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().causes, SizeIs(4));
}

TEST(ScenarioFile, BeginsWithAnotherScenario) {
  const auto read = Scenario::parse("fleet.toml", R"(
like = "mass-revocation"
domains = 7
[limits]
new_orders = "1500/3h"
certificates_per_domain = "none"
[[recalls]]
after = "50d"
share = 0.5
)");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->domains, 7);
  EXPECT_EQ(read->span, std::chrono::days(7));
  EXPECT_EQ(read->limits.rates.at(policy::CaLimit::new_orders).units, 1'500);
  EXPECT_FALSE(read->limits.rates.contains(policy::CaLimit::certificates_per_domain));
  ASSERT_THAT(read->recalls, SizeIs(2));
  EXPECT_EQ(read->recalls[1].share, 0.5);
}

}  // namespace
}  // namespace certherd::sim

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/x509.hpp"
#include "fleet_simulation.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;

/// What must be true at the end of every run, whatever went wrong on the way.
void expect_whole(FleetSimulation& fleet, int domains) {
  EXPECT_EQ(fleet.ledger().size(), 0U);
  EXPECT_EQ(fleet.dns().value_count(), 0U);
  for (const auto& row : fleet.domains()) {
    ASSERT_TRUE(row.certificate) << row.domain.name.text();
    std::vector<std::string> names;
    for (const auto& name : row.domain.all_names()) names.push_back(name.text());
    std::ranges::sort(names);
    EXPECT_EQ(fleet.ca().issued_for(names), 1) << row.domain.name.text();
    const auto material = fleet.loop().run(fleet.vault().load(row.domain.name));
    ASSERT_TRUE(material);
    const auto key = crypto::PrivateKey::from_pem(material->private_key);
    ASSERT_TRUE(key);
    EXPECT_EQ(crypto::read_chain(material->fullchain)->front().public_key, key->public_key());
    EXPECT_EQ(row.certificate->served, true);
  }
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
}

// A thousand where the long runs give a seed, and fewer in between.
TEST(FleetSimulation, ManyIssuancesAreTheSameForTheSameSeed) {
  const int domains = std::getenv("CERTHERD_SEED") != nullptr ? 1'000 : 150;
  const auto run = [domains](std::uint64_t seed) {
    FleetSimulation fleet(seed, domains);
    fleet.ca().set_faults(2, 1);
    fleet.issue_all();
    EXPECT_EQ(fleet.outcomes("issued"), domains);
    expect_whole(fleet, domains);
    return fleet.events();
  };
  const auto first = run(7);
  EXPECT_GT(first.size(), static_cast<std::size_t>(domains) * 8);
  EXPECT_EQ(first, run(7));
  EXPECT_NE(first, run(8));
}

TEST(FleetSimulation, FailingDomainsChangeNothingForTheOthers) {
  FleetSimulation fleet(3, 100);
  for (const int index : {1, 2, 3, 4, 5}) fleet.ca().refuse(fleet.name(index));
  for (const int index : {6, 7}) fleet.visibility().lose(fleet.name(index).challenge_name());
  const Time begun = fleet.loop().clock().now();
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 93);
  EXPECT_EQ(fleet.outcomes("failed"), 7);
  EXPECT_LT(fleet.loop().clock().now() - begun, 2min);
  EXPECT_EQ(fleet.ledger().size(), 0U);
  EXPECT_EQ(fleet.dns().value_count(), 0U);
  for (const auto& row : fleet.domains()) {
    EXPECT_EQ(row.certificate.has_value(), !row.domain.last_error.has_value());
    if (row.domain.last_error) EXPECT_TRUE(row.domain.next_at);
  }
}

TEST(FleetSimulation, WithoutDns01TheErrorSaysWhatIsOffered) {
  FleetSimulation fleet(3, 1);
  fleet.ca().offer_no_dns_01();
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("failed"), 1);
  EXPECT_THAT(fleet.domains().front().domain.last_error->detail, testing::HasSubstr("http-01"));
}

// Four seconds apart, as at the beginning, these would be 140 looks.
TEST(FleetSimulation, ADnsHostIsAskedLessOftenTheLongerItTakes) {
  FleetSimulation fleet(1, 1, [](Domain& domain) { domain.names.clear(); });
  const auto& clock = fleet.loop().clock();
  const Time shown_from = clock.now() + 9min;
  int looks = 0;
  fleet.use_dns({.provider = &fleet.dns(),
                 .visibility = &fleet.visibility(),
                 .lookup = [&](const Fqdn& name, const TxtValue& value) {
                   ++looks;
                   return clock.now() >= shown_from && fleet.dns().holds(name, value);
                 }});
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 1);
  EXPECT_GT(looks, 40) << looks;
  EXPECT_LT(looks, 80) << looks;
  const auto events = fleet.events();
  const auto answered = std::ranges::find(events, "challenge.answered", &Event::event);
  ASSERT_NE(answered, events.end());
  // Its own word is asked for after that.
  EXPECT_LT(answered->at, shown_from + 9min / 16 + 10s);
}

TEST(FleetSimulation, ARequestTakesUpWhatTheSameRunHasPutOff) {
  FleetSimulation fleet(23, 10);
  fleet.visibility().lose(fleet.name(6).challenge_name());
  fleet.issue_all_again_after(2s);
  EXPECT_EQ(fleet.outcomes("failed"), 2);
  EXPECT_EQ(fleet.outcomes("issued"), 18);
}

TEST(FleetSimulation, ForeignValuesAtTheSameNameSurvive) {
  FleetSimulation fleet(5, 10);
  const auto name = fleet.name(0).challenge_name();
  fleet.dns().plant(name, TxtValue("somebody else's"));
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 10);
  EXPECT_TRUE(fleet.dns().holds(name, TxtValue("somebody else's")));
  EXPECT_EQ(fleet.dns().value_count(), 1U);
}

class KilledFleet : public testing::TestWithParam<int> {};

TEST_P(KilledFleet, IssuesOneCertificateForEachDomainAndLosesNone) {
  FleetSimulation fleet(11, 60);
  fleet.ca().set_faults(1, 1);
  fleet.issue_all(std::chrono::milliseconds(GetParam()));
  EXPECT_EQ(fleet.outcomes("issued"), 60);
  expect_whole(fleet, 60);
  // Orders whose reply was lost are found again, not placed twice.
  EXPECT_EQ(fleet.ca().orders_placed(), 60);
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, KilledFleet,
                         testing::Values(10, 50, 100, 150, 200, 250, 300, 400, 500, 700, 900, 1100,
                                         1500, 2000, 3000, 4000, 5000, 7000, 9000));

class KilledFleetWithAnotherAccount : public testing::TestWithParam<int> {};

// The values of its challenges hold the thumbprint of the account's key: those are made anew, and
// no order is lost by it.
TEST_P(KilledFleetWithAnotherAccount, KeepsItsOrdersWhenOnlyTheKeyIsAnother) {
  FleetSimulation fleet(11, 20);
  fleet.issue_all(std::chrono::milliseconds(GetParam()), [&fleet] { fleet.change_account_key(); });
  EXPECT_EQ(fleet.outcomes("issued"), 20);
  expect_whole(fleet, 20);
  EXPECT_EQ(fleet.ca().orders_placed(), 20);
}

// Orders of an account that has ended are nobody's; all else of the issuances goes on.
TEST_P(KilledFleetWithAnotherAccount, OrdersAnewAtTheAccountThatIsUsed) {
  FleetSimulation fleet(11, 20);
  fleet.issue_all(std::chrono::milliseconds(GetParam()), [&fleet] { fleet.replace_account(); });
  EXPECT_EQ(fleet.outcomes("issued"), 20);
  int abandoned = 0;
  for (const auto& event : fleet.events()) abandoned += event.event == "order.abandoned" ? 1 : 0;
  // What was placed and not yet known to us is taken up, as this CA does not ask whose it is.
  EXPECT_EQ(fleet.ca().orders_placed(), 20 + abandoned);
  EXPECT_EQ(fleet.ledger().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, KilledFleetWithAnotherAccount,
                         testing::Values(50, 150, 250, 400, 700, 1100, 2000, 3000, 5000, 8000));

TEST(FleetSimulation, ACaWithoutAnOrdersListCostsAtMostTheOrdersInFlight) {
  FleetSimulation fleet(13, 60);
  fleet.ca().keep_no_orders_list();
  fleet.issue_all(100ms);
  EXPECT_EQ(fleet.outcomes("issued"), 60);
  expect_whole(fleet, 60);
  EXPECT_LE(fleet.ca().orders_placed(), 120);
}

TEST(FleetSimulation, WhatTheCaMissedWhileNobodyAnsweredIsOrderedAgainAtOnce) {
  FleetSimulation fleet(29, 60);
  fleet.serve_dns_ourselves();
  const Time begun = fleet.loop().clock().now();
  fleet.issue_all(5500ms);
  EXPECT_EQ(fleet.outcomes("issued"), 60);
  EXPECT_GT(fleet.ca().orders_placed(), 60);
  EXPECT_LT(fleet.loop().clock().now() - begun, 1min);
  expect_whole(fleet, 60);
}

TEST(FleetSimulation, MaxInFlightHolds) {
  FleetSimulation fleet(17, 50);
  fleet.ports().cas.at(CaName("ca")).max_in_flight = 4;
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 50);
  int open = 0;
  int most = 0;
  for (const auto& event : fleet.events()) {
    if (event.event == "issuance.started") most = std::max(most, ++open);
    if (event.event == "certificate.issued") --open;
  }
  EXPECT_EQ(most, 4);
}

TEST(FleetSimulation, AFailingInstallIsTriedAgainWithoutANewCertificate) {
  FleetSimulation fleet(19, 3);
  Error error;
  error.kind = Error::Kind::transient;
  error.detail = "the edge is away";
  fleet.target().fail_next_install(error);
  fleet.target().fail_next_install(error);
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 3);
  expect_whole(fleet, 3);
}

/// Removes the first five, and gives the next five a further name.
store::InventoryChange remove_and_rename(std::vector<store::DomainRow> rows) {
  store::InventoryChange change;
  for (std::size_t i = 0; i < 10; ++i) {
    auto& domain = rows[i].domain;
    if (i < 5) {
      change.removed.push_back(std::move(domain));
    } else {
      domain.names = {Fqdn::literal("www." + domain.name.text())};
      change.changed.push_back(std::move(domain));
    }
  }
  return change;
}

class ChangedFleet : public testing::TestWithParam<int> {};

TEST_P(ChangedFleet, EndsWhatWasRemovedAndGoesOnWithTheRest) {
  FleetSimulation fleet(37, 20);
  fleet.ca().set_faults(1, 1);
  fleet.issue_all_and_change_after(std::chrono::milliseconds(GetParam()), &remove_and_rename);
  EXPECT_EQ(fleet.outcomes("issued") + fleet.outcomes("failed"), 20);
  EXPECT_LE(fleet.outcomes("failed"), 5);
  EXPECT_EQ(fleet.ledger().size(), 0U);
  EXPECT_EQ(fleet.dns().value_count(), 0U);
  const auto rows = fleet.domains();
  ASSERT_EQ(rows.size(), 15U);
  for (const auto& row : rows) {
    EXPECT_TRUE(row.certificate) << row.domain.name.text();
    EXPECT_FALSE(row.working) << row.domain.name.text();
  }
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, ChangedFleet,
                         testing::Values(0, 10, 50, 100, 150, 200, 250, 300, 400, 500, 700, 900,
                                         1100, 1500, 2000, 3000, 4000, 5000, 7000, 9000));

TEST(FleetSimulation, BeforeItsFinalizeARemovedDomainCostsNoCertificateAndOtherNamesAreOrdered) {
  FleetSimulation fleet(41, 20);
  fleet.issue_all_and_change_after(1s, &remove_and_rename);
  EXPECT_EQ(fleet.outcomes("issued"), 15);
  EXPECT_EQ(fleet.outcomes("failed"), 5);
  EXPECT_EQ(fleet.ca().certificates_issued(), 15);
  expect_whole(fleet, 15);
}

}  // namespace
}  // namespace certherd::sim

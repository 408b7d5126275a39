// The service on the virtual clock: what is due, when, and what happens when something is away.
#include <gmock/gmock.h>

#include "served_fleet.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

using Service = ServedFleet;

TEST_F(Service, IssuesWhatIsMissingAndRenewsByAgeEachTimeOnce) {
  fleet.serve_for(1h);
  EXPECT_EQ(issued(), domains);
  expect_all_served_well();
  // 90 days, of which two thirds less a little: each is renewed between the 58th and the 60th.
  fleet.serve_for(days(57));
  EXPECT_EQ(issued(), domains);
  fleet.serve_for(days(4));
  EXPECT_EQ(issued(), 2 * domains);
  expect_all_served_well();
  fleet.serve_for(days(54));
  EXPECT_EQ(issued(), 2 * domains);
}

TEST_F(Service, ShortLivedOnesAreRenewedAtHalfTheirLife) {
  fleet.ca().set_validity(days(6));
  fleet.serve_for(1h);
  ASSERT_EQ(issued(), domains);
  fleet.serve_for(days(3));
  EXPECT_EQ(issued(), 2 * domains);
  fleet.serve_for(days(30));
  EXPECT_GE(issued(), 11 * domains);
  EXPECT_LE(issued(), 13 * domains);
  expect_all_served_well();
}

TEST_F(Service, WhoFailsIsTriedMoreOftenBeforeTheCertificateEnds) {
  fleet.serve_for(1h);
  const auto before = certificate(2);
  fleet.ca().refuse(fleet.name(2));
  fleet.serve_for(days(80));
  const int failed_before = count("issuance.failed");
  fleet.serve_for(days(1));
  EXPECT_LE(count("issuance.failed") - failed_before, 2) << "once a day";

  fleet.serve_for(before.not_after - now() - 24h);
  const int failed = count("issuance.failed");
  fleet.serve_for(20h);
  EXPECT_GE(count("issuance.failed") - failed, 4);
  // What is mended in its last hours is in time.
  fleet.ca().pardon(fleet.name(2));
  fleet.serve_for(2h);
  ASSERT_LT(now(), before.not_after);
  EXPECT_NE(certificate(2).serial, before.serial);
  expect_all_served_well();
}

TEST_F(Service, RenewsAtTheMomentThatTheCaNamesAndSaysWhatItReplaces) {
  fleet.ca().offer_renewal_info();
  fleet.serve_for(1h);
  const auto before = certificate(2);
  fleet.ca().set_window(before.ari_id, {.start = now() + days(10),
                                        .end = now() + days(11),
                                        .explanation_url = "https://ca.test/why"});
  fleet.serve_for(days(9));
  EXPECT_EQ(issued(), domains) << "and the CA is asked every few hours";
  EXPECT_EQ(count("renewal.window"), 1);
  EXPECT_EQ(certificate(2).renewal.window->explanation_url, "https://ca.test/why");

  // That is its first third, in which it is renewed once the whole window has passed.
  fleet.serve_for(days(3));
  EXPECT_EQ(issued(), domains + 1);
  EXPECT_EQ(fleet.ca().last_replaces(), before.ari_id);
  EXPECT_NE(certificate(2).serial, before.serial);
  fleet.serve_for(days(10));
  EXPECT_EQ(issued(), domains + 1) << "once";
}

TEST_F(Service, AWindowOfThePastIsNoStorm) {
  fleet.ca().offer_renewal_info();
  fleet.serve_for(1h);
  // A CA whose windows begin before its certificates do, and end long after.
  for (int i = 0; i < domains; ++i) {
    fleet.ca().set_window(certificate(i).ari_id,
                          {.start = now() - days(300), .end = now() + days(1)});
  }
  fleet.serve_for(12h);
  EXPECT_EQ(issued(), domains);
  fleet.serve_for(days(2));
  EXPECT_EQ(issued(), 2 * domains) << "its end has come";
  fleet.serve_for(days(20));
  EXPECT_EQ(issued(), 2 * domains);
}

TEST_F(Service, ACaThatSaysNothingHoldsUpNoRenewal) {
  fleet.ca().offer_renewal_info();
  fleet.serve_for(1h);
  fleet.serve_for(days(62));
  EXPECT_EQ(issued(), 2 * domains);
  // Long-term failures are asked again every six hours and a little.
  EXPECT_LE(fleet.ca().renewal_questions(), domains * (62 * 4 + 4));
  EXPECT_GE(fleet.ca().renewal_questions(), domains * 62 * 3);
}

TEST_F(Service, QuestionsAboutTheSameTimeAreAskedTogetherAndNoneTooSoon) {
  fleet.ca().offer_renewal_info();
  fleet.serve_for(1h);
  for (int i = 0; i < domains; ++i) {
    fleet.ca().set_window(certificate(i).ari_id,
                          {.start = now() + days(50), .end = now() + days(51)});
  }
  fleet.serve_for(days(1));
  const int questions = fleet.ca().renewal_questions();
  const int batches = fleet.ca().renewal_batches();
  fleet.serve_for(days(20));
  const int asked = fleet.ca().renewal_questions() - questions;
  EXPECT_LE(asked, domains * 20 * 4) << "every six hours at most";
  EXPECT_GE(asked, domains * 20 * 3);
  EXPECT_LT(fleet.ca().renewal_batches() - batches, asked * 3 / 4);
}

TEST_F(Service, AnotherProfileOrKeyInTheInventoryIsIssuedAnew) {
  fleet.ca().offer_profiles({{"classic", ""}, {"tlsserver", ""}});
  fleet.serve_for(1h);
  auto rows = fleet.domains();
  store::InventoryChange change;
  change.changed = {rows[0].domain, rows[1].domain};
  change.changed[0].key = "ecdsa-p384";
  change.changed[1].owner = "somebody else";
  fleet.use_fresh_keys();
  ASSERT_TRUE(fleet.loop().run(fleet.store().change_inventory(std::move(change))));
  fleet.serve_for(1h);
  EXPECT_EQ(issued(), domains + 1);
  EXPECT_EQ(certificate(0).key_type, KeyType::ecdsa_p384);
}

TEST_F(Service, WhatIsLostAtATargetIsInstalledAgain) {
  fleet.serve_for(1h);
  auto rows = fleet.domains();
  store::Changes changes;
  changes.amended = certificate(0);
  changes.amended->targets.clear();
  ASSERT_TRUE(fleet.loop().run(fleet.store().amend(rows[0].domain.id, std::move(changes))));
  fleet.target().lose(fleet.name(0));
  fleet.serve_for(1h);
  EXPECT_EQ(issued(), domains);
  expect_all_served_well();
}

TEST_F(Service, TellsOnceWhenAnEndpointServesSomethingElse) {
  fleet.serve_for(1h);
  EXPECT_EQ(count("endpoint.changed"), 0);
  fleet.target().lose(fleet.name(3));
  fleet.serve_for(days(2));
  EXPECT_EQ(count("endpoint.changed"), 1);
}

}  // namespace
}  // namespace certherd::sim

// What a fleet makes of the answers of a CA that is no friend of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/x509.hpp"
#include "fleet_simulation.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using Kind = Error::Kind;
using testing::HasSubstr;

const CaName ca_name("ca");

std::vector<Event> events_called(FleetSimulation& fleet, std::string_view name) {
  auto events = fleet.events();
  std::erase_if(events, [name](const Event& event) { return event.event != name; });
  return events;
}

void let_pass(FleetSimulation& fleet, Duration time) {
  fleet.loop().run(fleet.loop().clock().sleep_for(time));
}

/// A refusal of newOrder, and what it comes to.
struct Refusal {
  std::string type;
  int status;
  Kind kind;
  std::string outcome;    ///< of the domain, by the contract's word
  bool ends;              ///< the issuance is over, and its key with it
  Duration again_after;   ///< the domain is left alone at least until then
  http::Headers headers;  ///< that come with it
};

class RefusedOrder : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedOrder, EndsAsDocumentedAndTheOthersAreIssuedMeanwhile) {
  const auto& refusal = GetParam();
  FleetSimulation fleet(31, 4);
  const Time begun = fleet.loop().clock().now();
  fleet.ca().refuse_orders(
      fleet.name(1), sim::refusal("newOrder", refusal.status, refusal.type, "the CA's own words",
                                  begun, refusal.headers));
  fleet.issue_all();

  EXPECT_EQ(fleet.outcomes("issued"), 3);
  EXPECT_EQ(fleet.outcomes(refusal.outcome), 1);
  EXPECT_LT(fleet.loop().clock().now() - begun, 45s);
  const auto refused = fleet.domains().at(1).domain;
  ASSERT_TRUE(refused.last_error && refused.next_at);
  EXPECT_EQ(refused.last_error->kind, refusal.kind);
  EXPECT_THAT(refused.last_error->message(), HasSubstr("order: newOrder: the CA's own words"));
  EXPECT_GE(*refused.next_at, begun + refusal.again_after);
  EXPECT_EQ(events_called(fleet, "issuance.failed").size(), refusal.ends ? 1U : 0U);
  EXPECT_EQ(events_called(fleet, "issuance.put_off").size(), refusal.ends ? 0U : 1U);

  // Once the CA thinks better of it, nothing stands in the way.
  fleet.ca().allow_orders();
  let_pass(fleet, *refused.next_at - fleet.loop().clock().now());
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 3 + 4);
  EXPECT_EQ(fleet.domains().at(1).domain.last_error, std::nullopt);
}

// What the CA will have never (`rejected`) ends the issuance; all else keeps it for the next try.
INSTANTIATE_TEST_SUITE_P(
    AtNewOrder, RefusedOrder,
    testing::Values(
        Refusal{"accountDoesNotExist", 400, Kind::denied, "failed", false, 1min, {}},
        Refusal{"alreadyReplaced", 409, Kind::conflict, "failed", false, 1min, {}},
        Refusal{"alreadyRevoked", 400, Kind::conflict, "failed", false, 1min, {}},
        Refusal{"autoRenewalCanceled", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"autoRenewalCancellationInvalid", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"autoRenewalExpired", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"autoRenewalRevocationNotSupported", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"badCSR", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"badNonce", 400, Kind::transient, "failed", false, 1min, {}},
        Refusal{"badPublicKey", 400, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"badRevocationReason", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"badSignatureAlgorithm", 400, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"caa", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"compound", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"connection", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"dns", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"externalAccountRequired", 403, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"incorrectResponse", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"invalidContact", 400, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"invalidProfile", 400, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"malformed", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"malformed", 404, Kind::not_found, "failed", false, 1min, {}},
        Refusal{"onionCAARequired", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"orderNotReady", 403, Kind::conflict, "failed", false, 1min, {}},
        Refusal{
            "rateLimited", 429, Kind::throttled, "deferred", false, 3h, {{"retry-after", "10800"}}},
        // Paused (Boulder): for a person to lift.
        Refusal{"rateLimited", 429, Kind::rejected, "failed", true, 24h, {}},
        Refusal{"rejectedIdentifier", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"serverInternal", 500, Kind::transient, "failed", false, 1min, {}},
        Refusal{"serverInternal",
                503,
                Kind::transient,
                "failed",
                false,
                10min,
                {{"retry-after", "600"}}},
        Refusal{"tls", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"unauthorized", 403, Kind::denied, "failed", false, 1min, {}},
        Refusal{"unknownDelegation", 403, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"unsupportedContact", 400, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"unsupportedIdentifier", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"userActionRequired", 403, Kind::misconfigured, "failed", false, 1min, {}},
        Refusal{"fromTheFuture", 400, Kind::rejected, "failed", true, 1min, {}},
        Refusal{"fromTheFuture", 503, Kind::transient, "failed", false, 1min, {}}),
    [](const auto& row) {
      return row.param.type + "_" + std::to_string(row.param.status) +
             (row.param.headers.empty() ? "" : "_withRetryAfter");
    });

TEST(RefusedOrder, OfATransientKindIsTriedAgainAtOnce) {
  FleetSimulation fleet(31, 1);
  fleet.ca().refuse_orders(fleet.name(0), sim::refusal("newOrder", 500, "serverInternal", "oops"));
  fleet.issue_all();
  EXPECT_EQ(events_called(fleet, "issuance.retried").size(), 4U);
}

int published(FleetSimulation& fleet) {
  return static_cast<int>(events_called(fleet, "challenge.published").size());
}

TEST(Authorizations, ThatAreValidAlreadyNeedNoChallenge) {
  FleetSimulation fleet(67, 20);
  fleet.ca().reuse_authorizations(100);
  fleet.issue_all();
  EXPECT_EQ(published(fleet), 22);  // two of the twenty have a wildcard besides
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 40);
  EXPECT_EQ(published(fleet), 22);
  EXPECT_EQ(fleet.ca().certificates_issued(), 40);
}

class MixedAuthorizations : public testing::TestWithParam<int> {};

TEST_P(MixedAuthorizations, InAnyOrderAndFewerThanTheNamesEndIssued) {
  FleetSimulation fleet(71, 20, [](Domain& domain) {
    domain.names = {Fqdn::literal("*." + domain.name.text()),
                    Fqdn::literal("www." + domain.name.text())};
  });
  fleet.ca().shuffle_authorizations();
  fleet.ca().reuse_authorizations(50);
  fleet.ca().list_only_what_is_to_do();
  fleet.issue_all();
  EXPECT_EQ(published(fleet), 60);
  const auto kill_after =
      GetParam() == 0 ? std::nullopt : std::optional<Duration>(GetParam() * 1ms);
  fleet.issue_all(kill_after);
  EXPECT_EQ(fleet.outcomes("issued"), 40);
  EXPECT_EQ(fleet.ca().certificates_issued(), 40);
  EXPECT_GT(published(fleet), 65);
  EXPECT_LT(published(fleet), 115);
  EXPECT_EQ(fleet.dns().value_count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Killed, MixedAuthorizations, testing::Values(0, 150, 400, 1500));

TEST(OrdersHandedOutAgain, AreTakenUpWhereTheCaKeepsNoList) {
  FleetSimulation fleet(73, 30);
  fleet.ca().keep_no_orders_list();
  fleet.ca().hand_out_orders_again();
  fleet.ca().set_faults(1, 2);
  fleet.issue_all(150ms);
  EXPECT_EQ(fleet.outcomes("issued"), 30);
  EXPECT_EQ(fleet.ca().orders_placed(), 30);
  EXPECT_EQ(fleet.ca().certificates_issued(), 30);
}

TEST(OrdersHandedOutAgain, AreFinalizedByTheKeyOfTheNewIssuance) {
  FleetSimulation fleet(73, 1);
  fleet.ca().hand_out_orders_again();
  fleet.ca().refuse_next_finalize(sim::refusal("finalize", 400, "badCSR", "not this one"));
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("failed"), 1);
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 1);
  EXPECT_EQ(fleet.ca().orders_placed(), 1);
  EXPECT_EQ(events_called(fleet, "order.placed").size(), 2U);
  EXPECT_EQ(published(fleet), 2);  // it has a wildcard besides
}

TEST(Profile, IsTheDomainsElseTheCas) {
  FleetSimulation fleet(37, 2, [](Domain& domain) {
    if (domain.name.text().contains("00001")) domain.profile = "shortlived";
  });
  fleet.ca().offer_profiles({{"classic", ""}, {"shortlived", ""}});
  fleet.ports().cas.at(ca_name).profile = "classic";
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 2);
  for (const auto& placed : events_called(fleet, "order.placed")) {
    EXPECT_EQ(placed.detail.at("profile"),
              placed.domain == fleet.name(1) ? "shortlived" : "classic");
  }
}

TEST(Replaces, NamesTheCertificateOfTheSameCaThatTheOrderFollows) {
  FleetSimulation fleet(41, 1);
  fleet.ca().offer_renewal_info();
  fleet.issue_all();
  EXPECT_EQ(fleet.ca().last_replaces(), "");
  const auto first = fleet.domains().front().certificate->ari_id;
  ASSERT_NE(first, "");
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 2);
  EXPECT_EQ(fleet.ca().last_replaces(), first);

  // At another CA it replaces nothing.
  fleet.ports().cas[CaName("other")] = fleet.ports().cas.at(ca_name);
  fleet.ports().defaults.cas = {CaName("other")};
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 3);
  EXPECT_EQ(fleet.ca().last_replaces(), "");
}

TEST(Replaces, NothingThatWasRevoked) {
  FleetSimulation fleet(41, 1);
  fleet.ca().offer_renewal_info();
  fleet.issue_all();
  WorkRequest::Arguments arguments;
  arguments.reason = RevocationReason::superseded;
  fleet.do_for_all(WorkRequest::Kind::revoke, arguments);
  ASSERT_TRUE(fleet.domains().front().certificate->revoked_at);
  fleet.issue_all();
  EXPECT_EQ(fleet.ca().certificates_issued(), 2);
  EXPECT_EQ(fleet.ca().last_replaces(), "");
}

TEST(Replaces, WhatWasReplacedAlreadyIsOrderedWithoutItAtOnce) {
  FleetSimulation fleet(43, 1);
  fleet.ca().offer_renewal_info();
  fleet.issue_all();
  const auto replaced = fleet.domains().front().certificate->ari_id;
  fleet.ca().call_replaced(replaced);
  const Time begun = fleet.loop().clock().now();
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 2);
  EXPECT_LT(fleet.loop().clock().now() - begun, 30s);
  const auto told = events_called(fleet, "order.replaces_refused");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().detail.at("replaces"), replaced);
  EXPECT_EQ(events_called(fleet, "order.placed").back().detail.contains("replaces"), false);
  EXPECT_EQ(events_called(fleet, "issuance.retried").size(), 0U);
}

TEST(Replaces, HoweverACaRefusesAPredecessorItIssuesAllTheSame) {
  for (const auto& [status, type] :
       std::initializer_list<std::pair<int, const char*>>{{404, "malformed"},
                                                          {400, "malformed"},
                                                          {403, "unauthorized"},
                                                          {409, "alreadyReplaced"},
                                                          {500, "serverInternal"}}) {
    FleetSimulation fleet(43, 3);
    fleet.ca().offer_renewal_info();
    fleet.issue_all();
    fleet.ca().refuse_predecessors(sim::refusal("newOrder", status, type, "what is this?"));
    fleet.issue_all();
    EXPECT_EQ(fleet.outcomes("issued"), 6) << type;
    EXPECT_EQ(events_called(fleet, "order.replaces_refused").size(), 3U) << type;
  }
}

class KilledRenewal : public testing::TestWithParam<int> {};

TEST_P(KilledRenewal, PlacesOneOrderForEachDomainWhateverItReplaces) {
  FleetSimulation fleet(47, 12);
  fleet.ca().offer_renewal_info();
  fleet.issue_all();
  for (const auto& row : fleet.domains()) fleet.ca().call_replaced(row.certificate->ari_id);
  fleet.ca().set_faults(1, 3);
  fleet.issue_all(std::chrono::milliseconds(GetParam()));
  EXPECT_EQ(fleet.outcomes("issued"), 24);
  EXPECT_EQ(fleet.ca().certificates_issued(), 24);
  EXPECT_EQ(fleet.ca().orders_placed(), 24);
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, KilledRenewal,
                         testing::Values(50, 100, 150, 200, 250, 300, 400, 600, 1000));

std::string top_of_chain(FleetSimulation& fleet) {
  const auto stored = fleet.loop().run(fleet.vault().load(fleet.name(0)));
  return crypto::read_chain(stored->fullchain)->back().issuer;
}

TEST(PreferredChain, IsTakenWhereTheCaOffersIt) {
  FleetSimulation fleet(53, 1);
  fleet.ca().offer_alternate("a root");
  fleet.ca().offer_alternate("old root");
  fleet.issue_all();
  EXPECT_EQ(top_of_chain(fleet), "fake root");

  fleet.ports().cas.at(ca_name).preferred_chain = "old root";
  fleet.issue_all();
  EXPECT_EQ(top_of_chain(fleet), "old root");
  EXPECT_EQ(events_called(fleet, "chain.not_offered").size(), 0U);

  fleet.ports().cas.at(ca_name).preferred_chain = "fake root";
  fleet.issue_all();
  EXPECT_EQ(top_of_chain(fleet), "fake root");
}

TEST(PreferredChain, OfWhichThereIsNoneLeavesTheDefaultAndIsTold) {
  FleetSimulation fleet(53, 1);
  fleet.ca().offer_alternate("old root");
  fleet.ports().cas.at(ca_name).preferred_chain = "gone root";
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 1);
  EXPECT_EQ(top_of_chain(fleet), "fake root");
  const auto told = events_called(fleet, "chain.not_offered");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().detail.at("preferred"), "gone root");
  EXPECT_EQ(told.front().detail.at("offered"), "fake root, old root");
}

TEST(PreferredChain, IsAskedForAgainWhenItWasLostOnTheWay) {
  FleetSimulation fleet(53, 1);
  fleet.ca().offer_alternate("old root");
  fleet.ports().cas.at(ca_name).preferred_chain = "old root";
  fleet.ca().lose_alternates(2);
  fleet.issue_all();
  EXPECT_EQ(top_of_chain(fleet), "old root");

  // But a certificate that is there does not wait for it for ever.
  fleet.ca().lose_alternates(1000);
  const Time begun = fleet.loop().clock().now();
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 2);
  EXPECT_EQ(top_of_chain(fleet), "fake root");
  EXPECT_LT(fleet.loop().clock().now() - begun, 1min);
}

TEST(Finalize, ABadCsrEndsTheIssuanceInTheCasWords) {
  FleetSimulation fleet(59, 2);
  fleet.ca().refuse_next_finalize(sim::refusal("finalize", 400, "badCSR", "key is too weak"));
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 1);
  EXPECT_EQ(fleet.outcomes("failed"), 1);
  const auto failed = events_called(fleet, "issuance.failed");
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed.front().detail.at("step"), "finalize");
  EXPECT_THAT(failed.front().detail.at("error"), HasSubstr("key is too weak"));
  // The next attempt has a key and an order of its own.
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 1 + 2);
  EXPECT_EQ(events_called(fleet, "key.created").size(), 4U);
}

TEST(Finalize, AnOrderThatIsSaidNotToBeReadyAlthoughItIsComesAgainLater) {
  FleetSimulation fleet(61, 1);
  const auto refused = sim::refusal("finalize", 403, "orderNotReady", "not yet");
  fleet.ca().refuse_next_finalize(refused);
  fleet.ca().refuse_next_finalize(refused);
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("issued"), 1);
  EXPECT_EQ(fleet.ca().orders_placed(), 1);

  // A CA that always says so gets no endless stream of requests.
  for (int i = 0; i < 1000; ++i) fleet.ca().refuse_next_finalize(refused);
  const int before = fleet.ca().calls();
  fleet.issue_all();
  EXPECT_EQ(fleet.outcomes("failed"), 1);
  EXPECT_LT(fleet.ca().calls() - before, 50);
  EXPECT_THAT(fleet.domains().front().domain.last_error->detail, HasSubstr("not yet"));
}

}  // namespace
}  // namespace certherd::sim

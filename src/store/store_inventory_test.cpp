#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class InventoryStore : public StoreTest {
 protected:
  /// What a test does not name stays empty.
  struct Change {
    std::vector<Domain> added = {};
    std::vector<Domain> changed = {};
    std::vector<Domain> removed = {};
    std::vector<Event> events = {};
    std::vector<WorkRequest> requests = {};
  };

  Status change(Change change) {
    InventoryChange made{.added = std::move(change.added),
                         .changed = std::move(change.changed),
                         .removed = std::move(change.removed),
                         .events = std::move(change.events),
                         .requests = std::move(change.requests)};
    return run(store->change_inventory(std::move(made)));
  }
};

TEST_P(InventoryStore, KeepsEveryMemberOfADomain) {
  Domain domain = some_domain("*.c.example");
  domain.names = {Fqdn::literal("c.example")};
  domain.zone_id = ZoneId("Z1");
  domain.cas = {CaName("ca"), CaName("second")};
  domain.dns = DnsName("dns");
  domain.vault = VaultName("vault");
  domain.targets = {TargetName("t1"), TargetName("t2")};
  domain.key = "rsa-2048";
  domain.profile = "tlsserver";
  domain.endpoints = {{.host = Fqdn::literal("c.example"), .port = 8443, .address = "192.0.2.1"}};
  domain.owner = "web";
  domain.enabled = false;
  domain.hold = "2026-12-24";
  domain.window = "22:00-04:00";
  domain.metadata = {{"team", "edge"}};
  domain.failures = 2;
  domain.next_at = test_start + std::chrono::hours(1);
  domain.last_error = fail(Error::Kind::denied, "op", "no").value();

  std::vector<Domain> domains = {domain};
  ASSERT_TRUE(run(store->add_domains(std::move(domains), {some_event("domain.added")})));
  const auto row = this->domain("*.c.example");

  EXPECT_EQ(row.domain.name, domain.name);
  EXPECT_EQ(row.domain.names, domain.names);
  EXPECT_EQ(row.domain.zone_id, domain.zone_id);
  EXPECT_EQ(row.domain.cas, domain.cas);
  EXPECT_EQ(row.domain.dns, domain.dns);
  EXPECT_EQ(row.domain.vault, domain.vault);
  EXPECT_EQ(row.domain.targets, domain.targets);
  EXPECT_EQ(row.domain.key, domain.key);
  EXPECT_EQ(row.domain.profile, domain.profile);
  EXPECT_EQ(row.domain.endpoints, domain.endpoints);
  EXPECT_EQ(row.domain.owner, domain.owner);
  EXPECT_FALSE(row.domain.enabled);
  EXPECT_EQ(row.domain.hold, domain.hold);
  EXPECT_EQ(row.domain.window, domain.window);
  EXPECT_EQ(row.domain.metadata, domain.metadata);
  EXPECT_EQ(row.domain.failures, 2);
  EXPECT_EQ(row.domain.next_at, domain.next_at);
  EXPECT_EQ(row.domain.last_error, domain.last_error);
  EXPECT_FALSE(row.certificate);
  EXPECT_FALSE(row.working);
  EXPECT_THAT(event_names(), ElementsAre("domain.added"));
}

TEST_P(InventoryStore, AsksForWhatFollowsFromAChangeTogetherWithIt) {
  auto off = domain("a.example").domain;
  off.enabled = false;
  WorkRequest retire;
  retire.batch = "1";
  retire.owner = "[inventory.company]";
  retire.kind = WorkRequest::Kind::retire;
  retire.domain_id = off.id;
  retire.requested_at = test_start;
  auto stale = off;
  stale.revision += 1;
  EXPECT_FALSE(change({.changed = {stale}, .requests = {retire}}));
  EXPECT_THAT(run(store->open_requests(0)).value(), testing::IsEmpty());
  EXPECT_TRUE(change({.changed = {off}, .requests = {retire}}));
  const auto open = run(store->open_requests(0)).value();
  ASSERT_THAT(open, testing::SizeIs(1));
  EXPECT_EQ(open.front().kind, WorkRequest::Kind::retire);
  EXPECT_EQ(open.front().domain, off.name);
}

TEST_P(InventoryStore, FindsNamesByTheirBeginning) {
  std::vector<Domain> domains = {some_domain("abc.example"), some_domain("ab.example")};
  ASSERT_TRUE(run(store->add_domains(std::move(domains), {})));
  EXPECT_THAT(run(store->names_with("ab", 10)).value(), ElementsAre("ab.example", "abc.example"));
  EXPECT_THAT(run(store->names_with("", 2)).value(), ElementsAre("a.example", "ab.example"));
  EXPECT_THAT(run(store->names_with("abd", 10)).value(), IsEmpty());
}

TEST_P(InventoryStore, ListsByName) {
  auto rows = run(store->domains());

  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].domain.name.text(), "a.example");
  EXPECT_EQ((*rows)[1].domain.name.text(), "b.example");
  EXPECT_NE((*rows)[0].domain.id, (*rows)[1].domain.id);
}

TEST_P(InventoryStore, AddsNothingWhenOneIsThereAlready) {
  std::vector<Domain> domains = {some_domain("c.example"), some_domain("b.example"),
                                 some_domain("d.example"), some_domain("d.example")};

  auto status = run(store->add_domains(std::move(domains), {some_event("domain.added")}));

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, Error::Kind::conflict);
  ASSERT_EQ(status.error().causes.size(), 2U);
  EXPECT_EQ(status.error().causes[0].op, "b.example");
  EXPECT_EQ(status.error().causes[1].op, "d.example");
  EXPECT_EQ(run(store->domains())->size(), 2U);
  EXPECT_THAT(event_names(), IsEmpty());
}

TEST_P(InventoryStore, ChangesTheColumnsOfTheInventory) {
  auto row = domain("a.example");
  row.domain.owner = "web";
  row.domain.enabled = false;
  row.domain.hold = "yes";
  row.domain.window = "sat 02:00-05:00";
  row.domain.metadata = {{"team", "edge"}};
  row.domain.names = {Fqdn::literal("www.a.example")};

  ASSERT_TRUE(change({.changed = {row.domain}, .events = {some_event("domain.changed")}}));

  const auto after = domain("a.example").domain;
  EXPECT_EQ(after.id, row.domain.id);
  EXPECT_EQ(after.owner, "web");
  EXPECT_FALSE(after.enabled);
  EXPECT_EQ(after.hold, "yes");
  EXPECT_EQ(after.window, row.domain.window);
  EXPECT_EQ(after.metadata, row.domain.metadata);
  EXPECT_EQ(after.names, row.domain.names);
  EXPECT_GT(after.revision, row.domain.revision);
  EXPECT_THAT(event_names(), ElementsAre("domain.changed"));
}

TEST_P(InventoryStore, OfTwoChangesToWhatWasReadTheLaterOneIsTold) {
  auto mine = domain("a.example").domain;
  auto theirs = mine;
  theirs.owner = "theirs";
  mine.owner = "mine";
  ASSERT_TRUE(change({.changed = {theirs}}));

  auto other = domain("b.example").domain;
  other.owner = "mine";
  const auto status = change({.added = {some_domain("c.example")}, .changed = {other, mine}});

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, Error::Kind::conflict);
  ASSERT_EQ(status.error().causes.size(), 1U);
  EXPECT_EQ(status.error().causes[0].op, "a.example");
  EXPECT_EQ(domain("a.example").domain.owner, "theirs");
  EXPECT_EQ(domain("b.example").domain.owner, "");
  EXPECT_EQ(run(store->domains())->size(), 2U);
  EXPECT_FALSE(change({.removed = {mine}}));
}

TEST_P(InventoryStore, ARemovedDomainIsGoneAndItsCertificateIsKept) {
  auto issuance = started("a.example", Step::prove);
  Changes issued;
  issued.certificate = some_certificate("01");
  issuance.step = Step::done;
  ASSERT_TRUE(run(store->commit(issuance, issued)));
  const auto before = domain("a.example").domain;

  ASSERT_TRUE(change({.removed = {before}}));

  EXPECT_EQ(run(store->domain(before.name)).error().kind, Error::Kind::not_found);
  EXPECT_EQ(run(store->domains())->size(), 1U);
  EXPECT_THAT(*run(store->certificates(false)), IsEmpty());
  EXPECT_EQ(run(store->certificates(true))->size(), 1U);
  auto late = fresh_issuance("b.example");
  late.domain_id = before.id;
  EXPECT_EQ(run(store->start(late, {})).error().kind, Error::Kind::not_found);

  auto again = some_domain("a.example");
  again.owner = "new";
  ASSERT_TRUE(change({.added = {again}}));
  const auto row = domain("a.example");
  EXPECT_EQ(row.domain.id, before.id);
  EXPECT_EQ(row.domain.owner, "new");
  ASSERT_TRUE(row.certificate);
  EXPECT_EQ(row.certificate->serial, Serial("01"));
  EXPECT_FALSE(change({.changed = {before}}));
}

TEST_P(InventoryStore, TheIssuanceOfARemovedDomainEndsAtAnyStep) {
  for (const auto step : {Step::create_key, Step::finalize, Step::install}) {
    auto issuance = fresh_issuance("a.example");
    issuance.step = step;
    issuance.sealed_key = "sealed";
    issuance = *run(store->start(issuance, {}));
    ASSERT_TRUE(change({.removed = {domain("a.example").domain}}));

    const auto ended = run(store->issuance(issuance.id));
    EXPECT_FALSE(ended->active());
    EXPECT_THAT(ended->sealed_key, IsEmpty());
    EXPECT_EQ(run(store->commit(issuance, {})).error().kind, Error::Kind::conflict);
    EXPECT_THAT(*run(store->active_issuances()), IsEmpty());
    ASSERT_TRUE(change({.added = {some_domain("a.example")}}));
    EXPECT_FALSE(domain("a.example").working);
  }
  EXPECT_THAT(event_names(), ElementsAre("issuance.failed", "issuance.failed", "issuance.failed"));
}

TEST_P(InventoryStore, OtherNamesEndAnIssuanceThatIsNotFinalizedYet) {
  const auto early = started("a.example", Step::validate);
  const auto late = started("b.example", Step::finalize);
  auto a = domain("a.example").domain;
  auto b = domain("b.example").domain;
  a.names = {Fqdn::literal("www.a.example")};
  b.names = {Fqdn::literal("www.b.example")};

  ASSERT_TRUE(change({.changed = {a, b}}));

  EXPECT_FALSE(run(store->issuance(early.id))->active());
  EXPECT_TRUE(run(store->issuance(late.id))->active());
}

TEST_P(InventoryStore, OnlyAChangeThatMayHelpEndsThePauseAfterAFailure) {
  auto issuance = started("a.example", Step::publish);
  Changes changes;
  changes.outcome = {.failures = 3,
                     .next_at = test_start + std::chrono::hours(1),
                     .last_error = fail(Error::Kind::denied, "op", "no").value()};
  ASSERT_TRUE(run(store->commit(issuance, changes)));

  auto row = domain("a.example").domain;
  row.owner = "web";
  ASSERT_TRUE(change({.changed = {row}}));
  EXPECT_EQ(domain("a.example").domain.failures, 3);

  row = domain("a.example").domain;
  row.zone_id = ZoneId("Z1");
  ASSERT_TRUE(change({.changed = {row}}));
  const auto after = domain("a.example");
  EXPECT_EQ(after.domain.failures, 0);
  EXPECT_FALSE(after.domain.next_at);
  EXPECT_FALSE(after.domain.last_error);
  EXPECT_EQ(after.working, Step::publish);
}

TEST_P(InventoryStore, SaysThatADomainIsMissing) {
  auto row = run(store->domain(Fqdn::literal("nobody.example")));
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().kind, Error::Kind::not_found);
  EXPECT_THAT(row.error().op, HasSubstr("nobody.example"));

  EXPECT_EQ(run(store->domain(Fqdn())).error().kind, Error::Kind::not_found);
}

TEST_P(InventoryStore, ShowsTheActiveIssuanceAndTheCurrentCertificate) {
  auto issuance = started("a.example", Step::store);
  issuance.next_at = test_start + std::chrono::minutes(5);
  Changes changes;
  changes.certificate = some_certificate("01");
  ASSERT_TRUE(run(store->commit(issuance, changes)));

  auto row = domain("a.example");

  EXPECT_EQ(row.working, Step::store);
  EXPECT_EQ(row.working_next_at, issuance.next_at);
  ASSERT_TRUE(row.certificate);
  EXPECT_EQ(row.certificate->serial, Serial("01"));
  EXPECT_EQ(row.certificate->domain, row.domain.name);
  EXPECT_EQ(row.certificate->domain_id, row.domain.id);
  EXPECT_FALSE(domain("b.example").working);
}

TEST_P(InventoryStore, TakesAFleetWithinSeconds) {
  constexpr int fleet = 100'000;
  std::vector<Domain> domains;
  domains.reserve(fleet);
  for (int number = 0; number < fleet; ++number) {
    domains.push_back(some_domain(fmt::format("host-{}.example", number)));
    domains.back().metadata = {{"team", "web"}};
  }
  const auto begin = std::chrono::steady_clock::now();

  ASSERT_TRUE(run(store->add_domains(std::move(domains), {})));
  auto rows = run(store->domains());

  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), fleet + 2U);
  // An order of magnitude above what it takes under sanitizers on a small machine.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

// A removal, a change and an addition are made in this order, each on what the one before has left.
TEST_P(InventoryStore, WhatIsRemovedMayBeAddedInTheSameChange) {
  auto issuance = started("a.example", Step::publish);
  const auto before = domain("a.example").domain;
  auto again = some_domain("a.example");
  again.owner = "new";
  again.failures = 2;

  ASSERT_TRUE(change({.added = {again}, .removed = {before}}));

  const auto row = domain("a.example");
  EXPECT_EQ(row.domain.id, before.id);
  EXPECT_EQ(row.domain.revision, before.revision + 2);
  EXPECT_EQ(row.domain.owner, "new");
  EXPECT_EQ(row.domain.failures, 2);
  EXPECT_FALSE(row.working);
  EXPECT_FALSE(run(store->issuance(issuance.id))->active());
}

TEST_P(InventoryStore, EachPartOfAChangeMustHoldAfterTheOnesBefore) {
  const auto a = domain("a.example").domain;
  const auto b = domain("b.example").domain;

  const auto status = change({.added = {some_domain("b.example")},
                              .changed = {b, b, a},
                              .removed = {a, a},
                              .events = {some_event("changed")}});

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(),
            "change the inventory: nothing was changed; a.example: was changed or removed by "
            "somebody else in this moment: look at it and try again; b.example: was changed or "
            "removed by somebody else in this moment: look at it and try again; a.example: was "
            "changed or removed by somebody else in this moment: look at it and try again; "
            "b.example: is there already");
  EXPECT_EQ(domain("a.example").domain.revision, a.revision);
  EXPECT_EQ(domain("b.example").domain.revision, b.revision);
  EXPECT_THAT(event_names(), IsEmpty());
}

TEST_P(InventoryStore, ADomainThatIsNotStoredCannotBeChanged) {
  auto nobody = some_domain("nobody.example");
  nobody.revision = 1;
  EXPECT_EQ(change({.changed = {nobody}}).error().kind, Error::Kind::conflict);
  nobody.id = DomainId{77};
  EXPECT_EQ(change({.removed = {nobody}}).error().kind, Error::Kind::conflict);
  EXPECT_EQ(run(store->domain(nobody.name)).error().message(),
            "domain nobody.example: is not in the inventory: see certherd domain list");
}

TEST_P(InventoryStore, AChangeKeepsHowTheDomainFaresAndItsName) {
  auto issuance = started("a.example", Step::publish);
  Changes changes;
  changes.outcome = {.failures = 3,
                     .next_at = test_start + std::chrono::hours(1),
                     .last_error = fail(Error::Kind::denied, "op", "no").value()};
  ASSERT_TRUE(run(store->commit(issuance, changes)));
  Domain columns = some_domain("a.example");
  const auto before = domain("a.example").domain;
  columns.id = before.id;
  columns.revision = before.revision;
  columns.owner = "web";

  ASSERT_TRUE(change({.changed = {columns}}));

  const auto after = domain("a.example").domain;
  EXPECT_EQ(after.name, before.name);
  EXPECT_EQ(after.failures, 3);
  EXPECT_EQ(after.next_at, before.next_at);
  EXPECT_EQ(after.last_error, before.last_error);
}

TEST_P(InventoryStore, ListsAndFindsNamesInTheOrderOfTheirCharacters) {
  std::vector<Domain> domains = {some_domain("aa.example"), some_domain("a-b.example"),
                                 some_domain("*.a.example"), some_domain("0.example")};
  ASSERT_TRUE(run(store->add_domains(std::move(domains), {})));
  ASSERT_TRUE(change({.removed = {domain("b.example").domain}}));

  std::vector<std::string> names;
  for (const auto& row : run(store->domains()).value()) names.push_back(row.domain.name.text());

  EXPECT_THAT(names,
              ElementsAre("*.a.example", "0.example", "a-b.example", "a.example", "aa.example"));
  EXPECT_EQ(run(store->names_with("", 10)).value(), names);
  EXPECT_THAT(run(store->names_with("a", 0)).value(), IsEmpty());
}

CERTHERD_ON_EACH_STORE(InventoryStore);

}  // namespace
}  // namespace certherd::store

#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using InventoryStore = StoreTest;

TEST_F(InventoryStore, KeepsEveryMemberOfADomain) {
  Domain domain = some_domain("*.c.example");
  domain.names = {Fqdn::literal("c.example")};
  domain.zone_id = ZoneId("Z1");
  domain.ca = CaName("ca");
  domain.dns = DnsName("dns");
  domain.vault = VaultName("vault");
  domain.targets = {TargetName("t1"), TargetName("t2")};
  domain.key = "rsa-2048";
  domain.profile = "tlsserver";
  domain.endpoints = {{.host = Fqdn::literal("c.example"), .port = 8443, .address = "192.0.2.1"}};
  domain.owner = "web";
  domain.enabled = false;
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
  EXPECT_EQ(row.domain.ca, domain.ca);
  EXPECT_EQ(row.domain.dns, domain.dns);
  EXPECT_EQ(row.domain.vault, domain.vault);
  EXPECT_EQ(row.domain.targets, domain.targets);
  EXPECT_EQ(row.domain.key, domain.key);
  EXPECT_EQ(row.domain.profile, domain.profile);
  EXPECT_EQ(row.domain.endpoints, domain.endpoints);
  EXPECT_EQ(row.domain.owner, domain.owner);
  EXPECT_FALSE(row.domain.enabled);
  EXPECT_EQ(row.domain.metadata, domain.metadata);
  EXPECT_EQ(row.domain.failures, 2);
  EXPECT_EQ(row.domain.next_at, domain.next_at);
  EXPECT_EQ(row.domain.last_error, domain.last_error);
  EXPECT_FALSE(row.certificate);
  EXPECT_FALSE(row.working);
  EXPECT_THAT(event_names(), ElementsAre("domain.added"));
}

TEST_F(InventoryStore, ListsByName) {
  auto rows = run(store->domains());

  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].domain.name.text(), "a.example");
  EXPECT_EQ((*rows)[1].domain.name.text(), "b.example");
  EXPECT_NE((*rows)[0].domain.id, (*rows)[1].domain.id);
}

TEST_F(InventoryStore, AddsNothingWhenOneIsThereAlready) {
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

TEST_F(InventoryStore, SaysThatADomainIsMissing) {
  auto row = run(store->domain(Fqdn::literal("nobody.example")));
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().kind, Error::Kind::not_found);
  EXPECT_THAT(row.error().op, HasSubstr("nobody.example"));

  EXPECT_EQ(run(store->domain(Fqdn())).error().kind, Error::Kind::not_found);
}

TEST_F(InventoryStore, ShowsTheActiveIssuanceAndTheCurrentCertificate) {
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

TEST_F(InventoryStore, TakesAFleetWithinSeconds) {
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

}  // namespace
}  // namespace certherd::store

// What a store in memory may forget, and what it counts.
#include "store/memory_store.hpp"

#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Forgetful : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<Domain> domains = {some_domain("a.example")};
    ASSERT_TRUE(store.run(store->add_domains(std::move(domains), {})));
    id = store.run(store->domain(Fqdn::literal("a.example")))->domain.id;
  }

  Issuance begun() {
    Issuance issuance;
    issuance.domain_id = id;
    issuance.domain = Fqdn::literal("a.example");
    return store.run(store->start(issuance, {})).value();
  }
  /// Has the domain get a certificate; the order's URL ends in its serial.
  Issuance issued(const std::string& serial) {
    auto issuance = begun();
    Changes changes;
    changes.certificate = some_certificate(serial);
    issuance.certificate = changes.certificate;
    issuance.fullchain = "chain of " + serial;
    issuance.order_url = OrderUrl("https://ca/o/" + serial);
    issuance.step = Step::done;
    return store.run(store->commit(issuance, changes)).value();
  }
  std::vector<std::string> serials() {
    std::vector<std::string> found;
    for (const auto& each : store.run(store->certificates(true)).value()) {
      found.push_back(each.serial.text());
    }
    return found;
  }
  std::vector<OrderUrl> unknown(const std::vector<std::string>& serials) {
    std::vector<OrderUrl> urls;
    for (const auto& serial : serials) urls.emplace_back("https://ca/o/" + serial);
    return store.run(store->unknown_orders(std::move(urls))).value();
  }

  Opened store{MemoryStoreOptions{.keep_events = 3, .keep_former = 1}};
  DomainId id{};
};

TEST_F(Forgetful, KeepsTheNewestEventsUnderTheirNumbers) {
  for (int number = 1; number <= 5; ++number) {
    ASSERT_TRUE(store.run(store->append({some_event("e" + std::to_string(number))})));
  }
  auto events = store.run(store->events({})).value();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events.front().event.event, "e3");
  EXPECT_EQ(events.front().number, 3);
  EXPECT_EQ(events.back().number, 5);
  events = store.run(store->events({.domain = {}, .since = {}, .after = 4})).value();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().event.event, "e5");
}

TEST_F(Forgetful, KeepsTheNewestFormerCertificatesAndIssuances) {
  const auto first = issued("01");
  (void)issued("02");
  (void)issued("03");
  EXPECT_THAT(serials(), ElementsAre("03", "02"));
  EXPECT_EQ(store.run(store->chain_of(id, Serial("03"))).value(), "chain of 03");
  EXPECT_EQ(store.run(store->chain_of(id, Serial("02"))).error().kind, Error::Kind::not_found);
  EXPECT_EQ(store.run(store->issuance(first.id)).error().kind, Error::Kind::not_found);
  EXPECT_THAT(unknown({"01", "03"}), ElementsAre(OrderUrl("https://ca/o/01")));

  const auto active = begun();
  EXPECT_EQ(store.run(store->chain_of(id, Serial("03"))).value(), "chain of 03")
      << "one that is under way pushes nothing out";
  EXPECT_EQ(store.run(store->active_issuances())->front().id, active.id);
}

TEST_F(Forgetful, KeepsWhatIsToBeRevokedUntilItIs) {
  (void)issued("01");
  Changes changes;
  changes.amended = store.run(store->certificate(id, Serial("01"))).value();
  changes.amended->revocation_reason = RevocationReason::superseded;
  ASSERT_TRUE(store.run(store->amend(id, changes)));
  (void)issued("02");
  (void)issued("03");
  EXPECT_THAT(serials(), ElementsAre("03", "02", "01"));
  EXPECT_EQ(store.run(store->revocations_begun())->size(), 1U);

  changes.amended->revoked_at = test_start;
  ASSERT_TRUE(store.run(store->amend(id, changes)));
  EXPECT_THAT(serials(), ElementsAre("03", "02"));
  EXPECT_THAT(store.run(store->revocations_begun()).value(), IsEmpty());
}

TEST_F(Forgetful, WhoWorksOnADroppedIssuanceIsTold) {
  Opened none(MemoryStoreOptions{.keep_events = 0, .keep_former = 0});
  std::vector<Domain> domains = {some_domain("a.example")};
  ASSERT_TRUE(none.run(none->add_domains(std::move(domains), {some_event("e")})));
  EXPECT_THAT(none.run(none->events({})).value(), IsEmpty());
  Issuance issuance;
  issuance.domain = Fqdn::literal("a.example");
  const auto domain = none.run(none->domain(issuance.domain))->domain;
  issuance.domain_id = domain.id;
  issuance = none.run(none->start(issuance, {})).value();
  InventoryChange change;
  change.removed = {domain};
  ASSERT_TRUE(none.run(none->change_inventory(change)));

  EXPECT_EQ(none.run(none->commit(issuance, {})).error().message(),
            "commit issuance of a.example: another process went on with it: it is over");
}

TEST_F(Forgetful, CountsTheRowsOfIssuances) {
  auto issuance = issued("01");
  EXPECT_EQ(store.run(store->commit(begun(), {}))->revision, 2);
  issuance.revision = 0;
  EXPECT_FALSE(store.run(store->commit(issuance, {})));
  EXPECT_EQ(store->journal_writes(), 4U);
}

}  // namespace
}  // namespace certherd::store

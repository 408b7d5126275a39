#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class LedgerStore : public StoreTest {
 protected:
  static TxtRecord record_of(const Issuance& issuance, const std::string& value,
                             const std::string& dns = "aws") {
    return {.dns = DnsName(dns),
            .zone = ZoneId("Z1"),
            .name = Fqdn::literal("_acme-challenge.a.example"),
            .value = TxtValue(value),
            .issuance = issuance.id};
  }

  void record(TxtRecord record) {
    std::vector<TxtRecord> records = {std::move(record)};
    ASSERT_TRUE(run(store->record(std::move(records))));
  }

  std::vector<TxtRecord> unneeded(const std::string& dns = "aws") {
    return run(store->unneeded(DnsName(dns))).value();
  }
  std::vector<TxtRecord> entries(const std::string& dns = "aws") {
    return run(store->entries(DnsName(dns))).value();
  }
};

TEST_P(LedgerStore, KeepsWhatIsThereAlready) {
  const auto issuance = started("a.example");
  const auto one = record_of(issuance, "v1");
  record(one);
  record(one);

  EXPECT_THAT(entries(), ElementsAre(one));
  EXPECT_THAT(entries("other"), IsEmpty());
}

TEST_P(LedgerStore, ForgetsOnlyWhatItIsTold) {
  const auto issuance = started("a.example");
  const auto one = record_of(issuance, "v1");
  const auto two = record_of(issuance, "v2");
  const auto elsewhere = record_of(issuance, "v1", "other");
  record(one);
  record(two);
  record(elsewhere);

  ASSERT_TRUE(run(store->forget({one}, store.clock().now())));
  ASSERT_TRUE(run(store->forget({one}, store.clock().now())));

  EXPECT_THAT(entries(), ElementsAre(two));
  EXPECT_THAT(entries("other"), ElementsAre(elsewhere));
}

TEST_P(LedgerStore, ForgetsWhatWasRecordedByThenAlone) {
  const auto one = record_of(started("a.example"), "v1");
  const Time before = store.clock().now();
  store.pass(std::chrono::minutes(1));
  record(one);

  ASSERT_TRUE(run(store->forget({one}, before)));
  EXPECT_THAT(entries(), ElementsAre(one));

  const Time then = store.clock().now();
  store.pass(std::chrono::minutes(1));
  record(one);
  ASSERT_TRUE(run(store->forget({one}, then)));
  EXPECT_THAT(entries(), ElementsAre(one)) << "it was about to be sent once more";
  ASSERT_TRUE(run(store->forget({one}, store.clock().now())));
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_P(LedgerStore, ForgetsAlsoWhatWasRecordedByAClockThatWasAhead) {
  const auto one = record_of(started("a.example"), "v1");
  store.set_clock_ahead(std::chrono::days(30));
  record(one);
  store.set_clock_ahead({});

  ASSERT_TRUE(run(store->forget({one}, store.clock().now() - std::chrono::minutes(10))));
  EXPECT_THAT(entries(), ElementsAre(one)) << "its write may still be on its way";
  store.pass(std::chrono::minutes(10));
  ASSERT_TRUE(run(store->forget({one}, store.clock().now() - std::chrono::minutes(10))));
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_P(LedgerStore, AValueIsNeededFromPublishToValidateOnly) {
  auto issuance = started("a.example");
  const auto value = record_of(issuance, "v1");
  record(value);
  for (int number = 0; number <= static_cast<int>(Step::failed); ++number) {
    issuance.step = static_cast<Step>(number);
    issuance = run(store->commit(issuance, {})).value();

    const bool needed = issuance.step >= Step::publish && issuance.step <= Step::validate;

    EXPECT_EQ(unneeded().empty(), needed) << to_string(issuance.step);
    EXPECT_THAT(entries(), ElementsAre(value));
  }
}

TEST_P(LedgerStore, AValueOfAnUnknownIssuanceIsUnneeded) {
  Issuance unknown;
  unknown.id = IssuanceId{99};
  record(record_of(unknown, "v1"));
  EXPECT_THAT(unneeded(), ElementsAre(record_of(unknown, "v1")));
}

TEST_P(LedgerStore, AValueThatAnotherIssuanceStillNeedsStays) {
  const auto over = started("a.example", Step::failed);
  const auto working = started("b.example", Step::propagate);
  record(record_of(over, "shared"));
  record(record_of(over, "own"));
  record(record_of(working, "shared"));

  EXPECT_THAT(unneeded(), ElementsAre(record_of(over, "own")));
}

TEST_P(LedgerStore, AValueThatIsNeededInAnotherSectionStays) {
  const auto over = started("a.example", Step::failed);
  const auto working = started("b.example", Step::propagate);
  record(record_of(over, "shared"));
  record(record_of(working, "shared", "same-account"));

  EXPECT_THAT(unneeded(), IsEmpty());
}

TEST_P(LedgerStore, TheSameValueAtAnotherNameDoesNotHoldIt) {
  const auto over = started("a.example", Step::failed);
  const auto working = started("b.example", Step::propagate);
  auto elsewhere = record_of(working, "v");
  elsewhere.name = Fqdn::literal("_acme-challenge.b.example");
  record(record_of(over, "v"));
  record(elsewhere);

  EXPECT_THAT(unneeded(), UnorderedElementsAre(record_of(over, "v")));
}

TEST_P(LedgerStore, ListsByZoneNameValueAndIssuance) {
  const auto first = record_of(started("a.example"), "v2");
  const auto second = record_of(started("b.example"), "v2");
  auto other_name = first;
  other_name.name = Fqdn::literal("_acme-challenge.0.example");
  auto other_zone = first;
  other_zone.zone = ZoneId("Z0");
  auto other_value = first;
  other_value.value = TxtValue("v1");
  for (const auto& each : {second, first, other_value, other_name, other_zone}) record(each);

  EXPECT_THAT(entries(), ElementsAre(other_zone, other_name, other_value, first, second));
  EXPECT_EQ(unneeded(), entries());
}

CERTHERD_ON_EACH_STORE(LedgerStore);

}  // namespace
}  // namespace certherd::store

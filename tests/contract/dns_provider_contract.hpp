#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "dns/provider.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::contract {

/// A provider under test with two zones, one inside the other.
class DnsProviderSubject {
 public:
  virtual ~DnsProviderSubject() = default;
  virtual runtime::EventLoop& loop() = 0;
  virtual dns::Provider& provider() = 0;
  virtual Fqdn outer_zone() const = 0;
  virtual Fqdn inner_zone() const = 0;  ///< below outer_zone()
};

/// What every dns::Provider promises. `Factory` makes a DnsProviderSubject when called.
template <typename Factory>
class DnsProviderContract : public testing::Test {
 protected:
  using Changes = std::vector<dns::TxtChange>;

  static dns::TxtChange ensure(const Fqdn& name, std::string value) {
    return {dns::TxtChange::Action::ensure, name, TxtValue(std::move(value))};
  }
  static dns::TxtChange remove(const Fqdn& name, std::string value) {
    return {dns::TxtChange::Action::remove, name, TxtValue(std::move(value))};
  }

  dns::Zone zone_of(const Fqdn& name) {
    auto zone = loop().run(provider().find_zone(name));
    EXPECT_TRUE(zone.has_value());
    return zone.value_or(dns::Zone{});
  }
  Ticket apply(Changes changes) {
    auto zone = zone_of(changes.front().name);
    auto ticket = loop().run(provider().apply(std::move(zone), std::move(changes)));
    EXPECT_TRUE(ticket.has_value()) << (ticket ? "" : ticket.error().message());
    return ticket.value_or(Ticket());
  }
  std::vector<std::string> values_at(const Fqdn& name) {
    const auto values = loop().run(provider().list(zone_of(name), name));
    EXPECT_TRUE(values.has_value());
    std::vector<std::string> texts;
    for (const auto& value : values.value_or(std::vector<TxtValue>{})) {
      texts.push_back(value.text());
    }
    std::ranges::sort(texts);
    return texts;
  }

  runtime::EventLoop& loop() { return subject->loop(); }
  dns::Provider& provider() { return subject->provider(); }
  Fqdn below(const Fqdn& zone, std::string_view label) {
    return Fqdn::literal(std::string(label) + "." + zone.text());
  }

  std::unique_ptr<DnsProviderSubject> subject = Factory()();
  Fqdn outer = subject->outer_zone();
  Fqdn inner = subject->inner_zone();
  Fqdn challenge = below(outer, "_acme-challenge");
};

TYPED_TEST_SUITE_P(DnsProviderContract);

TYPED_TEST_P(DnsProviderContract, EnsuringTwiceGivesOneValue) {
  this->apply({this->ensure(this->challenge, "one")});
  this->apply({this->ensure(this->challenge, "one")});
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{"one"}));
}

TYPED_TEST_P(DnsProviderContract, TwoValuesStandAtOneName) {
  this->apply({this->ensure(this->challenge, "apex"), this->ensure(this->challenge, "wildcard")});
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{"apex", "wildcard"}));
}

TYPED_TEST_P(DnsProviderContract, RemovingOneValueKeepsTheOther) {
  this->apply({this->ensure(this->challenge, "mine"), this->ensure(this->challenge, "theirs")});
  this->apply({this->remove(this->challenge, "mine")});
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{"theirs"}));
}

TYPED_TEST_P(DnsProviderContract, RemovingTheLastValueLeavesNone) {
  this->apply({this->ensure(this->challenge, "one")});
  this->apply({this->remove(this->challenge, "one")});
  EXPECT_TRUE(this->values_at(this->challenge).empty());
}

TYPED_TEST_P(DnsProviderContract, RemovingWhatIsNotThereIsHarmless) {
  this->apply({this->ensure(this->challenge, "stays")});
  this->apply({this->remove(this->challenge, "never was"),
               this->remove(this->below(this->outer, "nowhere"), "never was")});
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{"stays"}));
}

TYPED_TEST_P(DnsProviderContract, OneBatchAddsAndRemovesAtSeveralNames) {
  const auto other = this->below(this->outer, "_acme-challenge.www");
  this->apply({this->ensure(this->challenge, "old")});
  this->apply({this->remove(this->challenge, "old"), this->ensure(this->challenge, "new"),
               this->ensure(other, "other")});
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{"new"}));
  EXPECT_EQ(this->values_at(other), (std::vector<std::string>{"other"}));
}

TYPED_TEST_P(DnsProviderContract, ListsExactlyTheNameAskedFor) {
  this->apply({this->ensure(this->below(this->challenge, "deeper"), "deeper"),
               this->ensure(this->below(this->outer, "_acme-challenge2"), "beside")});
  EXPECT_TRUE(this->values_at(this->challenge).empty());
}

TYPED_TEST_P(DnsProviderContract, KeepsTheCaseAndTheSymbolsOfAValue) {
  const std::string value = "aZ09-_+/= \"quoted\\slash;";
  this->apply({this->ensure(this->challenge, value)});
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{value}));
}

TYPED_TEST_P(DnsProviderContract, FindsTheLongestZoneThatHoldsAName) {
  EXPECT_EQ(this->zone_of(this->below(this->outer, "www")).name, this->outer);
  EXPECT_EQ(this->zone_of(this->below(this->inner, "www")).name, this->inner);
  EXPECT_EQ(this->zone_of(this->inner).name, this->inner);
}

TYPED_TEST_P(DnsProviderContract, FindsNoZoneForAStrangersName) {
  const auto zone =
      this->loop().run(this->provider().find_zone(Fqdn::literal("www.stranger.example")));
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().kind, Error::Kind::not_found);
}

TYPED_TEST_P(DnsProviderContract, ListsItsZonesAndKnowsWhoServesThem) {
  const auto zones = this->loop().run(this->provider().zones());
  ASSERT_TRUE(zones) << zones.error().message();
  for (const auto& apex : {this->outer, this->inner}) {
    const auto zone = this->zone_of(apex);
    EXPECT_EQ(std::ranges::count(*zones, zone), 1) << apex.text();
    EXPECT_TRUE(this->loop().run(this->provider().name_servers(zone)));
  }
  const dns::Zone unknown{.id = ZoneId("Z-unknown"), .name = this->outer};
  const auto servers = this->loop().run(this->provider().name_servers(unknown));
  ASSERT_FALSE(servers);
  EXPECT_EQ(servers.error().kind, Error::Kind::not_found);
}

TYPED_TEST_P(DnsProviderContract, CanBeCheckedWithoutAChange) {
  EXPECT_TRUE(this->loop().run(this->provider().check()));
  EXPECT_TRUE(this->values_at(this->challenge).empty());
}

TYPED_TEST_P(DnsProviderContract, GoesByTheZonesIdAlone) {
  auto zone = this->zone_of(this->challenge);
  zone.name = Fqdn();
  std::vector<dns::TxtChange> changes{this->ensure(this->challenge, "one")};
  EXPECT_TRUE(this->loop().run(this->provider().apply(zone, std::move(changes))));
  EXPECT_EQ(this->values_at(this->challenge), (std::vector<std::string>{"one"}));
}

TYPED_TEST_P(DnsProviderContract, RefusesAZoneThatItDoesNotHave) {
  const dns::Zone unknown{.id = ZoneId("Z-unknown"), .name = this->outer};
  std::vector<dns::TxtChange> changes{this->ensure(this->challenge, "one")};
  const auto ticket = this->loop().run(this->provider().apply(unknown, std::move(changes)));
  ASSERT_FALSE(ticket);
  EXPECT_EQ(ticket.error().kind, Error::Kind::not_found);
}

TYPED_TEST_P(DnsProviderContract, NamesTheChangeThatItRefusesAndAppliesNoneOfTheBatch) {
  auto zone = this->zone_of(this->challenge);
  std::vector<dns::TxtChange> changes{
      this->ensure(this->challenge, "good"),
      this->ensure(Fqdn::literal("www.stranger.example"), "outside")};
  const auto ticket = this->loop().run(this->provider().apply(zone, std::move(changes)));
  ASSERT_FALSE(ticket);
  EXPECT_EQ(ticket.error().kind, Error::Kind::rejected);
  ASSERT_EQ(ticket.error().causes.size(), 1);
  EXPECT_EQ(ticket.error().causes[0].op, "outside");
  EXPECT_TRUE(this->values_at(this->challenge).empty());
}

TYPED_TEST_P(DnsProviderContract, IsInSyncInTheEnd) {
  const auto ticket = this->apply({this->ensure(this->challenge, "one")});
  auto state = dns::ChangeState::pending;
  for (int look = 0; look < 120 && state == dns::ChangeState::pending; ++look) {
    const auto answer = this->loop().run(this->provider().state(ticket));
    ASSERT_TRUE(answer);
    state = *answer;
    if (state == dns::ChangeState::pending) {
      this->loop().run(this->loop().clock().sleep_for(std::chrono::seconds(1)));
    }
  }
  EXPECT_EQ(state, dns::ChangeState::in_sync);
}

TYPED_TEST_P(DnsProviderContract, HasLimitsThatHoldAnOrderOfAHundredNames) {
  EXPECT_GE(this->provider().limits().changes, 100);
  EXPECT_GE(this->provider().limits().value_octets, 100 * 43);
}

REGISTER_TYPED_TEST_SUITE_P(DnsProviderContract, EnsuringTwiceGivesOneValue,
                            TwoValuesStandAtOneName, RemovingOneValueKeepsTheOther,
                            RemovingTheLastValueLeavesNone, RemovingWhatIsNotThereIsHarmless,
                            OneBatchAddsAndRemovesAtSeveralNames, ListsExactlyTheNameAskedFor,
                            KeepsTheCaseAndTheSymbolsOfAValue, FindsTheLongestZoneThatHoldsAName,
                            FindsNoZoneForAStrangersName, ListsItsZonesAndKnowsWhoServesThem,
                            CanBeCheckedWithoutAChange, GoesByTheZonesIdAlone,
                            RefusesAZoneThatItDoesNotHave,
                            NamesTheChangeThatItRefusesAndAppliesNoneOfTheBatch, IsInSyncInTheEnd,
                            HasLimitsThatHoldAnOrderOfAHundredNames);

}  // namespace certherd::contract

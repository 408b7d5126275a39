#include "policy/split.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::IsEmpty;
using State = OwnCertificate::State;

constexpr Time start = Time(days(20'000));

std::vector<std::string> texts(const std::vector<Fqdn>& names) {
  std::vector<std::string> texts;
  for (const auto& name : names) texts.push_back(name.text());
  return texts;
}

std::vector<std::string> behind(const std::vector<std::string>& names) {
  return texts(domains_behind(names));
}

TEST(DomainsBehind, ApexWwwAndWildcardAreOne) {
  EXPECT_THAT(behind({"example.com", "www.example.com", "*.example.com"}),
              ElementsAre("example.com"));
  EXPECT_THAT(behind({"*.www.example.com", "www.example.com"}), ElementsAre("example.com"));
  EXPECT_THAT(behind({"WWW.BÜCHER.example"}), ElementsAre("xn--bcher-kva.example"));
}

TEST(DomainsBehind, OthersAreManyAlsoBelowOneRegisteredDomain) {
  EXPECT_THAT(behind({"example.com", "shop.example.com", "example.net"}),
              ElementsAre("example.com", "example.net", "shop.example.com"));
  // Unless a wildcard of the certificate stands for them: one level, as for browsers.
  EXPECT_THAT(behind({"*.example.com", "shop.example.com", "a.shop.example.com"}),
              ElementsAre("a.shop.example.com", "example.com"));
}

TEST(DomainsBehind, AWwwIsADomainWhereNothingButASuffixIsBehindIt) {
  EXPECT_THAT(behind({"www.co.uk"}), ElementsAre("www.co.uk"));
  EXPECT_THAT(behind({"www.com"}), ElementsAre("www.com"));
  EXPECT_THAT(behind({"www.github.io"}), ElementsAre("www.github.io"));
  EXPECT_THAT(behind({"www.example.co.uk"}), ElementsAre("example.co.uk"));
}

TEST(DomainsBehind, WhatIsNoHostNameIsPassedOver) {
  EXPECT_THAT(behind({"", "192.0.2.1", "a b", "example.com"}), ElementsAre("example.com"));
}

SeenCertificate seen(const std::string& endpoint, const std::string& serial,
                     std::vector<std::string> names, Time not_after = start + days(30)) {
  return {.endpoint = Endpoint::parse(endpoint).value(),
          .fingerprint = Fingerprint("print of " + serial),
          .serial = Serial(serial),
          .issuer = "a CA",
          .not_after = not_after,
          .names = std::move(names)};
}

Domain domain(const std::string& name, const std::vector<std::string>& names = {},
              const std::vector<std::string>& endpoints = {}) {
  Domain made;
  made.name = Fqdn::literal(name);
  for (const auto& each : names) made.names.push_back(Fqdn::literal(each));
  for (const auto& each : endpoints) made.endpoints.push_back(Endpoint::parse(each).value());
  return made;
}

Split split(const std::vector<SeenCertificate>& certificates,
            const std::vector<Domain>& inventory = {}) {
  std::vector<Fqdn> hosts;
  for (const auto& one : certificates) hosts.push_back(one.endpoint.host);
  return split_shared(certificates, hosts, inventory);
}

/// One line for each: state, names, endpoints.
std::vector<std::string> lines(const Split& split) {
  std::vector<std::string> lines;
  for (const auto& own : split.own) {
    const auto* state = own.state == State::added     ? "added"
                        : own.state == State::changed ? "changed"
                                                      : "present";
    auto line = fmt::format("{} {}", state, fmt::join(texts(own.domain.all_names()), " "));
    for (const auto& endpoint : own.domain.endpoints) line += " at " + endpoint.text();
    lines.push_back(std::move(line));
  }
  return lines;
}

TEST(Split, LeavesCertificatesOfOneDomainAlone) {
  const auto result = split({seen("a.example", "01", {"a.example", "www.a.example"}),
                             seen("x.b.example", "02", {"*.b.example", "b.example"})});
  EXPECT_THAT(result.shared, IsEmpty());
  EXPECT_THAT(result.own, IsEmpty());
}

TEST(Split, GivesEachDomainOfASharedCertificateItsOwn) {
  const std::vector<std::string> names = {"a.example", "www.a.example", "*.b.example", "b.example",
                                          "c.b.example"};
  const auto result = split({seen("a.example", "01", names), seen("b.example:8443", "01", names),
                             seen("www.a.example", "02", {"www.a.example"})});
  ASSERT_EQ(result.shared.size(), 1U);
  EXPECT_EQ(result.shared[0].endpoints.size(), 2U);
  EXPECT_EQ(result.shared[0].seen.serial, Serial("01"));
  EXPECT_THAT(texts(result.shared[0].domains), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(texts(result.shared[0].registered_domains), ElementsAre("a.example", "b.example"));
  // What the wildcard covers a CA would refuse beside it.
  EXPECT_THAT(lines(result),
              ElementsAre("added a.example www.a.example at a.example at www.a.example",
                          "added b.example *.b.example at b.example:8443"));
}

TEST(Split, TellsFirstWhatEndsFirst) {
  const auto result =
      split({seen("a.example", "01", {"a.example", "b.example"}, start + days(2)),
             seen("c.example", "02", {"c.example", "d.example"}, start + days(1)),
             seen("a.example@192.0.2.7", "03", {"a.example", "c.example"}, start + days(3))});
  std::vector<std::string> serials;
  for (const auto& shared : result.shared) serials.push_back(shared.seen.serial.text());
  EXPECT_THAT(serials, ElementsAre("02", "01", "03"));
  EXPECT_EQ(result.own.size(), 4U);
}

TEST(Split, ADomainOfWhichNothingIsKnownIsDisabled) {
  const auto result =
      split({seen("a.example.com", "01",
                  {"a.example.com", "b.example.com", "stranger.example.net", "c.example.org"})},
            {domain("example.org")});
  std::map<std::string, bool> enabled;
  for (const auto& own : result.own) enabled[own.domain.name.text()] = own.domain.enabled;
  EXPECT_EQ(enabled, (std::map<std::string, bool>{{"a.example.com", true},
                                                  {"b.example.com", true},
                                                  {"c.example.org", true},
                                                  {"stranger.example.net", false}}));
}

TEST(Split, NamesThatNoCertificateMayHaveAreToldOnce) {
  const std::vector<std::string> names = {"a.example", "b.example", "a_b.example", "host"};
  const auto result = split({seen("a.example", "01", names), seen("b.example", "02", names)});
  ASSERT_EQ(result.left_out.size(), 2U);
  EXPECT_EQ(result.left_out[0].name, "a_b.example");
  EXPECT_THAT(result.left_out[0].reason, testing::HasSubstr("underscore"));
  EXPECT_EQ(result.left_out[1].name, "host");
  EXPECT_EQ(result.own.size(), 2U);
}

TEST(Split, AnInventoryDomainKeepsItsChoicesAndHandsThemOn) {
  auto row = domain("a.example", {"*.a.example", "b.example", "www.b.example", "c.example"},
                    {"a.example:8443", "b.example:8443", "lb.internal.example"});
  row.id = DomainId(7);
  row.cas = {CaName("letsencrypt")};
  row.zone_id = ZoneId("Z1");
  row.owner = "web";
  row.metadata = {{"team", "edge"}};
  // c.example was added to the inventory after the certificate was issued.
  const auto result =
      split({seen("a.example:8443", "01", {"a.example", "b.example", "www.b.example"})}, {row});
  EXPECT_THAT(lines(result),
              ElementsAre("changed a.example *.a.example at a.example:8443 at lb.internal.example",
                          "added b.example www.b.example at b.example:8443", "added c.example"));
  EXPECT_EQ(result.own[0].domain.zone_id, ZoneId("Z1"));
  EXPECT_EQ(result.own[0].domain.id, DomainId(7));
  for (const auto& own : result.own) {
    EXPECT_EQ(own.domain.cas, std::vector{CaName("letsencrypt")});
    EXPECT_EQ(own.domain.owner, "web");
    EXPECT_EQ(own.domain.metadata, row.metadata);
  }
  EXPECT_TRUE(result.own[1].domain.zone_id.empty());
  EXPECT_EQ(result.own[1].domain.id, DomainId());
}

TEST(Split, WhatTheInventoryHasByItselfStaysAsItIs) {
  const auto result =
      split({seen("a.example", "01",
                  {"a.example", "www.a.example", "www.b.example", "b.example", "x.c.example"})},
            {domain("a.example", {"www.a.example"}), domain("www.b.example"),
             domain("*.c.example", {"c.example"})});
  // An apex joins its www; www and apex of the inventory stay what they are.
  EXPECT_THAT(lines(result), ElementsAre("present a.example www.a.example",
                                         "changed www.b.example b.example", "added x.c.example"));
}

TEST(Split, AWildcardOfTheInventoryKeepsItsName) {
  const auto result =
      split({seen("x.c.example", "01", {"*.c.example", "c.example", "d.example"})},
            {domain("*.c.example", {"c.example"}), domain("www.d.example"), domain("d.example")});
  EXPECT_THAT(lines(result), ElementsAre("present *.c.example c.example", "present d.example"));
}

}  // namespace
}  // namespace certherd::policy

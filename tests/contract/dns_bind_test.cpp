// The look-ups of src/dns against BIND, as an authority for two zones with a CNAME from one into
// the other: what the unit tests say of DNS servers holds for a real one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "bind_server.hpp"
#include "dns/inspector.hpp"
#include "dns/live_visibility.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

constexpr std::string_view example_zone = R"($TTL 60
@ IN SOA ns1.example.net. hostmaster.example.test. 1 3600 600 86400 60
@ IN NS ns1.example.net.
@ IN NS ns2.example.test.
ns2 IN A 127.0.0.1
_acme-challenge IN CNAME X1.acme.test.
_acme-challenge.away IN CNAME x1.elsewhere.test.
_acme-challenge.round IN CNAME circle
circle IN CNAME _acme-challenge.round
_acme-challenge.direct IN TXT "first" " half"
_acme-challenge.direct IN TXT "foreign"
@ IN CAA 0 issue "ca.example; accounturi=https://ca.example/acct/1"
@ IN CAA 0 issuewild ";"
critical IN CAA 128 future "a \"quoted\" word"
www IN CNAME critical
)";

/// Its name x1 holds so many values that they do not fit into one datagram.
std::string acme_zone() {
  std::string text = R"($TTL 5
@ IN SOA ns1 hostmaster 1 3600 600 86400 5
@ IN NS ns1
ns1 IN A 127.0.0.1
)";
  for (int i = 0; i < 60; ++i) {
    text += fmt::format("x1 IN TXT \"value-{:02}-0123456789012345678901234567890123\"\n", i);
  }
  return text;
}

class Bind : public testing::Test {
 protected:
  void SetUp() override {
    std::map<std::string, std::string> zones = {{"example.test", std::string(example_zone)},
                                                {"acme.test", acme_zone()}};
    auto started = loop->run(BindServer::start(loop.get(), std::move(zones)));
    ASSERT_TRUE(started) << started.error().message();
    server = std::move(*started);
    options.servers = {server->address()};
    options.authoritative_port = server->address().port;
    options.overrides = {{Fqdn::literal("ns1.example.net"), server->address()}};
  }

  void TearDown() override {
    if (server) loop->run(server->stop());
  }

  Visibility& visibility() {
    if (!visibility_) visibility_ = make_visibility(*loop, random, options).value();
    return *visibility_;
  }

  Result<Location> locate(std::string_view name) {
    return loop->run(visibility().locate(Fqdn::literal(name)));
  }

  Result<View> look(std::string_view record, std::string_view zone, std::vector<TxtValue> values) {
    const Location place{.record = Fqdn::literal(record), .zone = Fqdn::literal(zone)};
    return loop->run(visibility().look(place, std::move(values)));
  }

  Inspector& inspector() {
    if (!inspector_) inspector_ = Inspector::make(*loop, random, options).value();
    return *inspector_;
  }

  Result<CaaSet> caa(std::string_view name) {
    return loop->run(inspector().caa(Fqdn::literal(name)));
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SystemRandom random;
  std::unique_ptr<BindServer> server;
  ResolverOptions options;

 private:
  std::unique_ptr<Visibility> visibility_;
  std::unique_ptr<Inspector> inspector_;
};

TEST_F(Bind, LeadsThroughACnameIntoTheOtherZone) {
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_TRUE(location) << location.error().message();
  EXPECT_EQ(location->record.text(), "x1.acme.test");
  EXPECT_EQ(location->zone.text(), "acme.test");
}

TEST_F(Bind, TellsTheZoneOfNamesThatExistAndOfThoseThatDoNot) {
  EXPECT_EQ(locate("_acme-challenge.direct.example.test")->zone.text(), "example.test");
  EXPECT_EQ(locate("_acme-challenge.a.b.example.test")->zone.text(), "example.test");
}

TEST_F(Bind, ShowsValuesOnEachOfItsNameServersByUdpAndTcp) {
  const auto view = look("_acme-challenge.direct.example.test", "example.test",
                         {TxtValue("first half"), TxtValue("foreign")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(view->everywhere) << view->missing();
  EXPECT_EQ(view->sightings.size(), 4U);
}

TEST_F(Bind, ShowsValuesThatOnlyFitIntoTcp) {
  const auto view = look("x1.acme.test", "acme.test",
                         {TxtValue("value-00-0123456789012345678901234567890123"),
                          TxtValue("value-59-0123456789012345678901234567890123")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(view->everywhere) << view->missing();
  EXPECT_EQ(view->sightings.size(), 2U);
}

TEST_F(Bind, ShowsThatAValueIsNotThereYet) {
  const auto view = look("_acme-challenge.direct.example.test", "example.test", {TxtValue("new")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_FALSE(view->everywhere);
  EXPECT_THAT(view->missing(), testing::HasSubstr("1 of 1 values missing among its 2"));
}

TEST_F(Bind, RefusesZonesThatItDoesNotServe) {
  const auto location = locate("_acme-challenge.away.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_THAT(location.error().detail, testing::HasSubstr("REFUSED"));
  EXPECT_THAT(location.error().detail, testing::HasSubstr("-> x1.elsewhere.test"));
}

TEST_F(Bind, LeadsInACircleThatIsToldAsSuch) {
  const auto location = locate("_acme-challenge.round.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(location.error().detail, testing::HasSubstr("lead in a circle"));
}

TEST_F(Bind, ServesCaaRecordsThatAreReadToTheOctet) {
  const auto set = caa("*.a.b.example.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ(set->at.text(), "example.test");
  EXPECT_THAT(set->properties,
              testing::UnorderedElementsAre(
                  CaaProperty{0, "issue", "ca.example; accounturi=https://ca.example/acct/1"},
                  CaaProperty{0, "issuewild", ";"}));
}

TEST_F(Bind, LeadsToCaaRecordsThroughACname) {
  const auto set = caa("www.example.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ(set->by, "www.example.test -> critical.example.test");
  EXPECT_THAT(set->properties,
              testing::ElementsAre(CaaProperty{128, "future", "a \"quoted\" word"}));
}

TEST_F(Bind, KnowsNothingOfCaaAboveItsZones) {
  const auto set = caa("a.acme.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_TRUE(set->properties.empty());
  EXPECT_EQ(set->unasked.text(), "test");
}

TEST_F(Bind, ServesItsZonesOnAllNameServers) {
  const auto survey = loop->run(inspector().survey(Fqdn::literal("example.test")));

  ASSERT_TRUE(survey) << survey.error().message();
  EXPECT_THAT(survey->own, testing::ElementsAre("ns1.example.net", "ns2.example.test"));
  EXPECT_EQ(survey->words.size(), 4U);
  for (const auto& word : survey->words) EXPECT_EQ(word.finding, "") << word.server;
  EXPECT_THAT(survey->parent_unknown, testing::HasSubstr("REFUSED"));
}

TEST_F(Bind, ShowsAllValuesOfANameToTheInspector) {
  const auto values =
      loop->run(inspector().values(Fqdn::literal("x1.acme.test"), Fqdn::literal("acme.test")));
  EXPECT_EQ(values.value().size(), 60U);
}

}  // namespace
}  // namespace certherd::dns

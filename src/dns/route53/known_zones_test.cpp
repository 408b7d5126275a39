#include "dns/route53/known_zones.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace certherd::dns::route53 {
namespace {

Fqdn name(std::string_view text) { return Fqdn::literal(text); }

ListedZone zone(const std::string& id, const std::string& spelled, bool is_private = false) {
  return {.id = ZoneId(id), .name = spelled, .is_private = is_private};
}

ZonePage last_page(std::vector<ListedZone> zones) {
  ZonePage page;
  page.zones = std::move(zones);
  return page;
}

ZonePage page_before(std::string next_name, std::vector<ListedZone> zones,
                     std::string next_id = {}) {
  auto page = last_page(std::move(zones));
  page.truncated = true;
  page.next_name = std::move(next_name);
  page.next_id = std::move(next_id);
  return page;
}

std::vector<std::string> ids(const KnownZones::Answer& answer) {
  std::vector<std::string> texts;
  for (const auto& zone : answer.zones) texts.push_back(zone.id.text());
  return texts;
}

using Ids = std::vector<std::string>;

TEST(KnownZones, AskForTheTwoLastLabelsFirst) {
  const KnownZones known;
  const auto answer = known.holding(name("*.a.b.example.com"));
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.ask, name("example.com"));
}

TEST(KnownZones, OfAWholeAccountAnswerEverything) {
  KnownZones known;
  known.learn(Fqdn(), last_page({zone("Z1", "example.com."), zone("Z2", "b.example.com."),
                                 zone("Z3", "net.")}));
  EXPECT_EQ(ids(known.holding(name("a.example.com"))), Ids{"Z1"});
  EXPECT_EQ(ids(known.holding(name("example.com"))), Ids{"Z1"});
  EXPECT_EQ(ids(known.holding(name("_acme-challenge.x.b.example.com"))), Ids{"Z2"});
  EXPECT_EQ(ids(known.holding(name("*.b.example.com"))), Ids{"Z2"});
  EXPECT_EQ(ids(known.holding(name("www.stranger.net"))), Ids{"Z3"});
  const auto none = known.holding(name("xb.example.org"));
  EXPECT_TRUE(none.complete);
  EXPECT_TRUE(none.zones.empty());
  EXPECT_EQ(known.holding(name("a.example.com")).zones[0].name, name("example.com"));
}

TEST(KnownZones, LeavePrivateTwinsOutAndKeepPublicOnes) {
  KnownZones known;
  known.learn(Fqdn(), last_page({zone("Z1", "example.com.", true), zone("Z2", "example.com."),
                                 zone("Z3", "in.example.com.", true), zone("Z4", "two.example."),
                                 zone("Z5", "two.example.")}));
  EXPECT_EQ(ids(known.holding(name("in.example.com"))), Ids{"Z2"});
  EXPECT_EQ(ids(known.holding(name("two.example"))), (Ids{"Z4", "Z5"}));
}

TEST(KnownZones, AskForLongerNamesBehindAPageAndSingleLabelsLast) {
  KnownZones known;
  known.learn(name("co.uk"), page_before("b.co.uk.", {zone("Z1", "a.co.uk.")}));
  EXPECT_EQ(ids(known.holding(name("www.a.co.uk"))), Ids{"Z1"});
  const auto behind = known.holding(name("www.c.co.uk"));
  EXPECT_EQ(behind.ask, name("c.co.uk"));
  EXPECT_EQ(known.end_of_stretch_before(behind.ask), name("b.co.uk"));

  known.learn(name("c.co.uk"), page_before("d.co.uk.", {}));
  EXPECT_EQ(known.holding(name("www.c.co.uk")).ask, name("uk"));
  known.learn(name("uk"), page_before("a.uk.", {zone("Z9", "uk.")}));
  EXPECT_EQ(ids(known.holding(name("www.c.co.uk"))), Ids{"Z9"});
}

TEST(KnownZones, JoinStretchesThatMeet) {
  KnownZones known;
  known.learn(name("a.com"), page_before("b.com.", {zone("Z1", "a.com.")}));
  known.learn(name("c.com"), page_before("d.com.", {zone("Z3", "c.com.")}));
  EXPECT_FALSE(known.covers(name("b.com")));
  known.learn(name("b.com"), page_before("c2.com.", {zone("Z2", "b.com."), zone("Z3", "c.com.")}));
  EXPECT_TRUE(known.covers(name("b.com")));
  EXPECT_TRUE(known.covers(name("x.c.com")));
  EXPECT_EQ(known.end_of_stretch_before(name("e.com")), name("d.com"));
  EXPECT_EQ(ids(known.holding(name("c.com"))), Ids{"Z3"});
}

TEST(KnownZones, DoNotTakePartOfTheTwinsForAll) {
  KnownZones known;
  known.learn(Fqdn(), page_before("b.com.", {zone("Z1", "a.com."), zone("Z2", "b.com.")}, "Z3"));
  EXPECT_TRUE(known.covers(name("a.com")));
  const auto answer = known.holding(name("b.com"));
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.ask, name("b.com"));
}

TEST(KnownZones, TrustAPageInAnotherOrderOnlyForTheNameAskedFor) {
  KnownZones known;
  known.learn(name("b.com"),
              last_page({zone("Z2", "b.com."), zone("Z4", "d.com."), zone("Z3", "c.com.")}));
  EXPECT_TRUE(known.covers(name("b.com")));
  EXPECT_FALSE(known.covers(name("c.com")));
  EXPECT_FALSE(known.covers(name("d.com")));
  // … but an account that comes whole is known whole.
  known.clear();
  known.learn(Fqdn(), last_page({zone("Z4", "d.com."), zone("Z3", "c.com.")}));
  EXPECT_EQ(ids(known.holding(name("c.com"))), Ids{"Z3"});
}

TEST(KnownZones, ComeToAnEndWithAnyAnswer) {
  KnownZones known;
  known.learn(name("b.com"), page_before("a.com.", {}));
  EXPECT_TRUE(known.covers(name("b.com")));
  known.learn(name("e.com"), page_before("", {}));
  EXPECT_TRUE(known.covers(name("e.com")));
  known.learn(name("f.com"), page_before("0\\057.h.com.", {zone("Z1", "g.com.")}));
  EXPECT_TRUE(known.covers(name("g.com")));
  EXPECT_FALSE(known.covers(name("h.com")));
  EXPECT_TRUE(known.end_of_stretch_before(name("h.com")).empty());
}

TEST(KnownZones, KnowTheirIdsUntilTheyAreCleared) {
  KnownZones known;
  known.learn(Fqdn(), last_page({zone("Z1", "example.com.")}));
  EXPECT_TRUE(known.has(ZoneId("Z1")));
  EXPECT_FALSE(known.has(ZoneId("Z2")));
  known.clear();
  EXPECT_TRUE(known.empty());
  EXPECT_FALSE(known.has(ZoneId("Z1")));
}

}  // namespace
}  // namespace certherd::dns::route53

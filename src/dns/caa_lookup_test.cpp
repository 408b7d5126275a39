#include "dns/caa_lookup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/live_dns.hpp"
#include "dns/scripted_server_test.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

using Query = ScriptedServer::Query;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A resolver that knows the zones "test", "example.test" and "other.test".
class CaaLookupTest : public testing::Test {
 protected:
  CaaLookupTest() {
    world.add_zone("test", "ns1.test", "127.0.0.1");
    world.add_zone("example.test", "ns1.test", "127.0.0.1");
    world.add_zone("other.test", "ns1.test", "127.0.0.1");
  }

  Result<CaaSet> look(std::string_view name) {
    ScriptedServer server(*loop, [this](const Query& query) { return script(query); });
    resolver = server.address();
    ResolverOptions options;
    options.servers = {resolver};
    options.patience = std::chrono::milliseconds(100);
    LiveDns dns(*loop, random, options);
    CaaLookup lookup(*loop, dns.resolvers, dns.zones);
    auto set = run_beside(*loop, {&server}, lookup.of(Fqdn::literal(name)));
    asked.clear();
    for (const auto& query : server.queries) {
      if (query.question.type == RecordType::caa) asked.push_back(query.question.name);
    }
    return set;
  }

  /// A resolver that asks others, so that it can be held to its word everywhere.
  std::vector<Packet> answer_as_resolver(const Query& query) const {
    auto reply = world.reply(query);
    reply.authoritative = false;
    reply.recursion_available = true;
    return {encode_reply(reply)};
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SeededRandom random{1};
  Authority world;
  ScriptedServer::Script script = [this](const Query& query) { return answer_as_resolver(query); };
  ServerAddress resolver;
  std::vector<std::string> asked;  ///< the names for whose CAA records it was asked
};

TEST_F(CaaLookupTest, FindsNothingUpToTheTopLevelDomain) {
  const auto set = look("www.a.example.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_THAT(set->properties, IsEmpty());
  EXPECT_TRUE(set->at.empty());
  EXPECT_TRUE(set->unasked.empty());
  EXPECT_THAT(asked, ElementsAre("www.a.example.test", "a.example.test", "example.test", "test"));
}

TEST_F(CaaLookupTest, TakesTheFirstSetOnTheWayUpWhole) {
  world.add_caa("a.example.test", "issue", "ca.example");
  world.add_caa("a.example.test", "tbs", "x", 128);
  world.add_caa("example.test", "issue", ";");

  const auto set = look("www.a.example.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ(set->at.text(), "a.example.test");
  EXPECT_EQ(set->by, "");
  EXPECT_THAT(set->properties,
              ElementsAre(CaaProperty{0, "issue", "ca.example"}, CaaProperty{128, "tbs", "x"}));
  EXPECT_THAT(asked, ElementsAre("www.a.example.test", "a.example.test"));
}

TEST_F(CaaLookupTest, LooksForAWildcardAtTheNameBelowIt) {
  world.add_caa("example.test", "issuewild", "ca.example");

  EXPECT_EQ(look("*.example.test")->at.text(), "example.test");
  EXPECT_THAT(asked, ElementsAre("example.test"));
}

TEST_F(CaaLookupTest, FollowsCnamesAtEachStepAndClimbsFromTheNameItself) {
  world.add("www.a.example.test", RecordType::cname, "edge.other.test");
  world.add("a.example.test", RecordType::cname, "b.other.test");
  world.add_caa("b.other.test", "issue", "ca.example");
  world.add_caa("other.test", "issue", ";");  // above the target: does not count

  const auto set = look("www.a.example.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ(set->at.text(), "b.other.test");
  EXPECT_EQ(set->by, "a.example.test -> b.other.test");
}

TEST_F(CaaLookupTest, TellsACircleOfCnames) {
  world.add("www.example.test", RecordType::cname, "a.example.test");
  world.add("a.example.test", RecordType::cname, "www.example.test");

  const auto set = look("www.example.test");

  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(set.error().message(),
            "look for CAA records at www.example.test: follow CNAMEs: the CNAMEs lead in a "
            "circle: www.example.test -> a.example.test -> www.example.test");
}

TEST_F(CaaLookupTest, FailsWhereAServerFailsAsACaWould) {
  world.add_caa("test", "issue", "ca.example");
  for (const auto code :
       {ResponseCode::server_failure, ResponseCode::refused, ResponseCode::not_implemented}) {
    script = [this, code](const Query& query) {
      const bool hit =
          query.question.name == "example.test" && query.question.type == RecordType::caa;
      return hit ? std::vector<Packet>{encode_reply(query.reply(code))} : answer_as_resolver(query);
    };
    const auto set = look("www.example.test");

    ASSERT_FALSE(set) << to_string(code);
    EXPECT_EQ(set.error().kind, Error::Kind::not_found);
    EXPECT_EQ(set.error().message(),
              fmt::format("look for CAA records at example.test: look up example.test CAA: no "
                          "answer for example.test ({}: {})",
                          resolver.text(), to_string(code)));
  }
}

TEST_F(CaaLookupTest, IsTransientWhereNobodyAnswersForCaaAlone) {
  // Name servers that drop types which they do not know are not rare.
  script = [this](const Query& query) {
    return query.question.type == RecordType::caa ? std::vector<Packet>()
                                                  : answer_as_resolver(query);
  };
  const auto set = look("www.example.test");

  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, Error::Kind::transient);
  EXPECT_THAT(set.error().detail, HasSubstr("timeout"));
}

TEST_F(CaaLookupTest, EndsWhereAServerOfItsOwnZonesKnowsNoMore) {
  world.zones.erase("test");
  script = [this](const Query& query) { return world(query); };

  const auto set = look("www.example.test");

  ASSERT_TRUE(set) << set.error().message();
  EXPECT_THAT(set->properties, IsEmpty());
  EXPECT_EQ(set->unasked.text(), "test");

  const auto nowhere = look("www.nowhere.test");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, Error::Kind::not_found);
}

TEST_F(CaaLookupTest, RefusesARecordThatCannotBeRead) {
  script = [this](const Query& query) {
    auto packets = answer_as_resolver(query);
    if (query.question.type != RecordType::caa) return packets;
    auto& packet = packets.front();
    packet[7] = 1;  // an answer: CAA with a tag of 9 octets, of which 1 is there
    for (const unsigned octet :
         {0xC0U, 12U, 1U, 1U, 0U, 1U, 0U, 0U, 0U, 5U, 0U, 3U, 0U, 9U, 105U}) {
      packet.push_back(static_cast<std::uint8_t>(octet));
    }
    return packets;
  };
  const auto set = look("example.test");

  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().detail, HasSubstr("unreadable reply"));
}

TEST(ParseCaa, ReadsFlagsTagAndValue) {
  EXPECT_EQ(parse_caa(std::string("\x80\x05issueca.example", 17)).value(),
            (CaaProperty{128, "issue", "ca.example"}));
  EXPECT_EQ(parse_caa(std::string("\0\x05issue", 7)).value(), (CaaProperty{0, "issue", ""}));
}

TEST(ParseCaa, RefusesWhatIsNoCaaRecord) {
  for (const auto& octets : {std::string(), std::string("\0", 1), std::string("\0\0", 2),
                             std::string("\0\x05issu", 6)}) {
    const auto property = parse_caa(octets);
    ASSERT_FALSE(property);
    EXPECT_EQ(property.error().kind, Error::Kind::rejected);
  }
}

TEST(CaaText, ShowsNoOctetThatATerminalWouldObey) {
  EXPECT_EQ((CaaProperty{128, "\x1B[2J", "a\"b\\c\n\xFF"}.text()),
            R"(128 \027[2J "a\"b\\c\010\255")");
}

}  // namespace
}  // namespace certherd::dns

#include "dns/inspector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/scripted_server_test.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

using Query = ScriptedServer::Query;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A resolver, which is also the authority for "example.test"; another server for the zone above
/// it, which delegates it.
class InspectorTest : public testing::Test {
 protected:
  InspectorTest() {
    world.add_zone("example.test", "ns1.example.test", "127.0.0.1");
    world.add_zone("test", "ns.parent.test", "127.0.0.1");
    options.servers = {server.address()};
    options.authoritative_port = server.address().port;
    options.overrides = {{Fqdn::literal("ns.parent.test"), parent.address()}};
    options.patience = std::chrono::milliseconds(100);
  }

  template <typename T>
  T run(Task<T> task) {
    return run_beside(*loop, {&server, &parent}, std::move(task));
  }

  Inspector& inspector() {
    if (!inspector_) inspector_ = Inspector::make(*loop, random, options).value();
    return *inspector_;
  }

  Result<ZoneSurvey> survey() { return run(inspector().survey(zone)); }

  static std::vector<Packet> refer(const Query& query, std::vector<std::string> name_servers) {
    auto reply = query.reply();
    reply.authoritative = false;
    for (auto& name : name_servers) {
      reply.authority.push_back({"example.test", RecordType::ns, 60, std::move(name)});
    }
    return {encode_reply(reply)};
  }

  std::string at(const ServerAddress& address, std::string_view name_server) const {
    return fmt::format("{} ({}", name_server, address.text());
  }

  /// What is wrong, server by server.
  static std::vector<std::string> faults(const ZoneSurvey& survey) {
    std::vector<std::string> found;
    for (const auto& word : survey.words) {
      if (!word.finding.empty()) found.push_back(word.server + ": " + word.finding);
    }
    return found;
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SeededRandom random{1};
  Authority world;
  ScriptedServer::Script script = [this](const Query& query) { return world(query); };
  ScriptedServer server{*loop, [this](const Query& query) { return script(query); }};
  ScriptedServer::Script parent_script = [](const Query& query) {
    return refer(query, {"ns1.example.test"});
  };
  ScriptedServer parent{*loop, [this](const Query& query) { return parent_script(query); }};
  ResolverOptions options;
  Fqdn zone = Fqdn::literal("example.test");

 private:
  std::unique_ptr<Inspector> inspector_;
};

using Survey = InspectorTest;
using Trace = InspectorTest;
using Values = InspectorTest;

TEST_F(Survey, FindsParentAndZoneOfOneMind) {
  const auto found = survey();

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(found->own, ElementsAre("ns1.example.test"));
  EXPECT_EQ(found->delegated, found->own);
  EXPECT_EQ(found->undelegated + found->parent_unknown, "");
  EXPECT_EQ(found->words.size(), 2U);  // UDP and TCP
  EXPECT_THAT(faults(*found), IsEmpty());
  EXPECT_THAT(found->servers, ElementsAre(server.address()));
}

TEST_F(Survey, AsksServersThatOnlyTheParentNames) {
  options.overrides.emplace(Fqdn::literal("old.host.test"), parent.address());
  parent_script = [](const Query& query) {
    return query.question.type == RecordType::ns
               ? refer(query, {"ns1.example.test", "old.host.test"})
               : std::vector<Packet>{encode_reply(query.reply(ResponseCode::refused))};
  };
  const auto found = survey();

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(found->own, ElementsAre("ns1.example.test"));
  EXPECT_THAT(found->delegated, ElementsAre("ns1.example.test", "old.host.test"));
  EXPECT_THAT(faults(*found),
              ElementsAre(at(parent.address(), "old.host.test") + ", UDP): REFUSED",
                          at(parent.address(), "old.host.test") + ", TCP): REFUSED"));
}

TEST_F(Survey, TellsThatTheParentKnowsNoSuchZone) {
  parent_script = [](const Query& query) {
    return std::vector<Packet>{encode_reply(query.reply(ResponseCode::name_error))};
  };
  EXPECT_EQ(survey()->undelegated,
            at(parent.address(), "ns.parent.test") + ", UDP) of the zone test says NXDOMAIN");
}

TEST_F(Survey, TellsWhyTheParentTellsNothing) {
  parent_script = [](const Query& query) {
    return std::vector<Packet>{encode_reply(query.reply(ResponseCode::server_failure))};
  };
  const auto found = survey();

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->parent_unknown, "no server of the zone test that was asked answers for it: " +
                                       at(parent.address(), "ns.parent.test") + ", UDP): SERVFAIL");
  EXPECT_THAT(found->delegated, IsEmpty());
}

TEST_F(Survey, DoesNotTakeAServerOfBothZonesForTheParentsWord) {
  parent_script = [this](const Query& query) { return world(query); };
  EXPECT_THAT(survey()->parent_unknown, HasSubstr("serves both example.test and the zone above"));
}

TEST_F(Survey, AsksNoParentThatTheResolverDoesNotKnow) {
  world.zones.erase("test");
  const auto found = survey();

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(found->parent_unknown, HasSubstr("REFUSED"));
  EXPECT_TRUE(parent.queries.empty());
}

/// A second name server that fails over one transport only, while the first is well.
class FaultySecond : public InspectorTest,
                     public testing::WithParamInterface<std::tuple<std::string_view, Transport>> {
 protected:
  std::vector<Packet> break_down(const Query& query) const {
    const auto [fault, transport] = GetParam();
    auto reply = world.reply(query);
    if (query.transport != transport) return {encode_reply(reply)};
    if (fault == "timeout") return {};
    if (fault == "SERVFAIL") reply.code = ResponseCode::server_failure;
    if (fault.contains("NXDOMAIN")) reply.code = ResponseCode::name_error;
    if (fault.contains("lame")) reply.authoritative = false;
    if (fault == "no SOA record") reply.answers.clear();
    return {encode_reply(reply)};
  }
};

TEST_P(FaultySecond, IsNamedWithWhatItSays) {
  const auto [fault, transport] = GetParam();
  world.add("example.test", RecordType::ns, "ns2.example.test");
  options.overrides.emplace(Fqdn::literal("ns2.example.test"), parent.address());
  parent_script = [this](const Query& query) { return break_down(query); };

  const auto found = survey();

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->words.size(), 4U);
  EXPECT_THAT(faults(*found), ElementsAre(at(parent.address(), "ns2.example.test") +
                                          fmt::format(", {}): {}", to_string(transport), fault)));
}

INSTANTIATE_TEST_SUITE_P(
    Survey, FaultySecond,
    testing::Combine(testing::Values("not authoritative for it (lame delegation)", "SERVFAIL",
                                     "says that it does not exist (NXDOMAIN)", "no SOA record",
                                     "timeout"),
                     testing::Values(Transport::udp, Transport::tcp)));

TEST_F(Survey, TellsThatAZoneHasNoNameServersAtAll) {
  std::erase_if(world.records, [](const Record& each) { return each.type == RecordType::ns; });
  const auto found = survey();

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, Error::Kind::not_found);
  EXPECT_THAT(found.error().detail, HasSubstr("nobody serves example.test"));
}

TEST_F(Survey, AsksNobodyButTheResolverWhereThatIsConfigured) {
  options.check = ResolverOptions::Check::resolver;
  const auto found = survey();

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(found->words, IsEmpty());
  EXPECT_THAT(found->parent_unknown, HasSubstr("[resolver] check"));
}

TEST_F(Trace, GivesTheZonesAroundBothEndsOfTheCnames) {
  world.add_zone("acme.test", "ns1.acme.test", "127.0.0.1");
  world.add("_acme-challenge.www.example.test", RecordType::cname, "x1.acme.test");

  const auto path = run(inspector().trace(Fqdn::literal("_acme-challenge.www.example.test")));

  ASSERT_TRUE(path) << path.error().message();
  EXPECT_EQ(path->record().text(), "x1.acme.test");
  EXPECT_EQ(path->origin.text(), "example.test");
  EXPECT_EQ(path->zone.text(), "acme.test");
  EXPECT_EQ(path->names.size(), 2U);
}

TEST_F(Trace, GivesOneZoneWhereNothingLeadsAway) {
  const auto path = run(inspector().trace(Fqdn::literal("_acme-challenge.www.example.test")));

  ASSERT_TRUE(path) << path.error().message();
  EXPECT_EQ(path->origin, path->zone);
  EXPECT_EQ(path->record().text(), "_acme-challenge.www.example.test");
}

TEST_F(Values, AreThoseThatAnAuthorityShows) {
  const auto record = Fqdn::literal("_acme-challenge.example.test");
  world.add(record.text(), RecordType::txt, "one");
  world.add(record.text(), RecordType::txt, "two");

  const auto values = run(inspector().values(record, zone));

  ASSERT_TRUE(values) << values.error().message();
  EXPECT_THAT(*values, ElementsAre(TxtValue("one"), TxtValue("two")));
  EXPECT_FALSE(server.queries.back().recursion_desired);
}

TEST_F(Values, AreNoneWhereTheNameDoesNotExist) {
  EXPECT_THAT(run(inspector().values(Fqdn::literal("_acme-challenge.example.test"), zone)).value(),
              IsEmpty());
}

TEST_F(Values, CannotBeToldWhenNoServerAnswers) {
  script = [this](const Query& query) {
    return query.question.type == RecordType::txt
               ? std::vector<Packet>{encode_reply(query.reply(ResponseCode::refused))}
               : world(query);
  };
  const auto values = run(inspector().values(Fqdn::literal("_acme-challenge.example.test"), zone));

  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().detail, "no name server answers for _acme-challenge.example.test: " +
                                       at(server.address(), "ns1.example.test") +
                                       ", UDP): REFUSED");
}

}  // namespace
}  // namespace certherd::dns

#include "dns/live_visibility.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/scripted_server_test.hpp"
#include "runtime/random.hpp"
#include "runtime/task_group.hpp"
#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

using Query = ScriptedServer::Query;
using testing::HasSubstr;

/// One server that is both resolver and authority, as in the program's own demo.
class LiveVisibilityTest : public testing::Test {
 protected:
  LiveVisibilityTest() {
    world.add_zone("example.test", "ns1.example.test", "127.0.0.1");
    world.add_zone("acme.test", "ns1.acme.test", "127.0.0.1");
    options.servers = {server.address()};
    options.authoritative_port = server.address().port;
    options.patience = std::chrono::milliseconds(100);
  }

  template <typename T>
  T run(Task<T> task) {
    return run_beside(*loop, {&server, &other}, std::move(task));
  }

  Visibility& visibility() {
    if (!visibility_) visibility_ = make_visibility(*loop, random, options).value();
    return *visibility_;
  }

  Result<Location> locate(std::string_view name) {
    return run(visibility().locate(Fqdn::literal(name)));
  }

  Result<View> look(std::vector<TxtValue> values) {
    return run(visibility().look(place, std::move(values)));
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SeededRandom random{1};
  Authority world;
  ScriptedServer::Script script = [this](const Query& query) { return world(query); };
  ScriptedServer server{*loop, [this](const Query& query) { return script(query); }};
  ScriptedServer::Script other_script = script;
  ScriptedServer other{*loop, [this](const Query& query) { return other_script(query); }};
  ResolverOptions options;
  Location place{.record = Fqdn::literal("_acme-challenge.example.test"),
                 .zone = Fqdn::literal("example.test")};

 private:
  std::unique_ptr<Visibility> visibility_;
};

using Locate = LiveVisibilityTest;
using LookAt = LiveVisibilityTest;

TEST_F(Locate, FindsTheZoneOfANameThatDoesNotExistYet) {
  const auto location = locate("_acme-challenge.www.example.test");

  ASSERT_TRUE(location) << location.error().message();
  EXPECT_EQ(location->record.text(), "_acme-challenge.www.example.test");
  EXPECT_EQ(location->zone.text(), "example.test");
}

TEST_F(Locate, FindsTheZoneOfANameThatHasValuesAlready) {
  world.add("_acme-challenge.example.test", RecordType::txt, "foreign");
  EXPECT_EQ(locate("_acme-challenge.example.test").value(), place);
}

TEST_F(Locate, FindsAZoneThatIsTheChallengeNameItself) {
  world.add_zone("_acme-challenge.example.test", "ns1.acme.test", "127.0.0.1");
  EXPECT_EQ(locate("_acme-challenge.example.test")->zone.text(), "_acme-challenge.example.test");
}

TEST_F(Locate, FollowsCnamesIntoAnotherZone) {
  world.add("_acme-challenge.example.test", RecordType::cname, "hop.example.test");
  world.add("hop.example.test", RecordType::cname, "X1.acme.test");

  const auto location = locate("_acme-challenge.example.test");

  ASSERT_TRUE(location) << location.error().message();
  EXPECT_EQ(location->record.text(), "x1.acme.test");
  EXPECT_EQ(location->zone.text(), "acme.test");
}

TEST_F(Locate, TellsTheWholeCircleOfCnames) {
  world.add("_acme-challenge.example.test", RecordType::cname, "b.example.test");
  world.add("b.example.test", RecordType::cname, "c.acme.test");
  world.add("c.acme.test", RecordType::cname, "b.example.test");

  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(location.error().detail,
            "the CNAMEs lead in a circle: _acme-challenge.example.test -> b.example.test -> "
            "c.acme.test -> b.example.test");
}

TEST_F(Locate, EndsWhereNameServersAreOnlyNamedByEachOther) {
  // Two zones whose name servers lie in each other, and nobody tells an address.
  world.add_zone("one.test", "ns.two.test", "127.0.0.1");
  world.add_zone("two.test", "ns.one.test", "127.0.0.1");
  std::erase_if(world.records, [](const Record& each) { return each.type == RecordType::a; });

  const auto location = locate("_acme-challenge.one.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_EQ(location.error().detail, "nobody serves one.test: ns.two.test: has no address");
}

TEST_F(Locate, TellsOfAnAnswerThatIsTooLarge) {
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    const auto asked = query.question.name;
    for (int i = 0; i < 1'001; ++i) reply.answers.push_back({asked, RecordType::a, 5, "192.0.2.1"});
    if (query.transport == Transport::udp) {
      reply.answers.clear();
      reply.truncated = true;
    }
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().detail,
            fmt::format("no answer for _acme-challenge.example.test ({}: truncated over UDP, and "
                        "over TCP: unreadable reply: it has more than 1000 records)",
                        server.address().text()));
}

TEST_F(Locate, TakesNoWordOfAServerThatAnswersOtherQuestions) {
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    reply.question.name = "evil.test";
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::transient);
  EXPECT_THAT(location.error().detail, HasSubstr("timeout (reply to another question (evil.test"));
}

TEST_F(Locate, TakesNoRecordOfAnotherName) {
  // What a server adds about others does not lead the value there.
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    reply.answers.push_back({"other.test", RecordType::cname, 60, "evil.test"});
    reply.authority.push_back({"evil.test", RecordType::soa, 60, "ns.evil.test"});
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_EQ(locate("_acme-challenge.example.test").value(), place);
}

TEST_F(Locate, FollowsEightCnamesAndNoMore) {
  const auto chain = [this](int hops) {
    world.add("_acme-challenge.example.test", RecordType::cname, "h1.example.test");
    for (int i = 1; i < hops; ++i) {
      world.add(fmt::format("h{}.example.test", i), RecordType::cname,
                fmt::format("h{}.example.test", i + 1));
    }
  };
  chain(8);
  EXPECT_EQ(run(visibility().locate(place.record))->record.text(), "h8.example.test");
}

TEST_F(Locate, RefusesNineCnames) {
  world.add("_acme-challenge.example.test", RecordType::cname, "h1.example.test");
  for (int i = 1; i < 9; ++i) {
    world.add(fmt::format("h{}.example.test", i), RecordType::cname,
              fmt::format("h{}.example.test", i + 1));
  }
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(location.error().detail, HasSubstr("more than 8 CNAMEs"));
}

TEST_F(Locate, RefusesACnameToWhatIsNoName) {
  world.add("_acme-challenge.example.test", RecordType::cname, "not\\032a\\032name.test");

  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(location.error().detail, HasSubstr("the CNAME at _acme-challenge.example.test"));
}

TEST_F(Locate, ClimbsWhereAServerKeepsTheSoaFromNegativeAnswers) {
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    reply.authority.clear();
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto location = locate("_acme-challenge.a.b.example.test");

  ASSERT_TRUE(location) << location.error().message();
  EXPECT_EQ(location->zone.text(), "example.test");
}

TEST_F(Locate, NamesTheServersAndWhatTheySaidWhenNobodyServesTheZone) {
  const auto location = locate("_acme-challenge.foreign.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_EQ(location.error().detail, fmt::format("no answer for _acme-challenge.foreign.test "
                                                 "({}: REFUSED)",
                                                 server.address().text()));
}

TEST_F(Locate, TellsByWhichCnameItGotLost) {
  world.add("_acme-challenge.example.test", RecordType::cname, "x.foreign.test");

  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_THAT(location.error().detail,
              HasSubstr("(by CNAME: _acme-challenge.example.test -> x.foreign.test)"));
}

TEST_F(Locate, TellsADomainThatDoesNotExistFromANameInItsTopLevelDomain) {
  script = [](const Query& query) {
    auto reply = query.reply(ResponseCode::name_error);
    reply.authoritative = false;  // a resolver's answer
    reply.authority = {{"test", RecordType::soa, 60, "ns.test"}};
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto location = locate("_acme-challenge.www.unregistered.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_THAT(location.error().detail, HasSubstr("the domain unregistered.test does not exist"));
}

TEST_F(Locate, TellsThatTheTopLevelDomainDoesNotExist) {
  script = [](const Query& query) {
    auto reply = query.reply(ResponseCode::name_error);
    reply.authority = {{"", RecordType::soa, 60, "a.root-servers.net"}};
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto location = locate("_acme-challenge.www.nowhere");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_THAT(location.error().detail, HasSubstr("top-level domain does not exist"));
}

TEST_F(Locate, AcceptsATopLevelZoneOfItsOwnAuthority) {
  world.add_zone("lan", "ns1.lan", "127.0.0.1");
  EXPECT_EQ(locate("_acme-challenge.printer.lan")->zone.text(), "lan");
}

TEST_F(Locate, TellsThatAZoneHasNoNameServers) {
  std::erase_if(world.records, [](const Record& each) { return each.type == RecordType::ns; });

  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_THAT(location.error().detail, HasSubstr("nobody serves example.test"));
}

TEST_F(Locate, TellsThatNoneOfItsNameServersServesTheZone) {
  world.add("example.test", RecordType::ns, "ns2.example.test");
  options.overrides = {{Fqdn::literal("ns1.example.test"), other.address()},
                       {Fqdn::literal("ns2.example.test"), other.address()}};
  bool lame = false;
  other_script = [&](const Query& query) {
    auto reply = query.reply(lame ? ResponseCode::no_error : ResponseCode::refused);
    reply.authoritative = false;
    lame = !lame;
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_EQ(
      location.error().message(),
      fmt::format("locate _acme-challenge.example.test: ask the name servers of example.test: "
                  "nobody serves example.test: ns1.example.test ({0}, UDP): REFUSED; "
                  "ns2.example.test ({0}, UDP): not authoritative for it (lame delegation)",
                  other.address().text()));
}

TEST_F(Locate, IsTransientWhileANameServerThatMayServeTheZoneIsSilent) {
  options.overrides = {{Fqdn::literal("ns1.example.test"), other.address()}};
  other_script = [](const Query&) { return std::vector<Packet>(); };

  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::transient);
  EXPECT_EQ(location.error().detail,
            fmt::format("nobody serves example.test: ns1.example.test ({}, UDP): timeout",
                        other.address().text()));
}

TEST_F(Locate, IsContentWithOneNameServerThatServesTheZone) {
  world.add("example.test", RecordType::ns, "ns2.example.test");
  options.overrides = {{Fqdn::literal("ns2.example.test"), other.address()}};
  other_script = [](const Query&) { return std::vector<Packet>(); };

  EXPECT_TRUE(locate("_acme-challenge.example.test"));
}

TEST_F(Locate, AsksForNoNameServersWhereTheyAreNotLookedAt) {
  options.check = ResolverOptions::Check::off;
  EXPECT_TRUE(locate("_acme-challenge.example.test"));
  EXPECT_EQ(server.count("example.test", RecordType::ns), 0U);
}

TEST_F(Locate, IsTransientWhileTheResolverIsSilent) {
  script = [](const Query&) { return std::vector<Packet>(); };
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::transient);
  EXPECT_THAT(location.error().detail, HasSubstr("timeout"));
}

Task<void> locate_into(Visibility* visibility, Fqdn name, std::size_t* found) {
  const auto location = co_await visibility->locate(std::move(name));
  *found += location ? 1 : 0;
}

Task<std::size_t> locate_many(Visibility* visibility, int count) {
  std::size_t found = 0;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < count; ++i) {
    auto name = Fqdn::literal(fmt::format("_acme-challenge.n{}.example.test", i));
    tasks.push_back(locate_into(visibility, std::move(name), &found));
  }
  co_await runtime::together(std::move(tasks));
  co_return found;
}

TEST_F(Locate, SharesOneLookUpOfTheDelegationAmongThousandsOfNames) {
  options.patience = std::chrono::seconds(5);  // for a loaded machine

  EXPECT_EQ(run(locate_many(&visibility(), 2'000)), 2'000U);
  EXPECT_EQ(server.count("example.test", RecordType::ns), 1U);
  EXPECT_EQ(server.count("ns1.example.test", RecordType::a), 1U);
  EXPECT_EQ(server.count("example.test", RecordType::soa), 1U);
}

TEST_F(LookAt, SeesAllValuesByUdpAndTcp) {
  world.add("_acme-challenge.example.test", RecordType::txt, "one");
  world.add("_acme-challenge.example.test", RecordType::txt, "two");

  const auto view = look({TxtValue("one"), TxtValue("two")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(view->everywhere) << view->missing();
  ASSERT_EQ(view->sightings.size(), 2U);
  EXPECT_EQ(view->sightings[0].server,
            fmt::format("ns1.example.test ({}, UDP)", server.address().text()));
  EXPECT_EQ(view->sightings[1].server,
            fmt::format("ns1.example.test ({}, TCP)", server.address().text()));
  EXPECT_FALSE(server.queries.back().recursion_desired);
}

TEST_F(LookAt, TellsWhichServerDoesNotShowAValueYet) {
  world.add("example.test", RecordType::ns, "ns2.example.test");
  options.overrides = {{Fqdn::literal("ns2.example.test"), other.address()}};
  other_script = [before = world](const Query& query) { return before(query); };
  world.add("_acme-challenge.example.test", RecordType::txt, "one");

  const auto view = look({TxtValue("one")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_FALSE(view->everywhere);
  EXPECT_EQ(view->missing(), fmt::format("ns2.example.test ({0}, UDP): no TXT record (NXDOMAIN); "
                                         "ns2.example.test ({0}, TCP): no TXT record (NXDOMAIN)",
                                         other.address().text()));
}

TEST_F(LookAt, WantsTheAnswerOverTcpToo) {
  world.add("_acme-challenge.example.test", RecordType::txt, "one");
  script = [this](const Query& query) {
    return query.transport == Transport::tcp ? std::vector<Packet>() : world(query);
  };
  const auto view = look({TxtValue("one")});

  EXPECT_FALSE(view->everywhere);
  EXPECT_THAT(view->missing(), HasSubstr("TCP): timeout"));
}

TEST_F(LookAt, TellsOfALameServer) {
  world.add("_acme-challenge.example.test", RecordType::txt, "one");
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    reply.authoritative = false;
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_THAT(look({TxtValue("one")})->missing(), HasSubstr("lame delegation"));
}

TEST_F(LookAt, TellsAServersFailure) {
  script = [this](const Query& query) {
    return query.question.type == RecordType::txt
               ? std::vector<Packet>{encode_reply(query.reply(ResponseCode::server_failure))}
               : world(query);
  };
  EXPECT_THAT(look({TxtValue("one")})->missing(), HasSubstr("UDP): SERVFAIL"));
}

TEST_F(LookAt, DoesNotCountANameServerThatSurelyHasNoAddress) {
  world.add("example.test", RecordType::ns, "gone.example.test");
  world.add("_acme-challenge.example.test", RecordType::txt, "one");

  const auto view = look({TxtValue("one")});

  EXPECT_TRUE(view->everywhere);
  EXPECT_EQ(view->missing(), "gone.example.test: has no address");
}

TEST_F(LookAt, CountsANameServerWhoseAddressCouldNotBeFound) {
  world.add("example.test", RecordType::ns, "ns.elsewhere.test");
  world.add("_acme-challenge.example.test", RecordType::txt, "one");

  const auto view = look({TxtValue("one")});

  EXPECT_FALSE(view->everywhere);
  EXPECT_THAT(view->missing(), HasSubstr("ns.elsewhere.test: no answer"));
}

TEST_F(LookAt, TakesAddressesFromBesideTheNameServersWhereNobodyElseTellsThem) {
  std::erase_if(world.records, [](const Record& each) { return each.type == RecordType::ns; });
  world.add("example.test", RecordType::ns, "ns.elsewhere.test");
  world.add("_acme-challenge.example.test", RecordType::txt, "one");
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    reply.additional = {{"ns.elsewhere.test", RecordType::a, 60, "127.0.0.1"}};
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_TRUE(look({TxtValue("one")})->everywhere);
}

TEST_F(LookAt, TellsButDoesNotCountAnUnroutableIpv6AddressOfAServerThatAnswers) {
  // 2001:db8::/32 is for documentation; where a default route leads it into the void, the
  // question times out instead and the address counts.
  world.add("ns1.example.test", RecordType::aaaa, "2001:db8::1");
  world.add("_acme-challenge.example.test", RecordType::txt, "one");
  Querier querier(*loop, random);
  const bool routed = querier.has_route({.address = "2001:db8::1", .port = 53});

  const auto view = look({TxtValue("one")});

  EXPECT_EQ(view->everywhere, !routed);
  EXPECT_THAT(view->missing(), HasSubstr(routed ? "timeout" : "UDP): network unreachable"));
}

TEST_F(LookAt, CountsAnUnroutableIpv6AddressThatIsTheOnlyOne) {
  std::erase_if(world.records, [](const Record& each) { return each.type == RecordType::a; });
  world.add("ns1.example.test", RecordType::aaaa, "2001:db8::1");

  EXPECT_FALSE(look({TxtValue("one")})->everywhere);
}

TEST_F(LookAt, AsksTheResolversInsteadWhereThatIsConfigured) {
  options.check = ResolverOptions::Check::resolver;
  options.servers = {server.address(), other.address()};
  world.add("_acme-challenge.example.test", RecordType::txt, "one");

  const auto view = look({TxtValue("one")});

  EXPECT_TRUE(view->everywhere) << view->missing();
  EXPECT_EQ(view->sightings.size(), 2U);
  EXPECT_TRUE(other.queries.at(0).recursion_desired);
}

TEST_F(LookAt, AsksNobodyWhenChecksAreOff) {
  options.check = ResolverOptions::Check::off;
  EXPECT_TRUE(look({TxtValue("one")})->everywhere);
  EXPECT_TRUE(server.queries.empty());
}

Task<Result<View>> look_twice(Visibility* visibility, Location place) {
  auto first = co_await visibility->look(place, {});
  if (!first) co_return first;
  co_return co_await visibility->look(place, {});
}

TEST_F(LookAt, KeepsTheDelegationBetweenLooks) {
  ASSERT_TRUE(run(look_twice(&visibility(), place)));
  EXPECT_EQ(server.count("example.test", RecordType::ns), 1U);
  EXPECT_EQ(server.count(place.record.text(), RecordType::txt), 4U);
}

TEST_F(LookAt, IsTransientWhenTheServersCannotEvenBeFound) {
  script = [](const Query& query) {
    return std::vector<Packet>{encode_reply(query.reply(ResponseCode::server_failure))};
  };
  const auto view = look({TxtValue("one")});

  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind, Error::Kind::transient);
  EXPECT_THAT(view.error().detail, HasSubstr("SERVFAIL"));
}

}  // namespace
}  // namespace certherd::dns

#include "dns/route53/route53.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "fakes/route53_stage.hpp"
#include "runtime/task_group.hpp"

namespace certherd {
namespace {

using dns::ChangeState;
using dns::TxtChange;
using dns::Zone;
using Fault = sim::ScriptedRoute53::Fault;
using Kind = Error::Kind;
using Texts = std::vector<std::string>;

TxtChange ensuring(std::string_view name, const std::string& value) {
  return {TxtChange::Action::ensure, Fqdn::literal(name), TxtValue(value)};
}
TxtChange removing(std::string_view name, const std::string& value) {
  return {TxtChange::Action::remove, Fqdn::literal(name), TxtValue(value)};
}

class Route53Test : public testing::Test {
 protected:
  Result<Ticket> apply(std::vector<TxtChange> changes) { return apply(zone, std::move(changes)); }
  Result<Ticket> apply(const Zone& into, std::vector<TxtChange> changes) {
    return stage.loop->run(stage.provider->apply(into, std::move(changes)));
  }
  Result<Zone> find(std::string_view name) {
    return stage.loop->run(stage.provider->find_zone(Fqdn::literal(name)));
  }
  Result<ChangeState> state(const Ticket& ticket) {
    return stage.loop->run(stage.provider->state(ticket));
  }
  void pass(Duration time) { stage.loop->run(stage.loop->clock().sleep_for(time)); }
  void put(const std::string& name, Texts texts, std::uint32_t ttl = 300) {
    stage.server.zones().put(
        "Z1", {.name = name + ".", .type = "TXT", .ttl = ttl, .values = std::move(texts)});
  }
  std::optional<Texts> texts(std::string_view name) { return stage.texts(zone, name); }
  std::size_t calls(const std::string& operation) { return server.count(operation); }

  fakes::Route53Stage stage;
  sim::ScriptedRoute53& server = stage.server;
  Zone zone = stage.add_zone("Z1", "example.com");
  const std::string a = "_acme-challenge.a.example.com";
  const std::string b = "_acme-challenge.b.example.com";
};

TEST_F(Route53Test, SendsOneRequestForABatchAndLooksAtNothingBefore) {
  const auto ticket = apply({ensuring(a, "one"), ensuring(a, "two"), ensuring(b, "three")});
  ASSERT_TRUE(ticket) << ticket.error().message();
  EXPECT_EQ(server.calls().size(), 1);
  EXPECT_EQ(texts(a), (Texts{"\"one\"", "\"two\""}));
  EXPECT_EQ(server.zones().set("Z1", a + ".", "TXT")->ttl, 60);

  EXPECT_TRUE(
      apply({removing(a, "two"), removing(a, "one"), ensuring(b, "four"), removing(b, "three")}));
  EXPECT_EQ(server.calls().size(), 2);
  EXPECT_EQ(texts(a), std::nullopt);
  EXPECT_EQ(texts(b), Texts{"\"four\""});
}

TEST_F(Route53Test, KeepsValuesOfOthersWithTheirTtl) {
  put(a, {"\"theirs\"", R"("with \"quotes\"" "in two")"}, 3600);
  ASSERT_TRUE(apply({ensuring(a, "ours"), ensuring(b, "alone")}));
  EXPECT_EQ(texts(a), (Texts{"\"theirs\"", R"("with \"quotes\"" "in two")", "\"ours\""}));
  EXPECT_EQ(server.zones().set("Z1", a + ".", "TXT")->ttl, 3600);
  EXPECT_EQ(texts(b), Texts{"\"alone\""});
  EXPECT_EQ(calls("ListResourceRecordSets"), 1);  // only of the name that was refused

  ASSERT_TRUE(apply({removing(a, "ours"), removing(b, "alone")}));
  EXPECT_EQ(texts(a), (Texts{"\"theirs\"", R"("with \"quotes\"" "in two")"}));
  EXPECT_EQ(server.zones().set("Z1", a + ".", "TXT")->ttl, 3600);
  EXPECT_EQ(texts(b), std::nullopt);
}

TEST_F(Route53Test, ReadsManyRefusedNamesByThePage) {
  std::vector<TxtChange> changes;
  for (int i = 0; i < 40; ++i) {
    const auto name = fmt::format("_acme-challenge.n{}.example.com", i);
    put(name, {"\"theirs\""});
    changes.push_back(ensuring(name, "ours"));
  }
  ASSERT_TRUE(apply(changes));
  EXPECT_EQ(server.calls().size(), 3);
  EXPECT_EQ(texts("_acme-challenge.n39.example.com"), (Texts{"\"theirs\"", "\"ours\""}));
}

TEST_F(Route53Test, TakesWhatIsGoneAlreadyForDone) {
  put(b, {"\"theirs\""});
  const auto ticket = apply({removing(a, "one"), removing(b, "two")});
  ASSERT_TRUE(ticket) << ticket.error().message();
  EXPECT_EQ(state(*ticket), ChangeState::in_sync);
  EXPECT_EQ(calls("ChangeResourceRecordSets"), 1);
  EXPECT_EQ(calls("GetChange"), 0);
  EXPECT_EQ(texts(b), Texts{"\"theirs\""});
}

// Only a change has a state: what stands already may still be on its way to the name servers.
TEST_F(Route53Test, IsNotInSyncBeforeTheChangeWhoseReplyWasLost) {
  server.options().least_to_in_sync = std::chrono::seconds(60);
  server.options().most_to_in_sync = std::chrono::seconds(60);
  put(b, {"\"theirs\""});
  server.fail("ChangeResourceRecordSets", 1, {.kind = Fault::Kind::lost_reply});
  const auto first = stage.loop->clock().now();
  const auto ticket = apply({ensuring(a, "one")});
  ASSERT_TRUE(ticket) << ticket.error().message();
  EXPECT_EQ(texts(a), Texts{"\"one\""});
  EXPECT_EQ(state(*ticket), ChangeState::pending);
  ASSERT_TRUE(server.in_sync_at(*ticket));
  EXPECT_GE(*server.in_sync_at(*ticket), first + std::chrono::seconds(60));
  pass(std::chrono::seconds(61));
  EXPECT_EQ(state(*ticket), ChangeState::in_sync);
}

TEST_F(Route53Test, FindsARemovalDoneWhoseReplyWasLost) {
  ASSERT_TRUE(apply({ensuring(a, "one")}));
  server.fail("ChangeResourceRecordSets", 1, {.kind = Fault::Kind::lost_reply});
  const auto ticket = apply({removing(a, "one")});
  ASSERT_TRUE(ticket) << ticket.error().message();
  EXPECT_EQ(texts(a), std::nullopt);
}

TEST_F(Route53Test, AnAnswerThatIsCutOffIsTransientAndMayBeRepeated) {
  server.fail("ChangeResourceRecordSets", 1, {.kind = Fault::Kind::cut_off});
  const auto cut = apply({ensuring(a, "one")});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, Kind::transient);
  EXPECT_NE(cut.error().detail.find("cut off"), std::string::npos);
  EXPECT_TRUE(apply({ensuring(a, "one")}));
  EXPECT_EQ(texts(a), Texts{"\"one\""});

  server.fail("ListHostedZonesByName", 1, {.kind = Fault::Kind::cut_off});
  EXPECT_EQ(find("example.com").error().kind, Kind::transient);
  EXPECT_TRUE(find("example.com"));
}

TEST_F(Route53Test, TriesAgainAfter503AndThrottling) {
  server.fail("ChangeResourceRecordSets", 1, {.status = 503, .code = ""});
  server.fail("ChangeResourceRecordSets", 2,
              {.status = 400, .code = "Throttling", .message = "Rate exceeded"});
  EXPECT_TRUE(apply({ensuring(a, "one")}));
  EXPECT_EQ(calls("ChangeResourceRecordSets"), 3);
}

TEST_F(Route53Test, SaysWhenItIsThrottledForLong) {
  for (std::size_t nth = 1; nth <= 3; ++nth) {
    server.fail("ChangeResourceRecordSets", nth,
                {.status = 400, .code = "Throttling", .message = "Rate exceeded"});
  }
  const auto throttled = apply({ensuring(a, "one")});
  ASSERT_FALSE(throttled);
  EXPECT_EQ(throttled.error().kind, Kind::throttled);
  EXPECT_TRUE(throttled.error().retry_at);
}

TEST_F(Route53Test, LeavesAZoneAloneThatIsNotDoneWithAnEarlierRequest) {
  server.options().refuse_while_pending = true;
  ASSERT_TRUE(apply({ensuring(a, "one")}));
  const auto refused = apply({ensuring(b, "two")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::throttled);
  EXPECT_EQ(calls("ChangeResourceRecordSets"), 2);  // not tried again in there
  pass(std::chrono::seconds(91));
  EXPECT_TRUE(apply({ensuring(b, "two")}));
}

TEST_F(Route53Test, BlamesEachChangeOfANameThatIsRefusedForGoodAndAppliesNone) {
  server.zones().put("Z1", {.name = b + ".", .type = "CNAME", .values = {"elsewhere.example."}});
  put(a, {"\"theirs\""});
  const auto refused = apply({ensuring(a, "good"), ensuring(b, "one"), ensuring(b, "two"),
                              ensuring("_acme-challenge.stranger.example", "three")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected);
  EXPECT_EQ(refused.error().detail,
            "2 of 3 names in the batch are refused, so that nothing of it was changed");
  std::vector<std::string> blamed;
  for (const auto& cause : refused.error().causes) {
    EXPECT_EQ(cause.kind, Kind::rejected);
    blamed.push_back(cause.op);
  }
  EXPECT_EQ(blamed, (Texts{"one", "two", "three"}));
  EXPECT_NE(refused.error().causes[0].detail.find("CNAME"), std::string::npos);
  EXPECT_NE(refused.error().causes[2].detail.find("zone_id"), std::string::npos);
  EXPECT_EQ(server.calls().size(), 1);
  EXPECT_EQ(texts(a), Texts{"\"theirs\""});
}

TEST_F(Route53Test, LeavesSetsWithARoutingPolicyAlone) {
  server.zones().put(
      "Z1", {.name = a + ".", .type = "TXT", .identifier = "eu", .values = {"\"theirs\""}});
  const auto refused = apply({ensuring(a, "ours"), ensuring(b, "fine")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected);
  ASSERT_EQ(refused.error().causes.size(), 1);
  EXPECT_EQ(refused.error().causes[0].op, "ours");
  EXPECT_NE(refused.error().causes[0].detail.find("routing policy"), std::string::npos);
}

TEST_F(Route53Test, BlamesANameThatIsRefusedAgainThoughNobodyChangedIt) {
  Texts many;
  for (int i = 0; i < 400; ++i) many.push_back(fmt::format("\"{}\"", i));
  put(a, many);
  const auto refused = apply({ensuring(a, "one too many"), ensuring(b, "fine")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected);
  ASSERT_EQ(refused.error().causes.size(), 1);
  EXPECT_EQ(refused.error().causes[0].op, "one too many");
  EXPECT_NE(refused.error().causes[0].detail.find("401 values"), std::string::npos);
  EXPECT_EQ(texts(b), std::nullopt);
}

TEST_F(Route53Test, BlamesNobodyWhereNoMessageNamesAName) {
  server.fail("ChangeResourceRecordSets", 1,
              {.status = 400, .code = "InvalidInput", .message = "Invalid Resource Record"});
  const auto refused = apply({ensuring(a, "one"), ensuring(b, "two")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected);
  EXPECT_TRUE(refused.error().causes.empty());
}

TEST_F(Route53Test, BlamesAdditionsAloneForAQuota) {
  server.fail("ChangeResourceRecordSets", 1,
              {.status = 400, .code = "LimitsExceeded", .message = "10,000 records"});
  const auto refused = apply({ensuring(a, "one"), removing(b, "two")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected);
  ASSERT_EQ(refused.error().causes.size(), 1);
  EXPECT_EQ(refused.error().causes[0].op, "one");
  EXPECT_NE(refused.error().causes[0].detail.find("raise that quota"), std::string::npos);
}

TEST_F(Route53Test, ReadsAgainWhereOthersWriteInBetween) {
  put(a, {"\"theirs\""});
  int writes = 0;
  server.set_interference([&] {
    if (++writes == 2) put(a, {"\"theirs\"", "\"more\""});
  });
  ASSERT_TRUE(apply({ensuring(a, "ours")}));
  EXPECT_EQ(texts(a), (Texts{"\"theirs\"", "\"more\"", "\"ours\""}));
}

TEST_F(Route53Test, LooksAtAllNamesWhenRefusalsNameOnlyOneEach) {
  std::vector<TxtChange> changes;
  for (int i = 0; i < 20; ++i) {
    const auto name = fmt::format("_acme-challenge.n{}.example.com", i);
    put(name, {"\"theirs\""});
    changes.push_back(ensuring(name, "ours"));
    if (i >= 2) continue;
    server.fail("ChangeResourceRecordSets", static_cast<std::size_t>(i) + 1,
                {.status = 400,
                 .code = "InvalidChangeBatch",
                 .message = fmt::format("[name='{}', type='TXT'] but it already exists", name)});
  }
  ASSERT_TRUE(apply(changes));
  EXPECT_EQ(calls("ChangeResourceRecordSets"), 3);
  EXPECT_EQ(calls("ListResourceRecordSets"), 2);
  EXPECT_EQ(texts("_acme-challenge.n19.example.com"), (Texts{"\"theirs\"", "\"ours\""}));
}

TEST_F(Route53Test, GivesUpWhereOthersNeverStopWriting) {
  int writes = 0;
  server.set_interference([&] { put(a, {fmt::format("\"{}\"", ++writes)}); });
  const auto given_up = apply({ensuring(a, "ours")});
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().kind, Kind::transient);
  EXPECT_NE(given_up.error().detail.find(a), std::string::npos);
  EXPECT_EQ(calls("ChangeResourceRecordSets"), 4);
}

TEST_F(Route53Test, SendsNoBatchThatIsTooLargeWithWhatStandsThere) {
  Texts many;
  for (int i = 0; i < 100; ++i) many.push_back(fmt::format("\"{:x<250}\"", i));
  put(a, many);
  put(b, many);
  const auto both = apply({ensuring(a, "one"), ensuring(b, "two")});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().kind, Kind::rejected);
  EXPECT_TRUE(both.error().causes.empty());
  const auto alone = apply({ensuring(a, "one")});
  ASSERT_FALSE(alone);
  ASSERT_EQ(alone.error().causes.size(), 1);
  EXPECT_EQ(alone.error().causes[0].op, "one");
  EXPECT_EQ(texts(a), many);
}

TEST_F(Route53Test, WritesAtOddNames) {
  ASSERT_TRUE(apply({ensuring("*.example.com", "one")}));
  EXPECT_EQ(texts("\\052.example.com"), Texts{"\"one\""});
  ASSERT_TRUE(apply({ensuring("*.example.com", "two")}));  // is refused, and found in the message
  EXPECT_EQ(texts("\\052.example.com"), (Texts{"\"one\"", "\"two\""}));
  const auto listed = stage.loop->run(stage.provider->list(zone, Fqdn::literal("*.example.com")));
  EXPECT_EQ(listed, (std::vector{TxtValue("one"), TxtValue("two")}));
}

TEST_F(Route53Test, KnowsNoChangeOfAnotherTime) {
  const auto unknown = state(Ticket("C-unknown"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, Kind::not_found);
  EXPECT_EQ(state(Ticket()), ChangeState::in_sync);
}

TEST_F(Route53Test, NeverTakesAPrivateZone) {
  stage.add_zone("Z2", "in.example.com", true);
  stage.add_zone("Z3", "example.com", true);
  EXPECT_EQ(find("x.in.example.com"), zone);
  const auto zones = stage.loop->run(stage.provider->zones());
  EXPECT_EQ(zones, std::vector{zone});
}

TEST_F(Route53Test, TellsTwinsApartByTheDelegation) {
  const auto twin = stage.add_zone("Z2", "example.com");
  EXPECT_EQ(find("a.example.com"), zone);
  EXPECT_EQ(find("b.example.com"), zone);
  EXPECT_EQ(calls("GetHostedZone"), 2);  // once for both names

  auto& delegation = stage.delegations[zone.name];
  delegation.clear();
  for (const auto* server :
       {"NS-Z2.awsdns.net", "ns-z2.awsdns.co.uk", "ns-z2.awsdns.org", "ns-z2.awsdns.com"}) {
    delegation.push_back(Fqdn::literal(server));
  }
  pass(std::chrono::minutes(6));
  EXPECT_EQ(find("a.example.com"), twin);
}

TEST_F(Route53Test, NamesTheTwinsThatItCannotTellApart) {
  stage.add_zone("Z2", "example.com");
  for (const bool delegated : {true, false}) {
    if (delegated) stage.delegations[zone.name] = {Fqdn::literal("ns1.other.example")};
    if (!delegated) stage.delegations.clear();
    const auto none = find("a.example.com");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Kind::misconfigured);
    for (const auto* words : {"Z1 has ns-z1.awsdns.co.uk, ", "Z2 has ns-z2.awsdns.co.uk, ",
                              delegated ? "to ns1.other.example" : "to nobody", "zone_id"}) {
      EXPECT_NE(none.error().detail.find(words), std::string::npos) << none.error().detail;
    }
  }
}

TEST_F(Route53Test, LooksForAZoneAnewThatIsGone) {
  EXPECT_EQ(find("a.example.com"), zone);
  server.zones().remove("Z1");
  const auto moved = stage.add_zone("Z2", "example.com");
  EXPECT_EQ(find("a.example.com"), zone);
  EXPECT_EQ(apply({ensuring(a, "one")}).error().kind, Kind::not_found);
  EXPECT_EQ(find("a.example.com"), moved);
}

class Route53Account : public testing::Test {
 protected:
  Task<void> find(Fqdn name, std::string id) {
    const auto zone = co_await stage.provider->find_zone(std::move(name));
    EXPECT_TRUE(zone) << zone.error().message();
    if (zone) EXPECT_EQ(zone->id, ZoneId(id));
  }
  void add_zones(int count) {
    for (int i = 0; i < count; ++i) {
      stage.add_zone(fmt::format("Z{}", i), fmt::format("n{}.example", i));
    }
  }
  Task<void> join() { co_await group.join(); }

  fakes::Route53Stage stage;
  runtime::TaskGroup group{*stage.loop};
};

TEST_F(Route53Account, Of500ZonesIsReadOnceFor500Names) {
  add_zones(500);
  for (int i = 0; i < 500; ++i) {
    group.spawn(
        find(Fqdn::literal(fmt::format("_acme-challenge.n{}.example", i)), fmt::format("Z{}", i)));
  }
  stage.loop->run(join());
  EXPECT_LE(stage.server.calls().size(), 6);
}

TEST_F(Route53Account, Of500ZonesIsReadOnceAlsoNameByName) {
  add_zones(500);
  for (int i = 0; i < 500; ++i) {
    const int other = i * 263 % 500;
    stage.loop->run(find(Fqdn::literal(fmt::format("_acme-challenge.n{}.example", other)),
                         fmt::format("Z{}", other)));
  }
  EXPECT_LE(stage.server.calls().size(), 12);
}

TEST_F(Route53Account, OfManyZonesTakesTwoCallsForOneName) {
  add_zones(3000);
  stage.loop->run(find(Fqdn::literal("_acme-challenge.a.n1777.example"), "Z1777"));
  EXPECT_LE(stage.server.calls().size(), 3);
}

TEST_F(Route53Account, WithMoreTwinsThanAPageHoldsIsReadToTheirEnd) {
  stage.add_zone("Y", "a.example");
  for (int i = 0; i < 130; ++i) stage.add_zone(fmt::format("P{:03}", i), "b.example", true);
  stage.add_zone("Z", "b.example");
  for (int i = 0; i < 100; ++i)
    stage.add_zone(fmt::format("X{:03}", i), fmt::format("c{}.example", i));
  stage.loop->run(find(Fqdn::literal("www.b.example"), "Z"));
}

class Route53Order : public Route53Account {
 protected:
  Task<void> apply(Zone zone, TxtChange change) {
    std::vector<TxtChange> changes{std::move(change)};
    EXPECT_TRUE(co_await stage.provider->apply(std::move(zone), std::move(changes)));
  }
  Task<void> look(Ticket ticket) { EXPECT_TRUE(co_await stage.provider->state(std::move(ticket))); }
};

TEST_F(Route53Order, GoesByTheUrgencyOfTheCallsAndTheAccountsAllowance) {
  std::vector<Zone> zones;
  for (int i = 0; i < 12; ++i) {
    zones.push_back(stage.add_zone(fmt::format("Z{}", i), fmt::format("n{}.example", i)));
  }
  const auto name = [](int i) { return fmt::format("_acme-challenge.n{}.example", i); };
  for (int i = 0; i < 4; ++i) {
    stage.loop->run(apply(zones[static_cast<std::size_t>(i)], ensuring(name(i), "old")));
  }
  const Ticket ticket("C0000000000001");
  const auto before = stage.server.calls().size();
  for (int i = 0; i < 4; ++i) {
    const auto place = static_cast<std::size_t>(i);
    group.spawn(apply(zones[place], removing(name(i), "old")));
    group.spawn(apply(zones[4 + place], ensuring(name(4 + i), "new")));
    group.spawn(look(ticket));
  }
  stage.loop->run(join());

  std::string order;
  for (std::size_t i = before; i < stage.server.calls().size(); ++i) {
    const auto& call = stage.server.calls()[i];
    order += call.changes.empty() ? 'l' : call.changes[0].action == "CREATE" ? 'b' : 't';
  }
  EXPECT_EQ(order, "llllbbbbtttt");
  EXPECT_EQ(stage.server.refused("Throttling"), 0);
  const auto& taken = stage.budget.taken();
  EXPECT_EQ(taken.at("route53/123456789012"), stage.server.calls().size());
  EXPECT_EQ(taken.at("route53-changes/123456789012"), 12);
}

TEST_F(Route53Account, IsKnownByItsAccessKeyWhereStsDoesNotTellItsNumber) {
  stage.server.options().account = "";
  add_zones(1);
  stage.loop->run(find(Fqdn::literal("n0.example"), "Z0"));
  EXPECT_EQ(stage.budget.taken().count("route53/AKIDEXAMPLE"), 1);
  const auto asked = stage.server.sts_calls();
  stage.loop->run(stage.loop->clock().sleep_for(std::chrono::minutes(30)));
  stage.loop->run(find(Fqdn::literal("n0.example"), "Z0"));
  EXPECT_EQ(stage.server.sts_calls(), asked);

  stage.server.options().account = "123456789012";
  stage.loop->run(stage.loop->clock().sleep_for(std::chrono::minutes(31)));
  stage.loop->run(find(Fqdn::literal("n0.example"), "Z0"));
  EXPECT_EQ(stage.budget.taken().count("route53/123456789012"), 1);
}

TEST_F(Route53Account, IsCheckedByOneCallThatChangesNothing) {
  EXPECT_TRUE(stage.loop->run(stage.provider->check()));
  EXPECT_EQ(stage.server.calls().size(), 1);
  stage.server.fail("ListHostedZonesByName", 1,
                    {.status = 403, .code = "AccessDenied", .message = "not authorized"});
  EXPECT_EQ(stage.loop->run(stage.provider->check()).error().kind, Kind::denied);
}

TEST_F(Route53Account, ListsMorePublicZonesThanAPageHolds) {
  add_zones(250);
  stage.add_zone("Q", "private.example", true);
  const auto zones = stage.loop->run(stage.provider->zones());
  ASSERT_TRUE(zones) << zones.error().message();
  EXPECT_EQ(zones->size(), 250);
  EXPECT_TRUE(std::ranges::is_sorted(*zones, {}, &Zone::name));
  EXPECT_EQ(stage.server.count("ListHostedZones"), 3);
}

}  // namespace
}  // namespace certherd

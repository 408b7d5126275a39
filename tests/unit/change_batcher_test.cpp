#include "dns/change_batcher.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "fakes/fake_ledger.hpp"
#include "runtime/task_group.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/fake_dns_provider.hpp"
#include "sim/program_loop.hpp"

namespace certherd {
namespace {

using dns::ChangeBatcher;
using dns::TxtChange;
using dns::Zone;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time start = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23));

Zone zone_named(std::string_view name) {
  return {.id = ZoneId(fmt::format("Z-{}", name)), .name = Fqdn::literal(name)};
}

const Zone zone_a = zone_named("a.example");
const Zone zone_b = zone_named("b.example");
const Zone zone_c = zone_named("c.example");

TxtRecord record(const Zone& zone, int number, int issuance = 1) {
  return {.dns = DnsName("fake"),
          .zone = zone.id,
          .name = Fqdn::literal(fmt::format("_acme-challenge.n{}.{}", number, zone.name)),
          .value = TxtValue(fmt::format("{:_>43}", number)),  // as long as a real one
          .issuance = IssuanceId(issuance)};
}

std::vector<TxtRecord> records(const Zone& zone, int first, int count, int issuance = 1) {
  std::vector<TxtRecord> all;
  for (int i = 0; i < count; ++i) all.push_back(record(zone, first + i, issuance));
  return all;
}

Error error_of(Error::Kind kind, std::string detail = "as the test wants it") {
  Error error;
  error.kind = kind;
  error.op = "apply";
  error.detail = std::move(detail);
  return error;
}

struct Call {
  std::optional<Result<Ticket>> result;
  bool cancelled = false;
};

Task<void> ensure_into(ChangeBatcher* batcher, Zone zone, std::vector<TxtRecord> wanted,
                       Call* call) {
  try {
    call->result = co_await batcher->ensure(std::move(zone), std::move(wanted));
  } catch (const boost::system::system_error&) {
    call->cancelled = true;
  }
}

Task<void> do_at(runtime::Clock* clock, Time when, std::function<void()> deed) {
  co_await clock->sleep_until(when);
  deed();
}

Task<void> stop_at(runtime::Clock* clock, Time when, ChangeBatcher* batcher) {
  co_await clock->sleep_until(when);
  co_await batcher->stop();
}

Task<void> sweep_into(ChangeBatcher* batcher, std::optional<Status>* status) {
  *status = co_await batcher->sweep();
}

Task<void> sweep_in_passing_into(ChangeBatcher* batcher, std::optional<Status>* status) {
  *status = co_await batcher->sweep_in_passing();
}

class Batcher : public testing::Test {
 protected:
  ~Batcher() override { loop->run(batcher.stop()); }

  Call* begin_ensure(const Zone& zone, std::vector<TxtRecord> wanted) {
    auto* call = &calls.emplace_back();
    group.spawn(ensure_into(&batcher, zone, std::move(wanted), call));
    return call;
  }
  void begin_sweep() { group.spawn(sweep_into(&batcher, &swept)); }
  void finish() { loop->run(group.join()); }
  void after(Duration delay, std::function<void()> deed) {
    group.spawn(do_at(&loop->clock(), loop->clock().now() + delay, std::move(deed)));
  }

  Result<Ticket> ensure(const Zone& zone, std::vector<TxtRecord> wanted) {
    const auto* call = begin_ensure(zone, std::move(wanted));
    finish();
    return *call->result;
  }
  Status sweep() {
    begin_sweep();
    finish();
    return *swept;
  }

  std::vector<Duration> gaps() const {
    std::vector<Duration> result;
    const auto& made = provider.apply_calls();
    for (std::size_t i = 1; i < made.size(); ++i) {
      result.push_back(made[i].at - made[i - 1].answered);
    }
    return result;
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(start);
  sim::FakeDnsProvider provider{loop->clock(), {zone_a, zone_b, zone_c}};
  fakes::FakeLedger ledger{loop->clock()};
  ChangeBatcher batcher{*loop, provider, ledger, {.dns = DnsName("fake"), .late = minutes(10)}};
  runtime::TaskGroup group{*loop};
  std::list<Call> calls;
  std::optional<Status> swept;
};

TEST_F(Batcher, GathersTheChangesOfManyCallersIntoOneRequest) {
  std::vector<Call*> made;
  for (int i = 0; i < 50; ++i) made.push_back(begin_ensure(zone_a, records(zone_a, 2 * i, 2)));
  finish();

  ASSERT_EQ(provider.apply_calls().size(), 1);
  EXPECT_EQ(provider.value_count(), 100);
  for (const auto* call : made) EXPECT_EQ(**call->result, Ticket("C1"));
}

TEST_F(Batcher, WaitsForCompanyNoLongerThanTheGatheringTime) {
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 1)));
  EXPECT_EQ(provider.apply_calls()[0].at, start + milliseconds(20));
}

TEST_F(Batcher, PacksAThousandRecordsUpToTheProvidersLimits) {
  provider.set_limits({.changes = 300, .value_octets = 16'000});
  for (int i = 0; i < 100; ++i) begin_ensure(zone_a, records(zone_a, 10 * i, 10));
  finish();

  EXPECT_EQ(provider.apply_calls().size(), 4);
  EXPECT_EQ(provider.value_count(), 1000);
}

TEST_F(Batcher, KeepsToTheLimitOfOctets) {
  provider.set_limits({.changes = 500, .value_octets = 4300});  // 100 values of 43 octets
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 250)));

  ASSERT_EQ(provider.apply_calls().size(), 3);
  EXPECT_EQ(provider.apply_calls()[0].changes.size(), 100);
}

TEST_F(Batcher, KeepsTheChangesOfOneCallTogether) {
  provider.set_limits({.changes = 10, .value_octets = 16'000});
  const auto* first = begin_ensure(zone_a, records(zone_a, 0, 6));
  const auto* second = begin_ensure(zone_a, records(zone_a, 6, 6));
  finish();

  ASSERT_EQ(provider.apply_calls().size(), 2);
  EXPECT_EQ(provider.apply_calls()[0].changes.size(), 6);
  EXPECT_EQ(**first->result, Ticket("C1"));
  EXPECT_EQ(**second->result, Ticket("C2"));
}

TEST_F(Batcher, KeepsOneRequestOfAZoneUnansweredAndSeveralZonesAtOnce) {
  provider.set_answer_after(seconds(1));
  provider.set_limits({.changes = 10, .value_octets = 16'000});
  for (const auto& zone : {zone_a, zone_b, zone_c}) begin_ensure(zone, records(zone, 0, 30));
  finish();

  EXPECT_EQ(provider.most_in_flight_per_zone(), 1);
  EXPECT_EQ(provider.most_in_flight(), 3);
}

TEST_F(Batcher, GathersFurtherChangesWhileARequestIsUnanswered) {
  provider.set_answer_after(seconds(1));
  begin_ensure(zone_a, records(zone_a, 0, 1));
  after(milliseconds(100), [this] {
    for (int i = 1; i <= 20; ++i) begin_ensure(zone_a, records(zone_a, i, 1));
  });
  finish();

  ASSERT_EQ(provider.apply_calls().size(), 2);
  EXPECT_EQ(provider.apply_calls()[1].changes.size(), 20);
}

TEST_F(Batcher, HasValuesInTheLedgerBeforeItSendsThem) {
  ledger.set_answer_after(seconds(1));
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 3)));

  EXPECT_EQ(ledger.record_calls(), 1);
  EXPECT_EQ(ledger.size(), 3);
  EXPECT_GE(provider.apply_calls()[0].at, start + seconds(1));
}

TEST_F(Batcher, SendsNothingThatTheLedgerDidNotTake) {
  ledger.fail_next_record(error_of(Error::Kind::transient, "disk full"));
  const auto result = ensure(zone_a, records(zone_a, 0, 1));

  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("disk full"), std::string::npos);
  EXPECT_TRUE(provider.apply_calls().empty());
}

TEST_F(Batcher, SendsAValueThatTwoWantOnceAndRecordsItForBoth) {
  const auto* first = begin_ensure(zone_a, {record(zone_a, 7, 1)});
  const auto* second = begin_ensure(zone_a, {record(zone_a, 7, 2)});
  finish();

  ASSERT_EQ(provider.apply_calls().size(), 1);
  EXPECT_EQ(provider.apply_calls()[0].changes.size(), 1);
  EXPECT_TRUE(*first->result && *second->result);
  EXPECT_EQ(ledger.size(), 2);
}

TEST_F(Batcher, TakesThrottlingForNoErrorAndDoublesTheGapUpToItsLimit) {
  for (std::size_t i = 1; i <= 8; ++i) {
    provider.fail_apply(i, {.error = error_of(Error::Kind::throttled)});
  }
  EXPECT_TRUE(ensure(zone_a, records(zone_a, 0, 1)));
  EXPECT_EQ(gaps(), (std::vector<Duration>{seconds(1), seconds(2), seconds(4), seconds(8),
                                           seconds(16), seconds(30), seconds(30), seconds(30)}));
}

TEST_F(Batcher, WaitsAtLeastUntilTheProviderSays) {
  auto throttled = error_of(Error::Kind::throttled);
  throttled.retry_at = start + minutes(2);
  provider.fail_apply(1, {.error = throttled});
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 1)));
  EXPECT_EQ(provider.apply_calls()[1].at, start + minutes(2));
}

TEST_F(Batcher, FindsTheGapThatAZoneNeeds) {
  provider.set_quiet_time(seconds(3));
  provider.set_limits({.changes = 1, .value_octets = 16'000});
  for (int i = 0; i < 20; ++i) begin_ensure(zone_a, records(zone_a, i, 1));
  finish();

  EXPECT_EQ(provider.value_count(), 20);
  EXPECT_LT(provider.apply_calls().size(), 20 * 3);
}

TEST_F(Batcher, LetsOneThrottledZoneHoldUpNoOther) {
  provider.fail_apply(1, {.error = error_of(Error::Kind::throttled)});
  begin_ensure(zone_a, records(zone_a, 0, 1));
  const Call* other = nullptr;
  after(milliseconds(50), [&] { other = begin_ensure(zone_b, records(zone_b, 0, 1)); });
  after(milliseconds(100), [&] { EXPECT_TRUE(other->result.has_value()); });
  finish();
}

TEST_F(Batcher, TriesAgainAfterTransientFailures) {
  for (std::size_t i = 1; i <= 3; ++i) {
    provider.fail_apply(i, {.error = error_of(Error::Kind::transient)});
  }
  EXPECT_TRUE(ensure(zone_a, records(zone_a, 0, 1)));
  EXPECT_EQ(gaps(), (std::vector<Duration>{seconds(1), seconds(2), seconds(4)}));
}

// While changes are gathered, while they are on their way, and in the pause after a failure.
TEST_F(Batcher, IsSoonDoneWheneverTheClockIsSetBack) {
  sim::ProgramLoop program(*loop);
  for (int tenths = 1; tenths <= 40; ++tenths) {
    ChangeBatcher misled(program, provider, ledger, {.dns = DnsName("fake")});
    provider.fail_apply(1, {.error = error_of(Error::Kind::transient)});
    const Time begin = loop->clock().now();
    program.clock().set_error(std::chrono::days(20));
    Call call;
    group.spawn(ensure_into(&misled, zone_a, {record(zone_a, tenths)}, &call));
    after(milliseconds(100) * tenths, [&program] { program.clock().set_error({}); });
    finish();
    ASSERT_TRUE(call.result && *call.result) << tenths;
    EXPECT_LT(loop->clock().now() - begin, minutes(1)) << tenths;
    loop->run(misled.stop());
  }
}

TEST_F(Batcher, TellsEveryWaitingCallerWhenFailuresDoNotEnd) {
  for (std::size_t i = 1; i <= 10; ++i) {
    provider.fail_apply(i, {.error = error_of(Error::Kind::transient, "HTTP 503")});
  }
  const auto* first = begin_ensure(zone_a, records(zone_a, 0, 2));
  const auto* second = begin_ensure(zone_a, records(zone_a, 2, 2));
  finish();

  for (const auto* call : {first, second}) {
    ASSERT_FALSE(*call->result);
    EXPECT_EQ(call->result->error().detail, "HTTP 503");
  }
  EXPECT_EQ(provider.apply_calls().size(), 4);
}

TEST_F(Batcher, SendsAgainWhenOnlyTheReplyWasLost) {
  provider.fail_apply(1, {.error = error_of(Error::Kind::transient), .after_success = true});
  EXPECT_TRUE(ensure(zone_a, records(zone_a, 0, 1)));
  EXPECT_EQ(provider.value_count(), 1);
}

TEST_F(Batcher, TellsDeniedAtOnce) {
  provider.fail_apply(1, {.error = error_of(Error::Kind::denied)});
  const auto result = ensure(zone_a, records(zone_a, 0, 1));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Error::Kind::denied);
  EXPECT_EQ(provider.apply_calls().size(), 1);
}

TEST_F(Batcher, LetsANamedChangeFailAlone) {
  provider.reject_value(record(zone_a, 3).value);
  const auto* bad = begin_ensure(zone_a, records(zone_a, 2, 2));
  const auto* good = begin_ensure(zone_a, records(zone_a, 4, 2));
  finish();

  ASSERT_FALSE(*bad->result);
  EXPECT_EQ(bad->result->error().kind, Error::Kind::rejected);
  ASSERT_EQ(bad->result->error().causes.size(), 1);
  EXPECT_EQ(bad->result->error().causes[0].op, record(zone_a, 3).value.text());
  EXPECT_TRUE(*good->result);
  EXPECT_EQ(provider.value_count(), 3);
}

TEST_F(Batcher, FindsByHalvesTheChangeThatSpoilsABatchWithoutBeingNamed) {
  provider.reject_value(record(zone_a, 37).value, false);
  std::vector<Call*> made;
  for (int i = 0; i < 64; ++i) made.push_back(begin_ensure(zone_a, records(zone_a, i, 1)));
  finish();

  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(made[static_cast<std::size_t>(i)]->result->has_value(), i != 37) << i;
  }
  EXPECT_EQ(provider.value_count(), 63);
  EXPECT_LE(provider.apply_calls().size(), 16);
}

TEST_F(Batcher, SweepRemovesWhatNobodyNeedsAndForgetsItOnceTheProviderHasTakenThat) {
  provider.set_in_sync_after(seconds(45));
  provider.set_answer_after(seconds(2));
  provider.plant(record(zone_a, 0).name, TxtValue("somebody else's"));
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 3, 1)));
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 3, 1, 2)));
  ledger.finish(IssuanceId(1));

  begin_sweep();
  after(seconds(1), [this] { EXPECT_EQ(ledger.size(), 4); });
  finish();

  EXPECT_TRUE(*swept);
  EXPECT_EQ(provider.state_calls(), 0);
  EXPECT_EQ(ledger.size(), 1);
  EXPECT_TRUE(ledger.holds(record(zone_a, 3).name, record(zone_a, 3).value));
  EXPECT_TRUE(provider.holds(record(zone_a, 0).name, TxtValue("somebody else's")));
}

// What a process that was killed had sent may come to the host after the next one has looked.
TEST_F(Batcher, ALateWriteOfAnEarlierProcessIsStillInTheLedger) {
  const auto late = record(zone_a, 0);
  loop->run(ledger.record({late}));
  ledger.finish(IssuanceId(1));
  loop->run(loop->clock().sleep_for(seconds(5)));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(ledger.size(), 1);

  provider.plant(late.name, late.value);
  EXPECT_TRUE(sweep());
  EXPECT_EQ(provider.value_count(), 0);
  EXPECT_EQ(ledger.size(), 1);

  loop->run(loop->clock().sleep_for(minutes(10)));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(ledger.size(), 0);
}

TEST_F(Batcher, SweepOfACleanLedgerCallsNobody) {
  EXPECT_TRUE(sweep());
  EXPECT_TRUE(provider.apply_calls().empty());
  EXPECT_EQ(provider.state_calls(), 0);
}

TEST_F(Batcher, FoldsRemovalsIntoTheNextAdditions) {
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 3, 1)));
  ledger.finish(IssuanceId(1));
  begin_ensure(zone_a, records(zone_a, 3, 2, 2));
  begin_sweep();
  finish();

  ASSERT_EQ(provider.apply_calls().size(), 2);
  EXPECT_EQ(provider.apply_calls()[1].changes.size(), 5);
  EXPECT_EQ(provider.value_count(), 2);
  EXPECT_EQ(ledger.size(), 2);
}

TEST_F(Batcher, LetsARemovalThatIsRefusedHoldUpNoAddition) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ledger.finish(IssuanceId(1));
  provider.reject_value(record(zone_a, 0).value, false);
  const auto* addition = begin_ensure(zone_a, {record(zone_a, 1, 2)});
  begin_sweep();
  finish();

  EXPECT_TRUE(*addition->result);
  EXPECT_FALSE(*swept);
  EXPECT_TRUE(ledger.holds(record(zone_a, 0).name, record(zone_a, 0).value));
}

TEST_F(Batcher, LeavesAValueAloneThatIsWantedAgainWhileItIsSwept) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ledger.finish(IssuanceId(1));
  ledger.set_answer_after(seconds(5));  // what the ledger says is old when it arrives
  begin_sweep();
  after(seconds(1), [this] { begin_ensure(zone_a, {record(zone_a, 0, 2)}); });
  finish();

  EXPECT_TRUE(provider.holds(record(zone_a, 0).name, record(zone_a, 0).value));
  EXPECT_TRUE(ledger.holds(record(zone_a, 0).name, record(zone_a, 0).value));
  for (const auto& call : provider.apply_calls()) {
    EXPECT_EQ(call.changes[0].action, TxtChange::Action::ensure);
  }
}

TEST_F(Batcher, TakesBackAQueuedRemovalOfAValueThatIsWantedAgain) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ledger.finish(IssuanceId(1));
  provider.fail_apply(1, {.error = error_of(Error::Kind::throttled)});
  begin_sweep();
  // By then the removal was throttled and waits.
  const Call* call = nullptr;
  after(milliseconds(500), [&] { call = begin_ensure(zone_a, {record(zone_a, 0, 1)}); });
  finish();

  EXPECT_TRUE(*call->result);
  EXPECT_TRUE(provider.holds(record(zone_a, 0).name, record(zone_a, 0).value));
  EXPECT_TRUE(ledger.holds(record(zone_a, 0).name, record(zone_a, 0).value));
}

TEST_F(Batcher, EnsuresAgainWhatWasBeingRemovedAndKeepsItInTheLedger) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ledger.finish(IssuanceId(1));
  provider.set_answer_after(seconds(2));
  begin_sweep();
  // By then the removal is sent and unanswered.
  after(seconds(1), [this] { begin_ensure(zone_a, {record(zone_a, 0, 1)}); });
  finish();

  EXPECT_TRUE(provider.holds(record(zone_a, 0).name, record(zone_a, 0).value));
  EXPECT_TRUE(ledger.holds(record(zone_a, 0).name, record(zone_a, 0).value));
}

TEST_F(Batcher, SweepGivesUpWaitingAndKeepsTheEntryForTheNext) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ledger.finish(IssuanceId(1));
  provider.set_answer_after(minutes(12));
  begin_sweep();
  after(minutes(11), [this] {
    ASSERT_TRUE(swept && !*swept);
    EXPECT_EQ(swept->error().kind, Error::Kind::deadline);
    EXPECT_EQ(ledger.size(), 1);
  });
  after(minutes(13), [] {});  // until the removal has gone its way
  finish();

  provider.set_answer_after(seconds(0));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(ledger.size(), 0);
}

TEST_F(Batcher, SweepInPassingLetsRemovalsTravelWithWhatComesNext) {
  ASSERT_TRUE(ensure(zone_a, records(zone_a, 0, 2, 1)));
  ledger.finish(IssuanceId(1));
  group.spawn(sweep_in_passing_into(&batcher, &swept));
  after(seconds(10), [this] { begin_ensure(zone_a, records(zone_a, 2, 1, 2)); });
  finish();

  ASSERT_TRUE(*swept);
  ASSERT_EQ(provider.apply_calls().size(), 2);
  EXPECT_EQ(provider.apply_calls()[1].changes.size(), 3);
  // The addition did not wait for the removals.
  EXPECT_LE(provider.apply_calls()[1].at, start + seconds(11));
  EXPECT_EQ(ledger.size(), 1);
}

TEST_F(Batcher, SweepInPassingSendsThemAloneAfterAWhileAndASweepAtOnce) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ASSERT_TRUE(ensure(zone_b, {record(zone_b, 0, 1)}));
  ledger.finish(IssuanceId(1));
  const Time begun = loop->clock().now();
  group.spawn(sweep_in_passing_into(&batcher, &swept));
  finish();
  EXPECT_EQ(provider.apply_calls().back().at, begun + seconds(30));
  EXPECT_EQ(ledger.size(), 0);

  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 1, 3)}));
  ledger.finish(IssuanceId(3));
  std::optional<Status> passing;
  group.spawn(sweep_in_passing_into(&batcher, &passing));
  const Time again = loop->clock().now();
  begin_sweep();
  finish();
  EXPECT_EQ(provider.apply_calls().back().at, again);
  EXPECT_EQ(ledger.size(), 0);
}

class Spreading : public Batcher {
 protected:
  /// Publishes one value and asks every 100 ms, from `visible_after` on, until it is in sync; gives
  /// how long after that the answer was yes.
  Duration lag_after(Duration visible_after, Duration in_sync_after, int number) {
    provider.set_in_sync_after(in_sync_after);
    const auto ticket = ensure(zone_a, {record(zone_a, number)});
    const Time in_sync_at = provider.apply_calls().back().at + in_sync_after;
    loop->run(loop->clock().sleep_for(visible_after));
    while (true) {
      const auto spreading = loop->run(batcher.spreading(*ticket));
      if (!spreading || spreading->state == dns::ChangeState::in_sync) break;
      loop->run(loop->clock().sleep_for(milliseconds(100)));
    }
    return loop->clock().now() - in_sync_at;
  }
};

TEST_F(Spreading, AsksOnceForAllWhoWait) {
  const auto ticket = ensure(zone_a, records(zone_a, 0, 100));
  for (int i = 0; i < 100; ++i) {
    const auto spreading = loop->run(batcher.spreading(*ticket));
    ASSERT_TRUE(spreading);
    EXPECT_EQ(spreading->state, dns::ChangeState::in_sync);
  }
  EXPECT_EQ(provider.state_calls(), 1);
}

TEST_F(Spreading, AsksSlowerAndSlowerWhatIsNotInSync) {
  lag_after(seconds(0), minutes(10), 0);
  // 5, 10 and 20 s after each other, then every 30 s.
  EXPECT_LE(provider.state_calls(), 24);
  EXPECT_GE(provider.state_calls(), 20);
}

TEST_F(Spreading, LearnsHowLongAfterTheNameServersTheHostIsInSync) {
  for (int i = 0; i < 40; ++i) lag_after(seconds(20), seconds(28), i);
  const auto calls = provider.state_calls();
  Duration worst{0};
  for (int i = 40; i < 140; ++i) worst = std::max(worst, lag_after(seconds(20), seconds(28), i));
  EXPECT_LE(provider.state_calls() - calls, 115);
  EXPECT_LE(worst, seconds(6));
}

TEST_F(Spreading, AsksAtOnceWhereTheHostNeedsNoTime) {
  for (int i = 0; i < 20; ++i) EXPECT_LE(lag_after(seconds(0), seconds(0), i), milliseconds(200));
  EXPECT_EQ(provider.state_calls(), 20);
}

TEST_F(Spreading, TakesAThrottledQuestionForNoAnswer) {
  const auto ticket = ensure(zone_a, {record(zone_a, 0)});
  provider.fail_state(1, error_of(Error::Kind::throttled));
  const auto first = loop->run(batcher.spreading(*ticket));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, dns::ChangeState::pending);
  EXPECT_EQ(first->look_again, loop->clock().now() + seconds(5));
  loop->run(loop->clock().sleep_until(first->look_again));
  EXPECT_EQ(loop->run(batcher.spreading(*ticket))->state, dns::ChangeState::in_sync);
}

TEST_F(Spreading, TellsOfATicketThatTheHostDoesNotKnow) {
  const auto spreading = loop->run(batcher.spreading(Ticket("stranger")));
  ASSERT_FALSE(spreading);
  EXPECT_EQ(spreading.error().kind, Error::Kind::not_found);
}

TEST_F(Batcher, SweepTellsAFailedRemovalAndTheNextOneTriesAgain) {
  ASSERT_TRUE(ensure(zone_a, {record(zone_a, 0, 1)}));
  ASSERT_TRUE(ensure(zone_b, {record(zone_b, 0, 1)}));
  ledger.finish(IssuanceId(1));
  provider.fail_apply(1, {.error = error_of(Error::Kind::denied)});

  const auto first = sweep();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, Error::Kind::denied);
  EXPECT_EQ(ledger.size(), 1);  // the other zone's entry is gone
  EXPECT_TRUE(sweep());
  EXPECT_EQ(ledger.size(), 0);
  EXPECT_EQ(provider.value_count(), 0);
}

TEST_F(Batcher, StopEndsEveryWaitWithACancellation) {
  provider.set_answer_after(seconds(10));
  const auto* sent = begin_ensure(zone_a, records(zone_a, 0, 1));
  const Call* queued = nullptr;
  after(seconds(1), [&] { queued = begin_ensure(zone_a, records(zone_a, 1, 1)); });
  group.spawn(stop_at(&loop->clock(), start + seconds(2), &batcher));
  finish();

  EXPECT_TRUE(sent->cancelled);
  EXPECT_TRUE(queued->cancelled);
  EXPECT_EQ(loop->clock().now(), start + seconds(2));
}

}  // namespace
}  // namespace certherd

#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using namespace std::chrono_literals;

const runtime::Allowance calls{.name = "calls/1", .per_second = 4, .burst = 1};
const runtime::Allowance others{.name = "calls/2", .per_second = 4, .burst = 1};

class BudgetStore : public StoreTest {
 protected:
  Duration wait_for(const runtime::Allowance& allowance, double units = 1) {
    const auto from = run(store->take(allowance, units));
    EXPECT_TRUE(from) << from.error().message();
    return *from - store.clock().now();
  }
};

TEST_P(BudgetStore, GivesOutEachUnitOnce) {
  EXPECT_EQ(wait_for(calls), 0ms);
  EXPECT_EQ(wait_for(calls), 250ms);
  EXPECT_EQ(wait_for(calls, 2), 750ms);
  EXPECT_EQ(wait_for(calls), 1000ms);
}

TEST_P(BudgetStore, KeepsAllowancesApart) {
  EXPECT_EQ(wait_for(calls), 0ms);
  EXPECT_EQ(wait_for(others), 0ms);
  EXPECT_EQ(wait_for(calls), 250ms);
}

// One unit comes back every minute, and ten may be spent at once.
const runtime::Allowance orders{.name = "orders", .per_second = 1.0 / 60, .burst = 10};
const runtime::Allowance names{.name = "names", .per_second = 1.0 / 3'600, .burst = 2};

class Allowances : public StoreTest {
 protected:
  Room take(std::vector<Demand> demands) {
    auto room = run(store->take_all(std::move(demands)));
    EXPECT_TRUE(room) << room.error().message();
    return room.value_or(Room());
  }
  /// How many can be taken one by one at this moment.
  int left(const runtime::Allowance& allowance) {
    int taken = 0;
    while (take({{.allowance = allowance}}).now) ++taken;
    return taken;
  }
  void amend(Amendment amendment) {
    const auto amended = run(store->amend_allowances({std::move(amendment)}));
    EXPECT_TRUE(amended) << amended.error().message();
  }
  void let_pass(Duration time) { store.pass(time); }
  Time now() { return store.clock().now(); }
};

TEST_P(Allowances, AreTakenAllAtOneTimeOrNotAtAll) {
  EXPECT_TRUE(take({{.allowance = orders}, {.allowance = names}}).now);
  EXPECT_TRUE(take({{.allowance = orders}, {.allowance = names}}).now);
  const auto refused = take({{.allowance = orders}, {.allowance = names}});
  EXPECT_FALSE(refused.now);
  EXPECT_EQ(refused.from, now() + 1h);
  EXPECT_EQ(refused.last, 1U);
  EXPECT_EQ(left(orders), 8);
  let_pass(1h);
  EXPECT_TRUE(take({{.allowance = orders}, {.allowance = names}}).now);
}

TEST_P(Allowances, LeaveWhatIsKeptForOthersAndWhatIsOnlyLookedAt) {
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(take({{.allowance = orders, .kept = 2}}).now);
  }
  EXPECT_EQ(take({{.allowance = orders, .kept = 2}}).from, now() + 1min);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(take({{.allowance = orders, .taken = false}}).now);
  }
  EXPECT_EQ(left(orders), 2);
  EXPECT_FALSE(take({{.allowance = orders, .taken = false}}).now);
}

TEST_P(Allowances, AreAmendedByWhatIsLearnedLater) {
  EXPECT_EQ(left(orders), 10);
  amend({.kind = Amendment::Kind::give_back, .allowance = orders});
  EXPECT_EQ(left(orders), 1);
  amend({.kind = Amendment::Kind::refill, .allowance = orders});
  amend({.kind = Amendment::Kind::spend, .allowance = orders});
  EXPECT_EQ(left(orders), 9);
  amend({.kind = Amendment::Kind::spend, .allowance = orders});  // there is none: nothing is owed
  let_pass(1min);
  EXPECT_EQ(left(orders), 1);
}

// What was whole when a unit was taken has gained nothing until the other side counts the unit.
TEST_P(Allowances, BeginToComeBackWhenTheOtherSideCounts) {
  EXPECT_EQ(left(orders), 10);
  let_pass(5min);
  amend({.kind = Amendment::Kind::counted, .allowance = orders, .others = 9});
  EXPECT_EQ(left(orders), 0);
  for (int others = 8; others >= 0; --others) {
    amend({.kind = Amendment::Kind::counted, .allowance = orders, .others = others});
  }
  let_pass(1min);
  EXPECT_EQ(left(orders), 1);
}

TEST_P(Allowances, DoNotComeBackWhileTheOtherSideHasCountedNothing) {
  EXPECT_EQ(left(orders), 10);
  let_pass(5min);
  EXPECT_EQ(take({{.allowance = orders, .uncounted = 10}}).from, now() + 1min);
  EXPECT_EQ(take({{.allowance = orders, .uncounted = 9}}).now, true);
  EXPECT_EQ(left(orders), 0);
}

TEST_P(Allowances, AreClosedUntilTheOtherSideSays) {
  amend(
      {.kind = Amendment::Kind::close, .allowance = names, .until = now() + std::chrono::days(2)});
  EXPECT_EQ(take({{.allowance = names}}).from, now() + std::chrono::days(2));
  EXPECT_EQ(left(orders), 10);
  const auto levels = run(store->levels());
  ASSERT_TRUE(levels);
  EXPECT_EQ(levels->at("names").closed_until, now() + std::chrono::days(2));
  EXPECT_EQ(levels->at("orders").full_at, now() + 10min);
  let_pass(std::chrono::days(2));
  EXPECT_EQ(left(names), 1);
}

// As Fastly counts: so many in each full hour.
const runtime::Allowance writes{
    .name = "writes", .per_second = 0, .burst = 2, .window = std::chrono::hours(1)};

// A clock that was ahead has written that nothing is left for years.
TEST_P(Allowances, ThatAreTakenTooFarComeBackAsIfTheyWereAllTaken) {
  amend({.kind = Amendment::Kind::counted, .allowance = orders, .others = 1'000'000});
  EXPECT_FALSE(take({{.allowance = orders}}).now);
  let_pass(5min);
  EXPECT_TRUE(take({{.allowance = orders}}).now) << "one comes back each minute";
  let_pass(20min);
  EXPECT_EQ(left(orders), 10);

  amend({.kind = Amendment::Kind::counted, .allowance = names, .others = 1'000'000});
  const auto refused = run(store->take(names, 1, now()));
  ASSERT_TRUE(refused) << refused.error().message();
  EXPECT_GT(*refused, now());
  let_pass(3h);
  const auto granted = run(store->take(names, 1, now()));
  ASSERT_TRUE(granted) << granted.error().message();
  EXPECT_EQ(*granted, now());
}

TEST_P(Allowances, WithAWindowComeBackAllAtOnce) {
  const Time latest = Time::max();
  EXPECT_EQ(run(store->take(writes, 2, latest)).value(), now());
  const auto taken = run(store->taken_until(writes)).value();
  EXPECT_EQ(run(store->take(writes, 1, now())).value(), now() + 1h);
  EXPECT_EQ(run(store->taken_until(writes)).value(), taken) << "it would have been too late";
  let_pass(1h);
  ASSERT_TRUE(run(store->settle(writes, 0, now() + 1h))) << "others have taken all of it";
  EXPECT_EQ(run(store->take(writes, 1, latest)).value(), now() + 1h);
  EXPECT_EQ(run(store->taken_until(names)).value(), Time{});
}

TEST_P(Allowances, StandAmongTheLevelsOnceTheyWereDrawnOn) {
  EXPECT_TRUE(take({{.allowance = orders}, {.allowance = names, .taken = false}}).now);
  amend({.kind = Amendment::Kind::refill, .allowance = calls});
  (void)run(store->taken_until(others));
  const auto levels = run(store->levels()).value();
  ASSERT_EQ(levels.size(), 1U);
  EXPECT_EQ(levels.begin()->first, "orders");
  EXPECT_EQ(levels.begin()->second.full_at, now() + 1min);
  EXPECT_EQ(levels.begin()->second.closed_until, Time{});
}

CERTHERD_ON_EACH_STORE(BudgetStore);
CERTHERD_ON_EACH_STORE(Allowances);

}  // namespace
}  // namespace certherd::store

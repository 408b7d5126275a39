#include "runtime/timeouts.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "runtime/task_group.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

class TimeoutsTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop = make_virtual_loop(start);
  Clock& clock = loop->clock();
  TaskGroup group{*loop};
};

Task<void> sleep_for(Clock* clock, Duration duration) { co_await clock->sleep_for(duration); }

Task<std::string> say_after(Clock* clock, Duration duration, std::string text) {
  co_await clock->sleep_for(duration);
  co_return text;
}

Task<void> throw_after(Clock* clock, Duration duration) {
  co_await clock->sleep_for(duration);
  throw std::out_of_range("thrown by the task");
}

TEST_F(TimeoutsTest, ATaskThatEndsInTimeIsFinishedAndItsAlarmGone) {
  EXPECT_TRUE(loop->run(finished_by(&clock, start + hours(2), sleep_for(&clock, hours(1)))));
  EXPECT_EQ(clock.now(), start + hours(1));
}

TEST_F(TimeoutsTest, ALateTaskIsCancelled) {
  EXPECT_FALSE(loop->run(finished_by(&clock, start + hours(2), sleep_for(&clock, hours(3)))));
  EXPECT_EQ(clock.now(), start + hours(2));
}

TEST_F(TimeoutsTest, ADeadlineInThePastCancelsAtTheFirstWait) {
  EXPECT_FALSE(loop->run(finished_by(&clock, start - hours(1), sleep_for(&clock, hours(3)))));
  EXPECT_EQ(clock.now(), start);
}

TEST_F(TimeoutsTest, WhatTheTaskThrowsComesThrough) {
  EXPECT_THROW(loop->run(finished_by(&clock, start + hours(2), throw_after(&clock, hours(1)))),
               std::out_of_range);
}

TEST_F(TimeoutsTest, GivesTheValueOrNothing) {
  EXPECT_EQ(loop->run(value_by(&clock, start + hours(2), say_after(&clock, hours(1), "here"))),
            "here");
  EXPECT_EQ(loop->run(value_by(&clock, clock.now() + hours(2), say_after(&clock, hours(3), "x"))),
            std::nullopt);
}

Task<void> clean_up(Clock* clock, int waits, int* cleaned) {
  for (int i = 0; i < waits; ++i) co_await clock->sleep_for(seconds(1));
  ++*cleaned;
}

Task<void> end_slowly(Clock* clock, int* cleaned) {
  try {
    co_await clock->sleep_for(hours(9));
  } catch (...) {
    EXPECT_TRUE(is_cancellation(std::current_exception()));
  }
  EXPECT_TRUE(co_await is_cancelled());
  co_await shielded(clock, minutes(1), clean_up(clock, 5, cleaned));
}

TEST_F(TimeoutsTest, ReturnsOnlyAfterTheLateTaskHasReallyEnded) {
  int cleaned = 0;
  EXPECT_FALSE(loop->run(finished_by(&clock, start + hours(2), end_slowly(&clock, &cleaned))));

  EXPECT_EQ(cleaned, 1);
  EXPECT_EQ(clock.now(), start + hours(2) + seconds(5));
}

Task<void> note_cancellation(Clock* clock, bool* cancelled) {
  try {
    co_await finished_by(clock, start + hours(9), sleep_for(clock, hours(8)));
  } catch (...) {
    *cancelled = is_cancellation(std::current_exception());
  }
}

Task<void> cancel_at(TaskGroup* group, Clock* clock, Time when) {
  co_await clock->sleep_until(when);
  group->cancel();
  co_await group->join();
}

TEST_F(TimeoutsTest, CancellationFromOutsideReachesTheTaskAndIsRethrown) {
  bool cancelled = false;
  group.spawn(note_cancellation(&clock, &cancelled));

  loop->run(cancel_at(&group, &clock, start + hours(1)));

  EXPECT_TRUE(cancelled);
  EXPECT_EQ(clock.now(), start + hours(1));
}

TEST_F(TimeoutsTest, ShieldedWorkHasATimeLimit) {
  int cleaned = 0;
  EXPECT_FALSE(loop->run(shielded(&clock, seconds(3), clean_up(&clock, 5, &cleaned))));
  EXPECT_EQ(cleaned, 0);
  EXPECT_EQ(clock.now(), start + seconds(3));
}

TEST_F(TimeoutsTest, ShieldedLetsNothingEscape) {
  EXPECT_FALSE(loop->run(shielded(&clock, hours(3), throw_after(&clock, hours(1)))));
}

// One wait a second, some of them inside the clean-up.
Task<void> work_and_clean_up(Clock* clock, int* begun, int* cleaned, int* after) {
  ++*begun;
  std::exception_ptr thrown;
  try {
    for (int i = 0; i < 4; ++i) co_await clock->sleep_for(seconds(1));
  } catch (...) {
    thrown = std::current_exception();
  }
  EXPECT_TRUE(co_await shielded(clock, minutes(1), clean_up(clock, 4, cleaned)));
  if (thrown) std::rethrow_exception(thrown);
  co_await clock->sleep_for(seconds(1));  // throws when the cancellation came in the clean-up
  ++*after;
}

TEST_F(TimeoutsTest, ShieldedRunsWhereverTheCancellationStrikes) {
  int untouched = 0;
  for (int strike = 0; strike < 12; ++strike) {
    auto fresh = make_virtual_loop(start);
    TaskGroup fresh_group(*fresh);
    int begun = 0;
    int cleaned = 0;
    int after = 0;
    fresh_group.spawn(work_and_clean_up(&fresh->clock(), &begun, &cleaned, &after));

    // Half a second off, so that each strike falls into one wait.
    fresh->run(cancel_at(&fresh_group, &fresh->clock(),
                         start + seconds(strike) + std::chrono::milliseconds(500)));

    EXPECT_EQ(begun, 1) << strike;
    EXPECT_EQ(cleaned, 1) << strike;
    EXPECT_EQ(after, strike < 9 ? 0 : 1) << strike;
    untouched += after;
  }
  EXPECT_EQ(untouched, 3);
}

Task<void> wait_on_and_on(Clock* clock, int* waits) {
  for (int i = 0; i < 3; ++i) {
    try {
      ++*waits;
      co_await clock->sleep_for(hours(1));
    } catch (...) {
      EXPECT_TRUE(is_cancellation(std::current_exception()));
    }
  }
}

TEST_F(TimeoutsTest, EveryWaitAfterACancellationThrows) {
  int waits = 0;
  group.spawn(wait_on_and_on(&clock, &waits));

  loop->run(cancel_at(&group, &clock, start + minutes(1)));

  EXPECT_EQ(waits, 3);
  EXPECT_EQ(clock.now(), start + minutes(1));
}

TEST_F(TimeoutsTest, IsCancelledTellsNoForAFreeCoroutine) {
  EXPECT_FALSE(loop->run(is_cancelled()));
}

TEST(IsCancellation, KnowsNothingElse) {
  EXPECT_FALSE(is_cancellation(nullptr));
  EXPECT_FALSE(is_cancellation(std::make_exception_ptr(std::runtime_error("else"))));
}

}  // namespace
}  // namespace certherd::runtime

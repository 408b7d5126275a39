#include "runtime/event_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Task<void> sleep_for(Clock* clock, Duration duration) { co_await clock->sleep_for(duration); }

Task<std::string> say(std::string text) { co_return text; }

Task<void> fail_with_range() {
  throw std::out_of_range("thrown by the main task");
  co_return;
}

Task<void> spawn_and_leave(TaskGroup* group, Clock* clock) {
  group->spawn(sleep_for(clock, hours(1)));
  co_return;
}

Task<void> cancel_and_join(TaskGroup* group) {
  group->cancel();
  co_await group->join();
}

/// The loop is held up until all of them are past, and the second one is let go of then.
Task<void> let_go_of_an_alarm_that_is_past(Clock* clock, std::string* rung) {
  const Time begin = clock->now();
  const auto one = clock->alarm_at(begin, [rung] { *rung += "1"; });
  auto gone = clock->alarm_at(begin + milliseconds(1), [rung] { *rung += "2"; });
  while (clock->now() < begin + milliseconds(3)) {
  }
  gone = nullptr;
  co_await clock->sleep_for(milliseconds(5));
}

class EventLoopTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop = make_event_loop();
};

TEST_F(EventLoopTest, GivesTheValueOfTheMainTaskAndRunsAgain) {
  EXPECT_EQ(loop->run(say("first")), "first");
  EXPECT_EQ(loop->run(say("second")), "second");
}

TEST_F(EventLoopTest, RethrowsWhatTheMainTaskThrewAndRunsAgain) {
  EXPECT_THROW(loop->run(fail_with_range()), std::out_of_range);
  EXPECT_EQ(loop->run(say("on")), "on");
}

TEST_F(EventLoopTest, ThrowsWhenWorkIsLeftOverAfterTheMainTask) {
  TaskGroup group(*loop);

  EXPECT_THROW(loop->run(spawn_and_leave(&group, &loop->clock())), std::logic_error);

  loop->run(cancel_and_join(&group));
}

TEST_F(EventLoopTest, SleepsUntilTheMomentAndNoLessLong) {
  Clock& clock = loop->clock();
  const auto begin = std::chrono::steady_clock::now();

  loop->run(sleep_for(&clock, milliseconds(20)));

  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
}

TEST_F(EventLoopTest, ReturnsAtOnceFromAPastMoment) {
  loop->run(loop->clock().sleep_until(Time::min()));
}

TEST_F(EventLoopTest, CanBeCancelledInTheLongestSleep) {
  Clock& clock = loop->clock();

  EXPECT_FALSE(loop->run(
      finished_by(&clock, clock.now() + milliseconds(5), clock.sleep_until(Time::max()))));
}

TEST_F(EventLoopTest, AnAlarmRingsUnlessItIsLetGoOf) {
  std::string rung;
  loop->run(let_go_of_an_alarm_that_is_past(&loop->clock(), &rung));
  EXPECT_EQ(rung, "1");
}

TEST_F(EventLoopTest, LeavesNoAlarmOfTheMainTaskBehind) {
  Clock* const clock = &loop->clock();
  loop->run([](Clock* of) -> Task<void> {
    const auto alarm = of->alarm_at(of->now() + hours(1), [] {});
    co_return;
  }(clock));
  EXPECT_EQ(loop->run(say("and runs again")), "and runs again");
}

TEST_F(EventLoopTest, TellsTheTimeOfTheSystem) {
  const auto now = loop->clock().now();

  EXPECT_LT(std::chrono::abs(now - std::chrono::system_clock::now()), std::chrono::minutes(1));
}

}  // namespace
}  // namespace certherd::runtime

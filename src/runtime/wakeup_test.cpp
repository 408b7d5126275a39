#include "runtime/wakeup.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

class WakeupTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop = make_virtual_loop(start);
  Clock& clock = loop->clock();
  Wakeup wakeup{*loop};
  TaskGroup group{*loop};
  std::vector<int> notes;
};

Task<void> note_woken(Wakeup* wakeup, Time latest, int note, std::vector<int>* notes) {
  co_await wakeup->wait_until(latest);
  notes->push_back(note);
}

Task<void> note_woken_without_alarm(Wakeup* wakeup, int note, std::vector<int>* notes) {
  co_await wakeup->wait();
  notes->push_back(note);
}

Task<void> notify_at(Wakeup* wakeup, TaskGroup* group, Clock* clock, Time when) {
  co_await clock->sleep_until(when);
  wakeup->notify_all();
  co_await group->join();
}

Task<void> wait_for_moments_that_have_almost_come(Wakeup* wakeup, Clock* clock) {
  for (int i = 0; i < 2000; ++i) {
    co_await wakeup->wait_until(clock->now() + std::chrono::microseconds(i % 20));
  }
}

Task<void> note_whether_finished(Wakeup* wakeup, Clock* clock, bool* finished) {
  auto waits = wait_for_moments_that_have_almost_come(wakeup, clock);
  *finished = co_await finished_by(clock, clock->now() + minutes(1), std::move(waits));
}

TEST(WakeupOnRealTime, IsNotMissedWhenItsMomentComesWhileTheWaiterStillLiesDown) {
  const auto loop = make_event_loop();
  Wakeup wakeup(*loop);
  bool finished = false;
  loop->run(note_whether_finished(&wakeup, &loop->clock(), &finished));
  EXPECT_TRUE(finished);
}

TEST_F(WakeupTest, WakesAllInTheOrderInWhichTheyBeganToWait) {
  group.spawn(note_woken(&wakeup, start + hours(9), 1, &notes));
  group.spawn(note_woken_without_alarm(&wakeup, 2, &notes));
  group.spawn(note_woken(&wakeup, start + hours(5), 3, &notes));
  group.spawn(note_woken_without_alarm(&wakeup, 4, &notes));

  loop->run(notify_at(&wakeup, &group, &clock, start + minutes(1)));

  EXPECT_EQ(notes, (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(clock.now(), start + minutes(1));
}

TEST_F(WakeupTest, ReturnsAtTheLatestMomentWithoutANotify) {
  loop->run(note_woken(&wakeup, start + hours(5), 1, &notes));

  EXPECT_EQ(notes, (std::vector{1}));
  EXPECT_EQ(clock.now(), start + hours(5));
}

TEST_F(WakeupTest, ReturnsAtOnceWhenTheLatestMomentIsPast) {
  loop->run(note_woken(&wakeup, start, 1, &notes));

  EXPECT_EQ(clock.now(), start);
}

Task<void> notify_then_wait(Wakeup* wakeup, Time latest) {
  wakeup->notify_all();
  co_await wakeup->wait_until(latest);
}

TEST_F(WakeupTest, RemembersNoNotify) {
  loop->run(notify_then_wait(&wakeup, start + hours(1)));

  EXPECT_EQ(clock.now(), start + hours(1));
}

Task<void> wait_twice(Wakeup* wakeup, std::vector<int>* notes) {
  co_await wakeup->wait();
  notes->push_back(1);
  co_await wakeup->wait();
  notes->push_back(2);
}

Task<void> notify_twice(Wakeup* wakeup, TaskGroup* group, Clock* clock) {
  co_await clock->sleep_for(minutes(1));
  wakeup->notify_all();
  wakeup->notify_all();  // the waiter has not run yet: it is not waiting again
  co_await clock->sleep_for(minutes(1));
  group->cancel();
  co_await group->join();
}

TEST_F(WakeupTest, ANotifyWakesOnlyThoseThatWaitAlready) {
  group.spawn(wait_twice(&wakeup, &notes));

  loop->run(notify_twice(&wakeup, &group, &clock));

  EXPECT_EQ(notes, (std::vector{1}));
}

Task<void> cancel_at(TaskGroup* group, Clock* clock, Time when) {
  co_await clock->sleep_until(when);
  group->cancel();
  co_await group->join();
}

TEST_F(WakeupTest, CancellationEndsTheWaitAndItsAlarm) {
  group.spawn(note_woken(&wakeup, start + hours(9), 1, &notes));
  group.spawn(note_woken_without_alarm(&wakeup, 2, &notes));

  loop->run(cancel_at(&group, &clock, start + minutes(1)));

  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(clock.now(), start + minutes(1));
}

Task<void> destroy_while_waited_for(EventLoop* loop, TaskGroup* group, std::vector<int>* notes) {
  {
    Wakeup brief(*loop);
    group->spawn(note_woken_without_alarm(&brief, 1, notes));
    co_await loop->clock().sleep_for(minutes(1));
  }
  group->cancel();  // after the wakeup is gone and before its waiter ran on
  co_await group->join();
}

TEST_F(WakeupTest, ItsEndWakesThoseThatStillWait) {
  loop->run(destroy_while_waited_for(loop.get(), &group, &notes));

  EXPECT_EQ(notes, (std::vector{1}));
}

}  // namespace
}  // namespace certherd::runtime

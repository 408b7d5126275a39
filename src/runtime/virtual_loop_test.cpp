#include "runtime/virtual_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <vector>

#include "runtime/random.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

Task<void> note_at(Clock* clock, Time when, int note, std::vector<int>* notes) {
  co_await clock->sleep_until(when);
  notes->push_back(note);
}

Task<void> sleep_for(Clock* clock, Duration duration) { co_await clock->sleep_for(duration); }

Task<void> fail_with_logic() {
  throw std::out_of_range("thrown by the main task");
  co_return;
}

Task<int> give(int value) { co_return value; }

class VirtualLoopTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop = make_virtual_loop(start);
  Clock& clock = loop->clock();
};

TEST_F(VirtualLoopTest, JumpsToTheAlarm) {
  loop->run(sleep_for(&clock, days(365)));

  EXPECT_EQ(clock.now(), start + days(365));
}

TEST_F(VirtualLoopTest, ReturnsAtOnceFromAPastMoment) {
  loop->run(sleep_for(&clock, hours(-1)));

  EXPECT_EQ(clock.now(), start);
}

TEST_F(VirtualLoopTest, GivesTheValueOfTheMainTask) { EXPECT_EQ(loop->run(give(7)), 7); }

TEST_F(VirtualLoopTest, RethrowsWhatTheMainTaskThrew) {
  EXPECT_THROW(loop->run(fail_with_logic()), std::out_of_range);
}

Task<void> let_go_of_one_alarm(Clock* clock, std::vector<int>* notes) {
  const auto early = clock->alarm_at(clock->now() + hours(1), [notes] { notes->push_back(1); });
  auto gone = clock->alarm_at(clock->now() + hours(2), [notes] { notes->push_back(2); });
  const auto past = clock->alarm_at(clock->now() - hours(1), [notes] { notes->push_back(3); });
  EXPECT_TRUE(notes->empty()) << "never inside of the call";
  co_await clock->sleep_for(hours(1));
  gone = nullptr;
  co_await clock->sleep_for(hours(2));
}

TEST_F(VirtualLoopTest, AnAlarmRingsUnlessItIsLetGoOf) {
  std::vector<int> notes;
  loop->run(let_go_of_one_alarm(&clock, &notes));

  EXPECT_EQ(notes, (std::vector{3, 1}));
}

Task<void> note_in_turn(EventLoop* loop, std::vector<int>* notes) {
  TaskGroup group(*loop);
  Clock* clock = &loop->clock();
  group.spawn(note_at(clock, start + seconds(2), 20, notes));
  group.spawn(note_at(clock, start + seconds(1), 10, notes));
  group.spawn(note_at(clock, start + seconds(2), 21, notes));
  group.spawn(note_at(clock, start + seconds(1), 11, notes));
  co_await group.join();
}

TEST_F(VirtualLoopTest, WakesByTimeThenInTheOrderInWhichTheAlarmsWereSet) {
  std::vector<int> notes;
  loop->run(note_in_turn(loop.get(), &notes));

  EXPECT_EQ(notes, (std::vector{10, 11, 20, 21}));
}

TEST_F(VirtualLoopTest, ThrowsWhenNothingIsLeftThatCouldWakeTheMainTask) {
  Wakeup never(*loop);

  EXPECT_THROW(loop->run(never.wait()), std::logic_error);
}

Task<void> spawn_and_leave(TaskGroup* group, Clock* clock) {
  group->spawn(sleep_for(clock, days(1)));
  co_return;
}

Task<void> join(TaskGroup* group) { co_await group->join(); }

TEST_F(VirtualLoopTest, ThrowsWhenWorkIsLeftOverAfterTheMainTask) {
  TaskGroup group(*loop);

  EXPECT_THROW(loop->run(spawn_and_leave(&group, &clock)), std::logic_error);

  loop->run(join(&group));
  EXPECT_EQ(clock.now(), start + days(1));
}

TEST_F(VirtualLoopTest, ForgetsTheTasksOfAGroupThatAreDestroyedWithIt) {
  TaskGroup group(*loop);
  EXPECT_THROW(loop->run(spawn_and_leave(&group, &clock)), std::logic_error);
  EXPECT_EQ(group.size(), 1U);

  loop.reset();

  EXPECT_EQ(group.size(), 0U);
}

Task<void> wake_now_and_then(Clock* clock, std::uint64_t seed, std::uint64_t* digest) {
  SeededRandom random(seed);
  const Time end = clock->now() + days(360);
  while (clock->now() < end) {
    co_await clock->sleep_for(hours(random.uniform(24 * 60, 24 * 120)));
    *digest = *digest * 31 + seed;
  }
}

Task<void> run_fleet(EventLoop* loop, std::uint64_t* digest) {
  TaskGroup group(*loop);
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    group.spawn(wake_now_and_then(&loop->clock(), seed, digest));
  }
  co_await group.join();
}

TEST_F(VirtualLoopTest, RunsAYearOfTwentyThousandTasksQuicklyAndTheSameEachTime) {
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t digests[2] = {};
  for (auto& digest : digests) {
    auto fresh = make_virtual_loop(start);
    fresh->run(run_fleet(fresh.get(), &digest));
  }

  EXPECT_NE(digests[0], 0U);
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(60));
}

}  // namespace
}  // namespace certherd::runtime

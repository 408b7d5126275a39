#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <vector>

#include "runtime/timeouts.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

class TaskGroupTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop = make_virtual_loop(start);
  Clock& clock = loop->clock();
  TaskGroup group{*loop};
};

Task<void> note_later(Clock* clock, Duration duration, int note, std::vector<int>* notes) {
  co_await clock->sleep_for(duration);
  notes->push_back(note);
}

Task<void> fail_later(Clock* clock, Duration duration, const char* what) {
  co_await clock->sleep_for(duration);
  throw std::runtime_error(what);
}

Task<void> join(TaskGroup* group) { co_await group->join(); }

TEST_F(TaskGroupTest, JoinsTasksThatWereSpawnedBeforeTheLoopRan) {
  std::vector<int> notes;
  group.spawn(note_later(&clock, hours(2), 2, &notes));
  group.spawn(note_later(&clock, hours(1), 1, &notes));
  EXPECT_EQ(group.size(), 2U);

  loop->run(join(&group));

  EXPECT_EQ(notes, (std::vector{1, 2}));
  EXPECT_EQ(group.size(), 0U);
}

TEST_F(TaskGroupTest, JoinsAnEmptyGroupAtOnce) {
  loop->run(join(&group));

  EXPECT_EQ(clock.now(), start);
}

Task<void> spawn_more(TaskGroup* group, Clock* clock, int more, std::vector<int>* notes) {
  co_await clock->sleep_for(hours(1));
  notes->push_back(more);
  if (more > 0) group->spawn(spawn_more(group, clock, more - 1, notes));
}

TEST_F(TaskGroupTest, JoinsTasksThatItsTasksSpawned) {
  std::vector<int> notes;
  group.spawn(spawn_more(&group, &clock, 3, &notes));

  loop->run(join(&group));

  EXPECT_EQ(notes, (std::vector{3, 2, 1, 0}));
}

Task<void> spawn_and_look(TaskGroup* group, Clock* clock, std::vector<int>* notes) {
  group->spawn(note_later(clock, Duration(0), 1, notes));
  EXPECT_TRUE(notes->empty());
  co_await group->join();
  EXPECT_EQ(notes->size(), 1U);
}

TEST_F(TaskGroupTest, NeverRunsATaskInsideSpawn) {
  std::vector<int> notes;
  loop->run(spawn_and_look(&group, &clock, &notes));
}

TEST_F(TaskGroupTest, KeepsTheFirstDefectForJoinAndRunsTheOtherTasksToTheirEnd) {
  std::vector<int> notes;
  group.spawn(fail_later(&clock, hours(2), "second"));
  group.spawn(fail_later(&clock, hours(1), "first"));
  group.spawn(note_later(&clock, hours(3), 3, &notes));

  try {
    loop->run(join(&group));
    ADD_FAILURE() << "join hid the defect";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  EXPECT_EQ(notes, (std::vector{3}));
  loop->run(join(&group));  // told once
}

Task<void> cancel_later(TaskGroup* group, Clock* clock) {
  co_await clock->sleep_for(minutes(1));
  group->cancel();
  co_await group->join();
}

TEST_F(TaskGroupTest, CancelEndsSleepingTasksAndIsNoDefect) {
  std::vector<int> notes;
  group.spawn(note_later(&clock, hours(1), 1, &notes));
  group.spawn(note_later(&clock, hours(2), 2, &notes));

  loop->run(cancel_later(&group, &clock));

  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(clock.now(), start + minutes(1));
}

Task<void> note_at_once(std::vector<int>* notes) {
  notes->push_back(1);
  co_return;
}

TEST_F(TaskGroupTest, NeverBeginsATaskThatIsSpawnedAfterCancel) {
  std::vector<int> notes;
  group.cancel();
  group.spawn(note_at_once(&notes));

  loop->run(join(&group));

  EXPECT_TRUE(notes.empty());
}

Task<void> own_a_group(EventLoop* loop, std::vector<int>* notes) {
  TaskGroup own(*loop);
  own.spawn(note_later(&loop->clock(), hours(1), 1, notes));
  co_await own.join();  // cancelled meanwhile: must not leave before the task has ended
  notes->push_back(2);
  EXPECT_TRUE(co_await is_cancelled());
  EXPECT_EQ(own.size(), 0U);
}

Task<void> own_a_group_once_cancelled(EventLoop* loop, std::vector<int>* notes) {
  TaskGroup own(*loop);
  own.spawn(note_later(&loop->clock(), hours(1), 1, notes));
  bool cancelled = false;
  try {
    co_await loop->clock().sleep_for(hours(5));
  } catch (...) {
    cancelled = is_cancellation(std::current_exception());
  }
  EXPECT_TRUE(cancelled);
  co_await own.join();
  notes->push_back(3);
}

TEST_F(TaskGroupTest, JoinGoesOnWaitingWhenItIsCancelled) {
  std::vector<int> notes;
  group.spawn(own_a_group(loop.get(), &notes));
  loop->run(cancel_later(&group, &clock));

  EXPECT_EQ(notes, (std::vector{1, 2}));
}

TEST_F(TaskGroupTest, JoinWaitsInACoroutineThatWasCancelledBefore) {
  std::vector<int> notes;
  group.spawn(own_a_group_once_cancelled(loop.get(), &notes));
  loop->run(cancel_later(&group, &clock));

  EXPECT_EQ(notes, (std::vector{1, 3}));
}

TEST_F(TaskGroupTest, WorksOnTheRealLoop) {
  auto real = make_event_loop();
  TaskGroup real_group(*real);
  std::vector<int> notes;
  real_group.spawn(note_later(&real->clock(), std::chrono::milliseconds(10), 2, &notes));
  real_group.spawn(note_later(&real->clock(), std::chrono::milliseconds(1), 1, &notes));

  real->run(join(&real_group));

  EXPECT_EQ(notes, (std::vector{1, 2}));
}

TEST(TaskGroupDeathTest, TerminatesWhenItIsDestroyedBeforeItsTasks) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto loop = make_virtual_loop(start);
        TaskGroup group(*loop);
        group.spawn(loop->clock().sleep_for(hours(1)));
      },
      "before its tasks were joined");
}

}  // namespace
}  // namespace certherd::runtime

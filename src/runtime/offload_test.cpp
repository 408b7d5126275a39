#include "runtime/offload.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <thread>

#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::milliseconds;

class OffloadTest : public testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop = make_event_loop();
  std::unique_ptr<Offload> offload = make_thread_offload(*loop, 2);
};

Task<void> note_threads(Offload* offload, std::thread::id* inside, std::thread::id* after) {
  *inside = co_await offload->call([] { return std::this_thread::get_id(); });
  *after = std::this_thread::get_id();
}

TEST_F(OffloadTest, WorksElsewhereAndComesBackToTheLoop) {
  std::thread::id inside;
  std::thread::id after;
  loop->run(note_threads(offload.get(), &inside, &after));

  EXPECT_NE(inside, std::this_thread::get_id());
  EXPECT_EQ(after, std::this_thread::get_id());
}

TEST_F(OffloadTest, RethrowsOnTheLoopWhatTheWorkThrew) {
  EXPECT_THROW(loop->run(offload->run([] { throw std::out_of_range("in the work"); })),
               std::out_of_range);
}

Task<void> call_slowly(Offload* offload, std::latch* begun, std::latch* may_end, bool* ended) {
  co_await offload->run([begun, may_end] {
    begun->count_down();
    may_end->wait();
  });
  *ended = true;
  EXPECT_TRUE(co_await is_cancelled());
}

Task<void> cancel_begun_work(TaskGroup* group, Clock* clock, std::latch* begun, std::latch* may_end,
                             const bool* ended) {
  while (!begun->try_wait()) co_await clock->sleep_for(milliseconds(1));
  group->cancel();
  co_await clock->sleep_for(milliseconds(20));
  EXPECT_FALSE(*ended);
  may_end->count_down();
  co_await group->join();
}

TEST_F(OffloadTest, AwaitsTheEndOfBegunWorkThoughItsCallerIsCancelled) {
  TaskGroup group(*loop);
  std::latch begun(1);
  std::latch may_end(1);
  bool ended = false;
  group.spawn(call_slowly(offload.get(), &begun, &may_end, &ended));

  loop->run(cancel_begun_work(&group, &loop->clock(), &begun, &may_end, &ended));

  EXPECT_TRUE(ended);
}

Task<void> add_one(Offload* offload, std::atomic<int>* sum) {
  co_await offload->run([sum] { ++*sum; });
}

Task<void> add_many(EventLoop* loop, Offload* offload, std::atomic<int>* sum) {
  TaskGroup group(*loop);
  for (int i = 0; i < 1000; ++i) group.spawn(add_one(offload, sum));
  co_await group.join();
}

TEST_F(OffloadTest, TakesAThousandPiecesAtOnceAndLeavesNothingBehind) {
  std::atomic<int> sum = 0;
  for (int i = 0; i < 5; ++i) loop->run(add_many(loop.get(), offload.get(), &sum));

  EXPECT_EQ(sum, 5000);
}

TEST(InlineOffload, WorksAtOnceOnTheVirtualLoop) {
  auto loop = make_virtual_loop(Time());
  auto offload = make_inline_offload();

  EXPECT_EQ(loop->run(offload->call([] { return std::this_thread::get_id(); })),
            std::this_thread::get_id());
}

TEST(InlineOffload, RethrowsWhatTheWorkThrew) {
  auto loop = make_virtual_loop(Time());
  auto offload = make_inline_offload();

  EXPECT_THROW(loop->run(offload->run([] { throw std::out_of_range("in the work"); })),
               std::out_of_range);
}

}  // namespace
}  // namespace certherd::runtime

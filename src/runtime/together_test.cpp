#include "runtime/together.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "runtime/timeouts.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::seconds;

class Together : public testing::Test {
 protected:
  Task<void> sleep(Duration duration) {
    auto sleeping = loop->clock().sleep_for(duration);
    co_await std::move(sleeping);
    ++finished;
  }

  Task<void> break_down(Duration after) {
    co_await sleep(after);
    throw std::runtime_error("a defect");
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(Time());
  int finished = 0;
};

TEST_F(Together, TakesAsLongAsTheLongest) {
  std::vector<Task<void>> tasks;
  for (int i = 1; i <= 100; ++i) tasks.push_back(sleep(seconds(i)));
  loop->run(together(std::move(tasks)));

  EXPECT_EQ(finished, 100);
  EXPECT_EQ(loop->clock().now(), Time(seconds(100)));
}

TEST_F(Together, IsOverAtOnceWithoutTasks) {
  loop->run(together({}));
  EXPECT_EQ(loop->clock().now(), Time());
}

TEST_F(Together, PassesCancellationToEveryTask) {
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(sleep(seconds(100)));
  auto& clock = loop->clock();
  auto cut_short = runtime::finished_by(&clock, Time(seconds(1)), together(std::move(tasks)));

  EXPECT_FALSE(loop->run(std::move(cut_short)));
  EXPECT_EQ(finished, 0);
  EXPECT_EQ(clock.now(), Time(seconds(1)));
}

TEST_F(Together, EndsTheOthersAndThrowsWhenOneThrows) {
  std::vector<Task<void>> tasks;
  tasks.push_back(sleep(seconds(100)));
  tasks.push_back(break_down(seconds(1)));
  tasks.push_back(sleep(seconds(100)));

  EXPECT_THROW(loop->run(together(std::move(tasks))), std::runtime_error);
  EXPECT_EQ(loop->clock().now(), Time(seconds(1)));
}

}  // namespace
}  // namespace certherd::runtime

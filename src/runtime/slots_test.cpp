#include "runtime/slots.hpp"

#include <gtest/gtest.h>

#include <string>

#include "runtime/timeouts.hpp"
#include "runtime/together.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::seconds;

class SlotsTest : public testing::Test {
 protected:
  /// Counts its slot also when the work is cancelled.
  class Busy {
   public:
    explicit Busy(SlotsTest* test) : test_(test) {
      test_->most = std::max(test_->most, ++test_->busy);
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() { --test_->busy; }

   private:
    SlotsTest* test_;
  };

  Task<void> work(char name, Duration duration) {
    const auto slot = co_await slots.take();
    const Busy now(this);
    order += name;
    auto done = loop->clock().sleep_for(duration);
    co_await std::move(done);
  }

  Task<void> give_up(Duration patience) {
    auto& clock = loop->clock();
    auto waiting = work('!', seconds(1));
    co_await runtime::finished_by(&clock, clock.now() + patience, std::move(waiting));
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(Time());
  Slots slots{*loop, 2};
  int busy = 0;
  int most = 0;
  std::string order;
};

TEST_F(SlotsTest, LetsSoManyGoOnAtOneTimeFirstComeFirstServed) {
  std::vector<Task<void>> tasks;
  for (const char name : std::string("abcdef")) tasks.push_back(work(name, seconds(1)));
  loop->run(runtime::together(std::move(tasks)));

  EXPECT_EQ(most, 2);
  EXPECT_EQ(order, "abcdef");
  EXPECT_EQ(loop->clock().now(), Time(seconds(3)));
}

TEST_F(SlotsTest, PassesByThoseWhoGaveUpWaiting) {
  std::vector<Task<void>> tasks;
  tasks.push_back(work('a', seconds(4)));
  tasks.push_back(work('b', seconds(4)));
  tasks.push_back(give_up(seconds(1)));
  tasks.push_back(give_up(seconds(4)));  // in the very moment in which it would be its turn
  tasks.push_back(work('c', seconds(1)));
  tasks.push_back(work('d', seconds(1)));
  loop->run(runtime::together(std::move(tasks)));

  EXPECT_EQ(most, 2);
  EXPECT_TRUE(order.ends_with("cd")) << order;
  EXPECT_LE(loop->clock().now(), Time(seconds(6)));
}

}  // namespace
}  // namespace certherd::runtime

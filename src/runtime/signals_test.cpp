#include "runtime/signals.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

Task<void> raise_soon(int signal) {
  std::raise(signal);
  co_return;
}

Task<int> wait_and_raise(EventLoop* loop, int signal) {
  TaskGroup group(*loop);
  group.spawn(raise_soon(signal));  // runs once we wait
  const int seen = co_await wait_for_termination(loop);
  co_await group.join();
  co_return seen;
}

class SignalsTest : public testing::TestWithParam<int> {};

TEST_P(SignalsTest, AreTakenInsteadOfEndingTheProcess) {
  auto loop = make_event_loop();

  EXPECT_EQ(loop->run(wait_and_raise(loop.get(), GetParam())), GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, SignalsTest, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST(Signals, AHangUpThatIsIgnoredStaysSo) {
  auto loop = make_event_loop();
  Clock& clock = loop->clock();
  auto* const before = std::signal(SIGHUP, SIG_IGN);
  EXPECT_EQ(loop->run(value_by(&clock, clock.now() + std::chrono::milliseconds(20),
                               wait_and_raise(loop.get(), SIGHUP))),
            std::nullopt);
  (void)std::signal(SIGHUP, before);
}

TEST(Signals, WaitingForThemCanBeCancelled) {
  auto loop = make_event_loop();
  Clock& clock = loop->clock();

  EXPECT_EQ(loop->run(value_by(&clock, clock.now(), wait_for_termination(loop.get()))),
            std::nullopt);
}

}  // namespace
}  // namespace certherd::runtime

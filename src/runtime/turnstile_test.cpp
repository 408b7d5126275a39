#include "runtime/turnstile.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/task_group.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::runtime {
namespace {

using namespace std::chrono_literals;

constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

/// One unit a second.
class EachSecond final : public Budget {
 public:
  explicit EachSecond(Clock& clock) : clock_(&clock) {}

  Task<Result<Time>> take(Allowance, double, Time latest) override {
    if (broken) co_return fail(Error::Kind::transient, "take", "the disk is full");
    ++asked;
    const Time from = std::max(clock_->now(), next_);
    if (from > latest) co_return from;
    ++taken;
    next_ = from + 1s;
    co_return from;
  }
  Task<Status> settle(Allowance, double, Time) override { co_return Status(); }
  Task<Result<Time>> taken_until(Allowance) override { co_return next_; }

  void close_until(Time time) { next_ = time; }

  int asked = 0;
  int taken = 0;
  bool broken = false;

 private:
  Clock* clock_;
  Time next_{};
};

class TurnstileTest : public testing::Test {
 protected:
  Task<void> pass(Urgency urgency, Duration after, std::string name) {
    co_await loop->clock().sleep_for(after);
    const auto passed = co_await turnstile.pass(urgency);
    EXPECT_TRUE(passed);
    order.push_back(name + "@" + std::to_string((loop->clock().now() - start) / 1s));
  }

  std::unique_ptr<EventLoop> loop = make_virtual_loop(start);
  EachSecond budget{loop->clock()};
  Turnstile turnstile{*loop, budget, {.name = "calls", .per_second = 1, .burst = 1}};
  TaskGroup group{*loop};
  std::vector<std::string> order;
};

TEST_F(TurnstileTest, LetsTheMostUrgentThroughAndThenTheFirstThatCame) {
  group.spawn(pass(Urgency::begin, 0s, "first"));
  group.spawn(pass(Urgency::tidy, 1ms, "tidy"));
  group.spawn(pass(Urgency::begin, 2ms, "second"));
  group.spawn(pass(Urgency::begin, 3ms, "third"));
  group.spawn(pass(Urgency::look, 1500ms, "look"));
  loop->run(group.join());
  EXPECT_EQ(order,
            (std::vector<std::string>{"first@0", "second@1", "look@2", "third@3", "tidy@4"}));
  EXPECT_EQ(budget.taken, 5);
}

Task<void> cancel_after(Clock* clock, TaskGroup* group, Duration after) {
  co_await clock->sleep_for(after);
  group->cancel();
}

TEST_F(TurnstileTest, GoesOnWhenTheOneWhoTakesIsCancelled) {
  TaskGroup impatient(*loop);
  group.spawn(pass(Urgency::begin, 0s, "first"));
  impatient.spawn(pass(Urgency::begin, 1ms, "gone"));
  group.spawn(pass(Urgency::begin, 2ms, "second"));
  group.spawn(cancel_after(&loop->clock(), &impatient, 500ms));
  loop->run(group.join());
  loop->run(impatient.join());
  EXPECT_EQ(order.front(), "first@0");
  EXPECT_EQ(order.size(), 2);
}

Task<void> fail_to_pass(Turnstile* turnstile, int* failures) {
  const auto passed = co_await turnstile->pass(Urgency::begin);
  EXPECT_FALSE(passed);
  ++*failures;
}

TEST_F(TurnstileTest, LetsNobodyThroughWithoutTheBudget) {
  budget.broken = true;
  int failures = 0;
  group.spawn(fail_to_pass(&turnstile, &failures));
  group.spawn(fail_to_pass(&turnstile, &failures));
  loop->run(group.join());
  EXPECT_EQ(failures, 2);
}

TEST_F(TurnstileTest, SendsThoseAwayWhoWouldWaitForLongerThanThePatience) {
  Turnstile hasty{*loop, budget, {.name = "writes", .per_second = 1, .burst = 1}, 10s};
  budget.close_until(start + 1h);
  std::vector<Status> sent_away(3);
  for (auto& status : sent_away) status = loop->run(hasty.pass(Urgency::begin));
  for (const auto& status : sent_away) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, Error::Kind::throttled);
    EXPECT_EQ(status.error().retry_at, start + 1h);
  }
  // The budget is asked once: until then nothing can have come back.
  EXPECT_EQ(budget.asked, 1);
  EXPECT_EQ(budget.taken, 0);

  loop->run(loop->clock().sleep_for(1h - 5s));
  EXPECT_TRUE(loop->run(hasty.pass(Urgency::begin)));
  EXPECT_EQ(loop->clock().now(), start + 1h);
}

TEST_F(TurnstileTest, AsksBackAsManyAsAWindowHasRoomFor) {
  const Allowance ten{.name = "writes", .burst = 10, .window = 1h};
  Turnstile hasty{*loop, budget, ten, 10s};
  budget.close_until(start + 1h);
  std::vector<Duration> after;
  for (int i = 0; i < 8; ++i) {
    const auto status = loop->run(hasty.pass(Urgency::begin, 3));
    ASSERT_FALSE(status);
    after.push_back(*status.error().retry_at - start);
  }
  EXPECT_EQ(after, (std::vector<Duration>{1h, 1h, 1h, 1h, 2h, 2h, 2h, 3h}));
}

}  // namespace
}  // namespace certherd::runtime

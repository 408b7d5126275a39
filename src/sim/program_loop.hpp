#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "runtime/event_loop.hpp"

namespace certherd::sim {

/// A clock that may be wrong. Waits last as long as they should all the same, as those of the
/// program do, which go by the monotonic clock (runtime/real_clock.hpp).
class WrongClock final : public runtime::Clock {
 public:
  explicit WrongClock(runtime::Clock& right) : right_(right) {}

  /// From now on; positive: it is ahead.
  void set_error(Duration error) { error_ = error; }
  Duration error() const { return error_; }

  Time now() const override { return right_.now() + error_; }
  Task<void> sleep_until(Time when) override { return right_.sleep_until(rightly(when)); }
  std::unique_ptr<runtime::Alarm> alarm_at(Time when,
                                           std::move_only_function<void()> ring) override {
    return right_.alarm_at(rightly(when), std::move(ring));
  }

 private:
  Time rightly(Time when) const { return when == Time::max() ? when : when - error_; }

  runtime::Clock& right_;
  Duration error_{};
};

/// The loop of a world as the program has it, with a clock of its own.
class ProgramLoop final : public runtime::EventLoop {
 public:
  using runtime::EventLoop::run;

  explicit ProgramLoop(runtime::EventLoop& world) : world_(world), clock_(world.clock()) {}

  boost::asio::io_context& context() override { return world_.context(); }
  WrongClock& clock() override { return clock_; }
  void run(Task<void> main) override { world_.run(std::move(main)); }

 private:
  runtime::EventLoop& world_;
  WrongClock clock_;
};

}  // namespace certherd::sim

#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "runtime/clock.hpp"
#include "runtime/set_backs.hpp"

namespace certherd::runtime {

/// A clock that may be wrong, for simulations and tests. Waits last as long as they should all the
/// same, as those of the program do, which go by the monotonic clock (real_clock.hpp).
class WrongClock final : public Clock {
 public:
  explicit WrongClock(Clock& right) : right_(right) {}

  /// From now on; positive: it is ahead.
  void set_error(Duration error) { error_ = error; }
  Duration error() const { return error_; }

  Time now() const override {
    const Time now = right_.now() + error_;
    set_backs_.note(now);
    return now;
  }
  Duration set_back() const override { return set_backs_.total(); }
  Task<void> sleep_until(Time when) override { return right_.sleep_until(rightly(when)); }
  std::unique_ptr<Alarm> alarm_at(Time when, std::move_only_function<void()> ring) override {
    return right_.alarm_at(rightly(when), std::move(ring));
  }

 private:
  Time rightly(Time when) const { return when == Time::max() ? when : when - error_; }

  Clock& right_;
  Duration error_{};
  mutable SetBacks set_backs_;
};

}  // namespace certherd::runtime

#pragma once

#include <boost/asio/io_context.hpp>

#include "runtime/clock.hpp"
#include "runtime/set_backs.hpp"

namespace certherd::runtime {

/// The system's clock. Sleeps by the monotonic clock, so that a clock set back or forth by an
/// administrator neither hangs nor fires a waiting task.
class RealClock final : public Clock {
 public:
  explicit RealClock(boost::asio::io_context& context) : context_(context) {}

  Time now() const override;
  Duration set_back() const override { return set_backs_.total(); }
  Task<void> sleep_until(Time when) override;
  std::unique_ptr<Alarm> alarm_at(Time when, std::move_only_function<void()> ring) override;

 private:
  boost::asio::io_context& context_;
  mutable SetBacks set_backs_;
};

}  // namespace certherd::runtime

#pragma once

#include "runtime/clock.hpp"

namespace certherd::runtime {

/// The system's clock. Sleeps by the monotonic clock, so that a clock set back or forth by an
/// administrator neither hangs nor fires a waiting task.
class RealClock final : public Clock {
 public:
  Time now() const override;
  Task<void> sleep_until(Time when) override;
};

}  // namespace certherd::runtime

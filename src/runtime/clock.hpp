#pragma once

#include "base/time.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// The only source of time and the only way to wait for it. Owned by app (or a test), used on
/// the loop.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Time now() const = 0;

  /// Returns at `when`, or at once if that is past. Cancellation ends it early by an exception.
  virtual Task<void> sleep_until(Time when) = 0;

  Task<void> sleep_for(Duration duration) { return sleep_until(now() + duration); }
};

}  // namespace certherd::runtime

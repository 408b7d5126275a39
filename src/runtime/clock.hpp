#pragma once

#include <functional>
#include <memory>

#include "base/time.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Something that is to happen at a moment; letting go of it calls it off.
class Alarm {
 public:
  virtual ~Alarm() = default;
};

/// The only source of time and the only way to wait for it. Owned by app (or a test), used on
/// the loop.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Time now() const = 0;

  /// By how much it was set back so far, all times taken together, as far as anybody could notice:
  /// now() gave an earlier time than it had given before. Who has kept a moment from before may
  /// wait for longer than he should.
  virtual Duration set_back() const { return {}; }

  /// Returns at `when`, or at once if that is past. Cancellation ends it early by an exception.
  virtual Task<void> sleep_until(Time when) = 0;

  /// Calls `ring` on the loop at `when` (soon, if that is past), unless the alarm is gone by then;
  /// never inside of this call. For waits that seldom last so long: unlike a sleep that is
  /// cancelled, an alarm that is called off costs no exception. Must not outlive the loop.
  virtual std::unique_ptr<Alarm> alarm_at(Time when, std::move_only_function<void()> ring) = 0;

  Task<void> sleep_for(Duration duration) { return sleep_until(now() + duration); }
};

}  // namespace certherd::runtime

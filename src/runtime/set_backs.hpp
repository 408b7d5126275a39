#pragma once

#include <atomic>
#include <chrono>

#include "base/time.hpp"

namespace certherd::runtime {

/// Notices that a clock was set back, by the times that it gives. One that was ahead for a moment
/// only, between two looks at it, has misled just those who asked it in that moment; so each time
/// that it gives is held against the latest before. Usable from any thread.
class SetBacks {
 public:
  /// A clock that is set right by less is disciplined, as NTP does it: no wait becomes much longer.
  static constexpr Duration tolerated = std::chrono::minutes(1);

  void note(Time now) {
    const auto given = now.time_since_epoch().count();
    auto latest = latest_.load(std::memory_order_relaxed);
    while (given > latest || latest - given > tolerated.count()) {
      if (!latest_.compare_exchange_weak(latest, given, std::memory_order_relaxed)) continue;
      if (given < latest) total_.fetch_add(latest - given, std::memory_order_relaxed);
      return;
    }
  }

  /// By how much it was set back, all times taken together.
  Duration total() const { return Duration(total_.load(std::memory_order_relaxed)); }

 private:
  std::atomic<Duration::rep> latest_ = Time::min().time_since_epoch().count();
  std::atomic<Duration::rep> total_ = 0;
};

}  // namespace certherd::runtime

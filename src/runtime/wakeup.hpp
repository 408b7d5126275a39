#pragma once

#include <memory>

#include "runtime/clock.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Wakes waiting tasks of the loop, in the order in which they began to wait. It keeps no
/// memory: a notify without a waiter does nothing, so waiters look at their condition first.
class Wakeup {
 public:
  explicit Wakeup(EventLoop& loop);
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Returns at the next notify_all() or, if that is first, at `latest`.
  Task<void> wait_until(Time latest);
  Task<void> wait();

  void notify_all();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace certherd::runtime

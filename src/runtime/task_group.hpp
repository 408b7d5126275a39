#pragma once

#include <cstddef>
#include <memory>

#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Every task that is not awaited where it is made lives in one of these. Used on the loop only.
class TaskGroup {
 public:
  explicit TaskGroup(EventLoop& loop);
  ~TaskGroup();  ///< must be empty by then: terminates otherwise, since tasks refer to their owners
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `task`. What it throws is a defect: it is kept, and join() throws it. Cancellation is
  /// no defect.
  void spawn(Task<void> task);

  /// Asks every running task to end (terminal cancellation). Later spawns start cancelled too.
  void cancel();

  /// Returns when every task has ended; new ones may be spawned until then. Goes on waiting when
  /// it is itself cancelled.
  Task<void> join();

  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the completion handlers, which may run last
};

}  // namespace certherd::runtime

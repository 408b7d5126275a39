#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/time.hpp"
#include "runtime/clock.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Suspended coroutines, ordered by a time and then by the order in which they came. Each goes on
/// once: woken, or cancelled. They always go on by way of the loop, never inside the caller.
/// What Clock, Wakeup and TaskGroup are made of; not for other rooms.
class ParkingLot {
 public:
  using Ticket = std::pair<Time, std::uint64_t>;

  /// A place behind all that were given for `when` before.
  Ticket ticket(Time when = {}) { return {when, next_++}; }

  /// Suspends until the ticket is woken. Cancellation ends it by an exception.
  Task<void> park(Ticket ticket);

  /// The same, deaf to cancellation.
  Task<void> park_through(Ticket ticket);

  /// Has `ring` called when the ticket is woken, by whoever wakes it, in place of a coroutine.
  std::unique_ptr<Alarm> alarm(Ticket ticket, std::move_only_function<void()> ring);

  /// Lets that coroutine go on; nothing happens when it did already.
  void wake(Ticket ticket);

  /// Wakes the first; false when there is none.
  bool wake_first();

  /// Wakes all that wait now.
  void wake_all();

  /// The first ticket, or nothing when nobody waits.
  std::optional<Ticket> first() const;

 private:
  using Resume = std::move_only_function<void(boost::system::error_code)>;
  using Waiting = std::map<Ticket, Resume>;
  struct Park;
  class Placed;

  static void resume(Waiting& waiting, Ticket ticket, boost::system::error_code error);

  // Shared with cancellation slots, whose handlers may outlive the lot by a moment.
  std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
  std::uint64_t next_ = 0;
};

}  // namespace certherd::runtime

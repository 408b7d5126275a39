#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Lets at most `count` holders go on at one time, first come, first served: what they do may hold
/// a socket, and a process has only so many. Used on the loop; outlives its holders.
class Slots {
 public:
  Slots(EventLoop& loop, std::size_t count) : loop_(loop), free_(count) {}

  /// Gives its slot back when it goes.
  class Hold {
   public:
    explicit Hold(Slots* slots) : slots_(slots) {}
    Hold(Hold&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (slots_ != nullptr) slots_->release();
    }

   private:
    Slots* slots_;
  };

  Task<Hold> take();

 private:
  class Place;

  void release();

  EventLoop& loop_;
  std::size_t free_;
  std::list<Place*> queue_;
};

}  // namespace certherd::runtime

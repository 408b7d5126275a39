#include "runtime/slots.hpp"

#include "runtime/wakeup.hpp"

namespace certherd::runtime {

/// A place in the queue: left by being granted a slot, or by being cancelled.
class Slots::Place {
 public:
  explicit Place(Slots* slots)
      : slots_(slots),
        granted_at_(slots->loop_),
        position_(slots->queue_.insert(slots->queue_.end(), this)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  ~Place() {
    if (!granted_) {
      slots_->queue_.erase(position_);
    } else if (!taken_) {
      slots_->release();  // cancelled in the moment between the grant and its taking
    }
  }

  void grant() {
    granted_ = true;
    slots_->queue_.erase(position_);
    granted_at_.notify_all();
  }

  Task<void> wait() {
    while (!granted_) co_await granted_at_.wait();
  }

  Hold take() {
    taken_ = true;
    return Hold(slots_);
  }

 private:
  Slots* slots_;
  Wakeup granted_at_;
  std::list<Place*>::iterator position_;
  bool granted_ = false;
  bool taken_ = false;
};

Task<Slots::Hold> Slots::take() {
  if (free_ > 0) {
    --free_;
    co_return Hold(this);
  }
  Place place(this);
  co_await place.wait();
  co_return place.take();
}

void Slots::release() {
  if (queue_.empty()) {
    ++free_;
  } else {
    queue_.front()->grant();
  }
}

}  // namespace certherd::runtime

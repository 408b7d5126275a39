#include "runtime/wakeup.hpp"

#include <boost/asio/this_coro.hpp>
#include <memory>

#include "runtime/parking_lot.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {

struct Wakeup::State {
  Clock* clock;
  ParkingLot waiting;
};

Wakeup::Wakeup(EventLoop& loop)
    : state_(std::make_shared<State>(State{.clock = &loop.clock(), .waiting = {}})) {}

Wakeup::~Wakeup() { notify_all(); }

Task<void> Wakeup::wait() { return wait_until(Time::max()); }

Task<void> Wakeup::wait_until(Time latest) {
  throw_if_cancelled(co_await boost::asio::this_coro::cancellation_state);
  if (latest <= state_->clock->now()) co_return;

  const auto ticket = state_->waiting.ticket();
  std::unique_ptr<Alarm> alarm;
  if (latest != Time::max()) {
    alarm = state_->clock->alarm_at(latest, [weak = std::weak_ptr(state_), ticket] {
      if (const auto state = weak.lock()) state->waiting.wake(ticket);
    });
  }
  co_await state_->waiting.park(ticket);  // this wakeup may be gone afterwards
}

void Wakeup::notify_all() { state_->waiting.wake_all(); }

}  // namespace certherd::runtime

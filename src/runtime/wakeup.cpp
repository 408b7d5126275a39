#include "runtime/wakeup.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "runtime/parking_lot.hpp"
#include "runtime/root.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {

namespace asio = boost::asio;

struct Wakeup::State {
  Clock* clock;
  ParkingLot waiting;

  static Task<void> wake_at(Clock* clock, Time when, std::weak_ptr<State> weak,
                            ParkingLot::Ticket ticket) {
    // co_spawn runs the beginning of a coroutine at once: without this pause, a moment that has
    // just come would wake the waiter before it has parked, and it would sleep for ever.
    co_await asio::post(asio::use_awaitable);
    co_await clock->sleep_until(when);
    if (const auto state = weak.lock()) state->waiting.wake(ticket);
  }
};

Wakeup::Wakeup(EventLoop& loop)
    : state_(std::make_shared<State>(State{.clock = &loop.clock(), .waiting = {}})) {}

Wakeup::~Wakeup() { notify_all(); }

Task<void> Wakeup::wait() { return wait_until(Time::max()); }

Task<void> Wakeup::wait_until(Time latest) {
  co_await cancellation_point();
  if (latest <= state_->clock->now()) co_return;

  const auto ticket = state_->waiting.ticket();
  if (latest == Time::max()) {
    co_await state_->waiting.park(ticket);
    co_return;
  }
  // The alarm is a coroutine of its own, so that all waiters stand in one line whether or not
  // they have an alarm. It is not awaited: it touches only what it holds, and cancelling
  // ends it in the loop's current round.
  const auto alarm_off = std::make_shared<asio::cancellation_signal>();
  asio::co_spawn(
      co_await asio::this_coro::executor,
      as_root(State::wake_at(state_->clock, latest, state_, ticket)),
      asio::bind_cancellation_slot(alarm_off->slot(), [alarm_off](const std::exception_ptr&) {}));
  std::exception_ptr thrown;
  try {
    co_await state_->waiting.park(ticket);  // this wakeup may be gone afterwards
  } catch (...) {
    thrown = std::current_exception();
  }
  alarm_off->emit(asio::cancellation_type::terminal);
  if (thrown) std::rethrow_exception(thrown);
}

void Wakeup::notify_all() { state_->waiting.wake_all(); }

}  // namespace certherd::runtime

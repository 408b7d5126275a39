#include "runtime/wakeup.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <map>
#include <set>
#include <utility>

#include "runtime/parking_lot.hpp"
#include "runtime/root.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {

namespace asio = boost::asio;

// An alarm is a coroutine that sleeps. To have one for each wait, and to end it by an exception
// when the wait is over before, took a tenth of a busy loop's time. So one that is set for an
// earlier moment serves all later waits too: it looks who is due, and sets the next one.
struct Wakeup::State : std::enable_shared_from_this<Wakeup::State> {
  explicit State(EventLoop& loop) : clock(&loop.clock()), executor(loop.context().get_executor()) {}

  Clock* clock;
  asio::io_context::executor_type executor;
  ParkingLot waiting;
  std::set<std::pair<Time, ParkingLot::Ticket>> deadlines;  ///< of those who wait
  /// By their moments.
  std::map<Time, std::shared_ptr<asio::cancellation_signal>> alarms;

  /// Sees to it that somebody looks when the first deadline has come.
  void set_alarm() {
    if (deadlines.empty()) return;
    const Time when = deadlines.begin()->first;
    if (!alarms.empty() && alarms.begin()->first <= when) return;
    auto off = std::make_shared<asio::cancellation_signal>();
    alarms.emplace(when, off);
    asio::co_spawn(executor, as_root(ring_at(clock, when, weak_from_this())),
                   asio::bind_cancellation_slot(off->slot(), [off](const std::exception_ptr&) {}));
  }

  void ring(Time alarm) {
    alarms.erase(alarm);
    while (!deadlines.empty() && deadlines.begin()->first <= clock->now()) {
      waiting.wake(deadlines.begin()->second);
      deadlines.erase(deadlines.begin());
    }
    set_alarm();
  }

  /// Ends the alarms; nobody waits any more.
  void silence() {
    for (const auto& [when, off] : std::exchange(alarms, {})) {
      off->emit(asio::cancellation_type::terminal);
    }
  }

  static Task<void> ring_at(Clock* clock, Time when, std::weak_ptr<State> weak) {
    // co_spawn runs the beginning of a coroutine at once: without this pause, a moment that has
    // just come would wake the waiter before it has parked, and it would sleep for ever.
    co_await asio::post(asio::use_awaitable);
    co_await clock->sleep_until(when);
    if (const auto state = weak.lock()) state->ring(when);
  }
};

Wakeup::Wakeup(EventLoop& loop) : state_(std::make_shared<State>(loop)) {}

Wakeup::~Wakeup() {
  notify_all();
  state_->silence();
}

Task<void> Wakeup::wait() { return wait_until(Time::max()); }

Task<void> Wakeup::wait_until(Time latest) {
  co_await cancellation_point();
  if (latest <= state_->clock->now()) co_return;

  const auto ticket = state_->waiting.ticket();
  if (latest == Time::max()) {
    co_await state_->waiting.park(ticket);
    co_return;
  }
  state_->deadlines.emplace(latest, ticket);
  state_->set_alarm();
  // Weak: the state holds this coroutine while it waits, and may be gone when it goes on.
  const std::weak_ptr<State> weak = state_;
  std::exception_ptr thrown;
  try {
    co_await state_->waiting.park(ticket);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (const auto state = weak.lock()) state->deadlines.erase({latest, ticket});
  if (thrown) std::rethrow_exception(thrown);
}

void Wakeup::notify_all() { state_->waiting.wake_all(); }

}  // namespace certherd::runtime

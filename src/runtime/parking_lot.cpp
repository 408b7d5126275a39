#include "runtime/parking_lot.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {

namespace asio = boost::asio;
using boost::system::error_code;

/// Turns the completion handler of a suspended coroutine into an entry of the lot.
struct ParkingLot::Park {
  // Weak: it stays in the frame of the coroutine, which the lot in turn holds.
  std::weak_ptr<Waiting> waiting;
  Ticket ticket;
  bool heeds_cancellation;

  template <typename Handler>
  void operator()(Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (heeds_cancellation && slot.is_connected()) {
      slot.assign([weak = waiting, own = ticket](asio::cancellation_type) {
        if (auto lot = weak.lock()) resume(*lot, own, asio::error::operation_aborted);
      });
    }
    waiting.lock()->emplace(ticket, [handler = std::move(handler)](error_code error) mutable {
      const auto executor = asio::get_associated_executor(handler);
      asio::post(executor,
                 [handler = std::move(handler), error]() mutable { std::move(handler)(error); });
    });
  }
};

Task<void> ParkingLot::park(Ticket ticket) {
  Park start{waiting_, ticket, true};
  // As cancellation_point(), which would cost one more coroutine for each wait.
  throw_if_cancelled(co_await asio::this_coro::cancellation_state);
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      std::move(start), asio::use_awaitable);
}

Task<void> ParkingLot::park_through(Ticket ticket) {
  Park start{waiting_, ticket, false};
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      std::move(start), asio::use_awaitable);
}

class ParkingLot::Placed final : public Alarm {
 public:
  Placed(std::weak_ptr<Waiting> waiting, Ticket ticket)
      : waiting_(std::move(waiting)), ticket_(ticket) {}
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;
  ~Placed() override {
    if (const auto lot = waiting_.lock()) lot->erase(ticket_);
  }

 private:
  std::weak_ptr<Waiting> waiting_;
  Ticket ticket_;
};

std::unique_ptr<Alarm> ParkingLot::alarm(Ticket ticket, std::move_only_function<void()> ring) {
  waiting_->emplace(ticket, [ring = std::move(ring)](error_code) mutable { ring(); });
  return std::make_unique<Placed>(waiting_, ticket);
}

void ParkingLot::resume(Waiting& waiting, Ticket ticket, error_code error) {
  if (auto node = waiting.extract(ticket)) node.mapped()(error);
}

void ParkingLot::wake(Ticket ticket) { resume(*waiting_, ticket, {}); }

bool ParkingLot::wake_first() {
  if (waiting_->empty()) return false;
  wake(waiting_->begin()->first);
  return true;
}

void ParkingLot::wake_all() {
  while (wake_first()) {
  }
}

std::optional<ParkingLot::Ticket> ParkingLot::first() const {
  if (waiting_->empty()) return std::nullopt;
  return waiting_->begin()->first;
}

}  // namespace certherd::runtime

#include "runtime/real_clock.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

// The timer counts nanoseconds in 64 bits: spans beyond 292 years would overflow it.
constexpr Duration longest_sleep = std::chrono::years(100);

class RealAlarm final : public Alarm {
 public:
  RealAlarm(boost::asio::io_context& context, Duration after, std::move_only_function<void()> ring)
      : ring_(std::make_shared<std::move_only_function<void()>>(std::move(ring))),
        timer_(context, std::clamp(after, Duration(0), longest_sleep)) {
    // One that has expired cannot be taken back from the loop any more: then ring_ is gone.
    timer_.async_wait([weak = std::weak_ptr(ring_)](const boost::system::error_code& error) {
      if (const auto strong = weak.lock(); strong && !error) (*strong)();
    });
  }

 private:
  std::shared_ptr<std::move_only_function<void()>> ring_;
  boost::asio::steady_timer timer_;
};

}  // namespace

Time RealClock::now() const {
  const Time now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  set_backs_.note(now);
  return now;
}

Task<void> RealClock::sleep_until(Time when) {
  co_await cancellation_point();
  const Time begin = now();
  if (when <= begin) co_return;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::min(when - begin, longest_sleep));
  co_await timer.async_wait(boost::asio::use_awaitable);
}

std::unique_ptr<Alarm> RealClock::alarm_at(Time when, std::move_only_function<void()> ring) {
  const Time begin = now();
  const Duration after = when - std::min(when, begin);
  return std::make_unique<RealAlarm>(context_, after, std::move(ring));
}

}  // namespace certherd::runtime

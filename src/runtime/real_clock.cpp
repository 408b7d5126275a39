#include "runtime/real_clock.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {

// The timer counts nanoseconds in 64 bits: spans beyond 292 years would overflow it.
constexpr Duration longest_sleep = std::chrono::years(100);

Time RealClock::now() const {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

Task<void> RealClock::sleep_until(Time when) {
  co_await cancellation_point();
  const Time begin = now();
  if (when <= begin) co_return;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::min(when - begin, longest_sleep));
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace certherd::runtime

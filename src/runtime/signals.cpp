#include "runtime/signals.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {

Task<int> wait_for_termination(EventLoop* loop) {
  co_await cancellation_point();
  boost::asio::signal_set signals(loop->context(), SIGINT, SIGTERM);
  struct sigaction hang_up{};
  const bool ignored = sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN;
  if (!ignored) signals.add(SIGHUP);
  co_return co_await signals.async_wait(boost::asio::use_awaitable);
}

}  // namespace certherd::runtime

#include "runtime/root.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {

Task<void> as_root(Task<void> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  throw_if_cancelled(co_await boost::asio::this_coro::cancellation_state);
  co_await std::move(task);
}

}  // namespace certherd::runtime

#include "runtime/together.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "runtime/root.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {

namespace asio = boost::asio;

Task<void> together(std::vector<Task<void>> tasks) {
  co_await cancellation_point();
  if (tasks.empty()) co_return;  // a group of none would never complete
  if (tasks.size() == 1) {
    co_await std::move(tasks.front());
    co_return;
  }

  const auto executor = co_await asio::this_coro::executor;
  const auto start = [&executor](Task<void> task) {
    return asio::co_spawn(executor, as_root(std::move(task)), asio::deferred);
  };
  std::vector<decltype(start(std::declval<Task<void>>()))> starts;
  starts.reserve(tasks.size());
  for (auto& task : tasks) starts.push_back(start(std::move(task)));

  auto group = asio::experimental::make_parallel_group(std::move(starts));
  const auto [order, thrown] =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  // The first is the reason, the others were cancelled for it.
  for (const std::size_t index : order) {
    if (thrown[index]) std::rethrow_exception(thrown[index]);
  }
}

}  // namespace certherd::runtime

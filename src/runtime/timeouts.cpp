#include "runtime/timeouts.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "runtime/finished_before.hpp"
#include "runtime/root.hpp"

namespace certherd::runtime {

namespace asio = boost::asio;

Task<bool> finished_before(Task<void> alarm, Task<void> task) {
  co_await cancellation_point();
  const auto executor = co_await asio::this_coro::executor;
  auto both = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, as_root(std::move(task)), asio::deferred),
      asio::co_spawn(executor, as_root(std::move(alarm)), asio::deferred));
  const auto [order, task_threw, alarm_threw] =
      co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);

  const bool late = order[0] == 1 && !alarm_threw;
  if (task_threw && !(late && is_cancellation(task_threw))) std::rethrow_exception(task_threw);
  co_return !late;
}

Task<bool> finished_by(Clock* clock, Time deadline, Task<void> task) {
  auto alarm = clock->sleep_until(deadline);
  co_return co_await finished_before(std::move(alarm), std::move(task));
}

namespace {

Task<void> note_success(Clock* clock, Time deadline, Task<void> task, bool* success) {
  *success = co_await finished_by(clock, deadline, std::move(task));
}

}  // namespace

Task<bool> shielded(Clock* clock, Duration timeout, Task<void> task) {
  bool success = false;
  auto run = note_success(clock, clock->now() + timeout, std::move(task), &success);
  // A coroutine of its own has a cancellation state of its own. The empty slot keeps ours from it.
  auto deaf = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  try {
    co_await asio::co_spawn(co_await asio::this_coro::executor, as_root(std::move(run)), deaf);
  } catch (...) {
    // Clean-up has nobody to tell but its own result.
    success = false;
  }
  co_return success;
}

Task<bool> is_cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

void throw_if_cancelled(const asio::cancellation_state& state) {
  if (state.cancelled() == asio::cancellation_type::none) return;
  throw boost::system::system_error(asio::error::operation_aborted, "cancelled");
}

Task<void> cancellation_point() {
  throw_if_cancelled(co_await asio::this_coro::cancellation_state);
}

bool is_cancellation(const std::exception_ptr& thrown) {
  if (!thrown) return false;
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace certherd::runtime

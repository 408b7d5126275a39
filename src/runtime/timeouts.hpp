#pragma once

#include <boost/asio/cancellation_state.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "runtime/clock.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Runs `task` until `deadline`; true when it ended by itself, false when it was cancelled for
/// being late. Returns only after it has really ended. What it throws comes through.
Task<bool> finished_by(Clock* clock, Time deadline, Task<void> task);

namespace detail {
template <typename T>
Task<void> keep_value(Task<T> task, std::optional<T>* value) {
  value->emplace(co_await std::move(task));
}
}  // namespace detail

/// The task's value, or nothing when it was not there by `deadline`.
template <typename T>
Task<std::optional<T>> value_by(Clock* clock, Time deadline, Task<T> task) {
  std::optional<T> value;
  auto keep = detail::keep_value(std::move(task), &value);
  co_await finished_by(clock, deadline, std::move(keep));
  co_return value;
}

/// For clean-up that must also happen after a cancellation: hides the cancellation from `task`,
/// gives it at most `timeout`, and lets nothing escape. True when it ended by itself in time.
/// A cancellation stays in force for what the caller does next.
Task<bool> shielded(Clock* clock, Duration timeout, Task<void> task);

/// Whether the calling coroutine has been cancelled; never throws for it.
Task<bool> is_cancelled();

/// Throws as a cancelled wait does when the calling coroutine has been cancelled. What waits by
/// an Asio operation of its own calls it first (task.hpp tells why).
Task<void> cancellation_point();

/// The same, given the coroutine's state.
void throw_if_cancelled(const boost::asio::cancellation_state& state);

/// Whether that is what cancellation throws.
bool is_cancellation(const std::exception_ptr& thrown);

}  // namespace certherd::runtime

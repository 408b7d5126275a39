#pragma once

#include <optional>
#include <utility>

#include "app/app.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "runtime/task.hpp"

namespace certherd::app {

/// How long the executor's lease is good for without a heartbeat.
inline constexpr Duration lease_ttl = std::chrono::seconds(15);

/// Carries out `work` while nobody executes for the store, and lets nobody begin to. Errors:
/// conflict, naming the process that executes; nothing is done then.
Task<Status> alone(App* app, Task<void> work);

namespace detail {

template <typename T>
Task<void> keep_result(std::optional<Result<T>>* result, Task<Result<T>> change) {
  *result = co_await std::move(change);
}

}  // namespace detail

/// The same for work with a result, whose errors come besides.
template <typename T>
Task<Result<T>> alone(App* app, Task<Result<T>> change) {
  std::optional<Result<T>> result;
  auto status = co_await alone(app, detail::keep_result(&result, std::move(change)));
  if (!status) co_return fail(std::move(status.error()));
  co_return std::move(*result);
}

}  // namespace certherd::app

#pragma once

#include "app/app.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/account.hpp"
#include "runtime/task.hpp"

namespace certherd::app {

/// How long the executor's lease is good for without a heartbeat.
inline constexpr Duration lease_ttl = std::chrono::seconds(15);

/// Carries out `change` while nobody executes for the store, and lets nobody begin to. Errors
/// besides those of `change`: conflict, naming the process that executes; nothing is done then.
Task<Result<Account>> alone(App* app, Task<Result<Account>> change);

}  // namespace certherd::app

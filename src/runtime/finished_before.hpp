#pragma once

#include "runtime/task.hpp"

namespace certherd::runtime {

/// Runs `task` until `alarm` returns; true when it ended by itself, false when it was cancelled for
/// being late. Returns only after it has really ended. What it throws comes through.
Task<bool> finished_before(Task<void> alarm, Task<void> task);

}  // namespace certherd::runtime

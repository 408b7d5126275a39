#pragma once

#include "runtime/task.hpp"

namespace certherd::runtime {

/// What every co_spawn of this room starts: ends at once when already cancelled, and otherwise
/// runs `task` under the cancellation rules that task.hpp tells. Not for other rooms.
Task<void> as_root(Task<void> task);

}  // namespace certherd::runtime

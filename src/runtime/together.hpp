#pragma once

#include <vector>

#include "runtime/task.hpp"

namespace certherd::runtime {

/// Runs all tasks at once and returns when the last has ended. Cancellation ends them all; so
/// does what one of them throws, which then comes through.
Task<void> together(std::vector<Task<void>> tasks);

}  // namespace certherd::runtime

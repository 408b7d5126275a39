#pragma once

#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Waits for SIGINT or SIGTERM and returns which it was. While one is waited for, neither ends
/// the process by itself.
Task<int> wait_for_termination(EventLoop* loop);

}  // namespace certherd::runtime

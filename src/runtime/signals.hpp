#pragma once

#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// Waits for SIGINT, SIGTERM, or SIGHUP (the terminal is gone) and returns which it was. While one
/// is waited for, none ends the process by itself. SIGHUP stays ignored where it was, as by nohup.
Task<int> wait_for_termination(EventLoop* loop);

}  // namespace certherd::runtime

#pragma once

#include <string>

namespace certherd::app {

/// Names this process among all that ever ran: boot, process-id namespace, process id, start time.
std::string process_identity();

/// True when `identity` is of a process of this machine that surely has ended. Processes of other
/// machines or namespaces cannot be judged and count as alive.
bool is_dead(const std::string& identity);

/// "process 4711" for messages.
std::string describe_process(const std::string& identity);

}  // namespace certherd::app

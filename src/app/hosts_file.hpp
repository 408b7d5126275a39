#pragma once

#include <string_view>
#include <vector>

#include "model/endpoint.hpp"

namespace certherd::app {

/// Reads a list of endpoints, one `host[:port][@address]` a line, by the rules and with the errors
/// of read_list(). All or nothing.
Result<std::vector<Endpoint>> read_hosts(std::string_view text);

}  // namespace certherd::app

#pragma once

#include <string_view>
#include <vector>

#include "model/endpoint.hpp"

namespace certherd::app {

/// The largest list of hosts, in octets: a million of them.
constexpr std::size_t hosts_limit = 64U << 20U;

/// Reads a list of endpoints, one `host[:port][@address]` a line. What follows a `#` is a comment;
/// empty lines mean nothing. All or nothing: the error is misconfigured with a cause for each bad
/// line, its op "line N"; a list without any endpoint is an error too.
Result<std::vector<Endpoint>> read_hosts(std::string_view text);

}  // namespace certherd::app

#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace certherd::probe {

/// All addresses of a host, each once, in the order of the system's resolver (RFC 6724). Blocks
/// for as long as the resolver takes. Errors: not_found, transient.
Result<std::vector<boost::asio::ip::address>> look_up(const std::string& host);

}  // namespace certherd::probe

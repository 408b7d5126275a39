#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace certherd::app {

/// Of the program, such as "0.1.0".
std::string_view version();

/// The day of that version, such as "2026-11-24".
std::string_view released();

/// "certherd/0.1.0": what the CA sees (RFC 8555 section 6.1 wants a User-Agent).
std::string user_agent();

/// The libraries that it runs on, by name and version.
std::vector<std::pair<std::string, std::string>> libraries();

}  // namespace certherd::app

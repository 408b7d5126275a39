#pragma once

#include <optional>
#include <string_view>

#include "model/identifiers.hpp"

namespace certherd {

/// A serial as people and other programs write it: hex in either case, with or without colons,
/// leading zeros and `0x`. Nothing when it is none, or longer than the 20 octets that RFC 5280
/// section 4.1.2.2 allows.
std::optional<Serial> parse_serial(std::string_view text);

}  // namespace certherd

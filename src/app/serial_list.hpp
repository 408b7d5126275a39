#pragma once

#include <set>
#include <string_view>

#include "base/result.hpp"
#include "model/identifiers.hpp"

namespace certherd::app {

/// Reads a list of serials, one a line in any spelling of parse_serial(), by the rules and with the
/// errors of read_list(). All or nothing.
Result<std::set<Serial>> read_serials(std::string_view text);

}  // namespace certherd::app

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certherd::cli {

/// The content of a file that the user named; `-` is standard input. Of that, reading ends soon
/// behind `limit`, so that who is given the text can tell that it is too large.
/// Errors: misconfigured, during `op`.
Result<std::string> read_input(const std::string& path, std::size_t limit, std::string_view op);

}  // namespace certherd::cli

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace certherd::aws {

/// Splits a command line as a POSIX shell does, with quotes and backslashes and nothing else of a
/// shell. Errors: misconfigured when a quote is not closed.
Result<std::vector<std::string>> split_words(std::string_view line);

}  // namespace certherd::aws

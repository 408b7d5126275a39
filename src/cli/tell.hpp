#pragma once

#include <string_view>

namespace certherd::cli {

// What is said on stderr besides the log. Where the log is JSON, each is a line of it.

/// A trouble, behind the program's name.
void tell_trouble(std::string_view words);

/// One part of the trouble that was told last.
void tell_part(std::string_view words);

/// What belongs to the output, and is no part of it.
void tell_aside(std::string_view words);

}  // namespace certherd::cli

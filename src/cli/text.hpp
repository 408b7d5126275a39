#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certherd::cli {

/// Columns that a terminal needs for UTF-8 text: two for most of Chinese, Japanese and Korean, none
/// for combining characters.
std::size_t display_width(std::string_view text);

/// The text in at most `width` columns; what is cut off is told by "…".
std::string cut_to(std::string_view text, std::size_t width);

/// The text in lines of at most `width` columns, broken at spaces; only a word that is longer than
/// a line stands out. Line breaks of the text stay.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

}  // namespace certherd::cli

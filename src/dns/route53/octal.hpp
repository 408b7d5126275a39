#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace certherd::dns::route53 {

/// Appends an octet as `\ooo`.
void append_octal(std::string& text, char octet);

/// Takes `\ooo` from the front of the text and gives its octet. Nothing, and nothing is taken,
/// when the text does not begin so.
std::optional<char> take_octal(std::string_view& text);

}  // namespace certherd::dns::route53

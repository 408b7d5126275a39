#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace certherd {

/// Whether a text is UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing cut off.
bool is_utf8(std::string_view text);

/// What somebody else says is kept in the store and shown: more octets than this help nobody.
constexpr std::size_t longest_words = 2000;

/// Such words as a terminal can show them, which takes control characters for commands: these
/// become spaces, and what is not UTF-8 becomes U+FFFD. What is too long is cut off, at the end of
/// a character.
std::string cleaned(std::string_view words);

}  // namespace certherd

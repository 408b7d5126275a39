#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certherd::crypto {

/// Base64url without padding (RFC 7515 section 2).
std::string base64url(std::string_view bytes);
/// Errors: rejected on any character outside the alphabet, padding included.
Result<std::string> from_base64url(std::string_view text);

/// Ordinary base64 with padding, on one line.
std::string base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

/// Lower-case hex.
std::string hex(std::string_view bytes);

std::string sha256(std::string_view bytes);

/// For identifiers that others have made of it; it protects nothing.
std::string sha1(std::string_view bytes);
/// `hash` is "SHA256", "SHA384" or "SHA512".
std::string hmac(std::string_view hash, std::string_view key, std::string_view message);

/// Compares in a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace certherd::crypto

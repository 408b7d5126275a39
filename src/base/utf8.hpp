#pragma once

#include <string_view>

namespace certherd {

/// Whether a text is UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing cut off.
bool is_utf8(std::string_view text);

}  // namespace certherd

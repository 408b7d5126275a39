#pragma once

#include <string_view>

namespace certherd::acme {

/// Whether `text` has only base64url characters (RFC 8555 sections 6.5.1 and 8.3), at least one
/// and at most 256. It need not decode to whole bytes.
bool is_token(std::string_view text);

}  // namespace certherd::acme

#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certherd::store {

/// An error with its problem and causes, as JSON text: the last_error of a row.
std::string encode_error(const Error& error);

/// Errors: rejected.
Result<Error> decode_error(std::string_view text);

}  // namespace certherd::store

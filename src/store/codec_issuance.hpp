#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/issuance.hpp"

namespace certherd::store {

/// The part of an issuance that has no column of its own.
std::string encode_body(const Issuance& issuance);

/// Puts a body into an issuance whose columns are read already. Errors: rejected.
Status decode_body(std::string_view text, Issuance& issuance);

}  // namespace certherd::store

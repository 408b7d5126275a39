#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/request.hpp"

namespace certherd::store {

std::string encode_arguments(const WorkRequest::Arguments& arguments);

/// Errors: rejected.
Result<WorkRequest::Arguments> decode_arguments(std::string_view text);

}  // namespace certherd::store

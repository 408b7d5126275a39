#pragma once

#include <string_view>

#include "http/client.hpp"

namespace certherd::http {

/// As it stands on the wire: "GET".
std::string_view to_string(Request::Method method);

}  // namespace certherd::http

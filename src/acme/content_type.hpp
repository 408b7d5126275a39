#pragma once

#include <string>

#include "http/client.hpp"

namespace certherd::acme {

/// The media type of the body in lower case, without parameters; empty when none is given.
std::string content_type(const http::Response& response);

}  // namespace certherd::acme

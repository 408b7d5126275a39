#pragma once

#include <boost/json/object.hpp>

#include "acme/client.hpp"

namespace certherd::acme {

/// RFC 8555 section 7.1.1. Errors: rejected.
Result<Directory> parse_directory(const boost::json::object& object);

}  // namespace certherd::acme

#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace certherd::deploy::kubernetes {

// Members of a JSON object that somebody else has written.

/// A text; empty when there is none.
std::string text_in(const boost::json::object& object, std::string_view name);

/// The same, of which no copy is left in the object.
Secret<std::string> take_secret(boost::json::object& object, std::string_view name);

/// Null when there is none.
const boost::json::object* object_in(const boost::json::object& object, std::string_view name);

}  // namespace certherd::deploy::kubernetes

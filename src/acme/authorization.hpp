#pragma once

#include <boost/json/object.hpp>

#include "acme/client.hpp"

namespace certherd::acme {

/// RFC 8555 section 7.1.4. Errors: rejected.
Result<Authorization> parse_authorization(const boost::json::object& object, AuthorizationUrl url);

/// RFC 8555 section 8. A dns-01 challenge needs URL and token; what other types lack stays
/// empty. Errors: rejected.
Result<Challenge> parse_challenge(const boost::json::object& object);

}  // namespace certherd::acme

#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "acme/client.hpp"

namespace certherd::acme {

/// RFC 8555 section 7.1.3. At most 100 identifiers and authorizations. An identifier that is no
/// DNS name reads as `type:value`, so that it equals none. Errors: rejected.
Result<Order> parse_order(const boost::json::object& object, OrderUrl url);

/// The payload of newOrder (RFC 8555 section 7.4, RFC 9773 section 5, profiles draft section 4).
std::string new_order_payload(const NewOrder& order);

/// Whether the order is for exactly these names.
bool is_for(const Order& order, const std::vector<Fqdn>& names);

}  // namespace certherd::acme

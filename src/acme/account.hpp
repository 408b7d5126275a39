#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "acme/client.hpp"

namespace certherd::acme {

/// RFC 8555 section 7.1.2. Errors: rejected.
Result<AccountInfo> parse_account(const boost::json::object& object, AccountUrl url);

/// The payload of newAccount (RFC 8555 section 7.3), which goes to `url`. `account_jwk` is what an
/// external account binding binds.
std::string new_account_payload(const NewAccount& account, const std::string& url,
                                const std::string& account_jwk);

/// The payload of a change of contacts (RFC 8555 section 7.3.2).
std::string contact_payload(const std::vector<std::string>& contact);

/// One page of an account's orders (RFC 8555 section 7.1.2.1). Errors: rejected.
Result<std::vector<OrderUrl>> parse_orders_page(const boost::json::object& object);

}  // namespace certherd::acme

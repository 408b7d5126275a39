#pragma once

#include <boost/json/object.hpp>

#include "acme/client.hpp"
#include "base/result.hpp"

namespace certherd::acme {

/// Where a certificate is asked about (RFC 9773 section 4.1). `base` is the directory's
/// renewalInfo, with or without a slash at its end.
std::string renewal_info_url(std::string base, const std::string& ari_id);

/// Errors: rejected; a window that ends before it begins is none.
Result<RenewalWindow> parse_renewal_info(const boost::json::object& object);

}  // namespace certherd::acme

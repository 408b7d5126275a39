#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/client.hpp"

namespace certherd::acme {

/// A URL that a CA handed out, exactly as it wrote it: it is signed as it stands. ACME is HTTPS
/// only (RFC 8555 section 6.1), also on this machine: a CA has no business with its servers.
/// Errors: rejected, with the URL.
Result<std::string> check_url(std::string_view text);

/// The same for headers, where a reference relative to `base` is allowed too (RFC 9110 section
/// 10.2.2, RFC 8288 section 3.1).
Result<std::string> resolve_url(std::string_view base, std::string_view reference);

/// Targets of all Link headers with that relation (RFC 8288), not resolved.
std::vector<std::string> links(const http::Response& response, std::string_view relation);

}  // namespace certherd::acme

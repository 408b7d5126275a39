#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/problem.hpp"
#include "base/result.hpp"
#include "http/client.hpp"

namespace certherd::acme {

/// Reads a problem document (RFC 7807, RFC 8555 section 6.7). It is already an error, so members
/// of a wrong type are left out rather than told; long texts and lists are cut.
Problem parse_problem(const boost::json::object& object);

/// What an answer without success means for us: the one table from ACME's error types and HTTP's
/// status codes to kinds, with Retry-After as retry_at and the problem kept whole.
Error to_error(std::string op, const http::Response& response, Time now);

/// Why an order or a challenge is invalid: always rejected, since the same one never gets valid
/// again.
Error validation_error(std::string op, const boost::json::object& problem);

}  // namespace certherd::acme

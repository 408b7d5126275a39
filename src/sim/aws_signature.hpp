#pragma once

#include <optional>
#include <string>

#include "aws/credentials.hpp"
#include "aws/sigv4.hpp"
#include "base/time.hpp"
#include "http/client.hpp"

namespace certherd::sim {

/// What AWS answers to a request whose signature it does not accept; nothing when it does. As
/// strict as AWS, and more: the time within 5 minutes of the server's clock, the right key, token
/// and scope, each of these headers there once, and every header signed. The answer carries the
/// server's Date, by which a client corrects its clock. `xml`: as Route 53 and STS answer it, else
/// as Secrets Manager does. `key` is the server's own.
std::optional<http::Response> refuse_bad_signature(const http::Request& request,
                                                   const aws::Credentials& credentials,
                                                   const aws::SigningScope& scope, Time server_now,
                                                   bool xml, aws::SigningKey& key);

/// An HTTP date (RFC 9110 section 5.6.7), such as "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(Time time);

}  // namespace certherd::sim

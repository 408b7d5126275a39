#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/result.hpp"
#include "http/client.hpp"

namespace certherd::aws {

/// Why a call failed: in our words, and in those of the service.
struct Failure {
  /// Common codes (throttling, rights, expired credentials, clock, internal errors) have their
  /// kind already; the kind of what only the service knows is `rejected`, until its adapter says
  /// better. `detail` is "CODE: message" and, where we know one, a remedy.
  Error error;
  int status = 0;    ///< of HTTP; 0 when there was no answer
  std::string code;  ///< such as "InvalidChangeBatch", without a namespace; empty without an answer
  std::vector<std::string> messages;  ///< what the service says; several for InvalidChangeBatch
};

using Reply = tl::expected<http::Response, Failure>;

/// Whether a code is one of those by which AWS services throttle (PriorRequestNotComplete is not).
bool is_throttling(std::string_view code);

/// Reads what a service answered when its status is not 2xx: XML (Route 53, STS), JSON (Secrets
/// Manager), or a page of something in between. `op` becomes the error's.
Failure read_failure(std::string op, const http::Response& response, Time now);

}  // namespace certherd::aws

#pragma once

#include <string>

#include "base/result.hpp"

namespace certherd::http {

/// The parts of a request's URL that matter before it is sent.
struct Address {
  std::string scheme;
  std::string host;  ///< an IPv6 address in brackets
  std::string port;
  std::string without_query;  ///< for people: a query may carry what logs should not

  std::string host_and_port() const { return host + ":" + port; }
};

/// Errors: misconfigured when it is no URL, carries a password, or would leave the machine
/// without TLS (the metadata addresses of AWS count as this machine).
Result<Address> check_url(const std::string& url);

}  // namespace certherd::http

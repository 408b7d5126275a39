#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/fqdn.hpp"

namespace certherd {

/// A place that serves a certificate: `host[:port][@address]`.
struct Endpoint {
  Fqdn host;  ///< sent as SNI and matched against the certificate
  std::uint16_t port = 443;
  /// Connect here instead of to the host: an address, or a name that is looked up; empty: the host.
  std::string address;

  /// Reads `host[:port][@address]`; an IPv6 address may stand in brackets.
  /// Errors: misconfigured.
  static Result<Endpoint> parse(std::string_view text);

  /// The form that parse() reads.
  std::string text() const;

  bool operator==(const Endpoint&) const = default;
};

}  // namespace certherd

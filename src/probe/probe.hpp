#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "crypto/x509.hpp"
#include "model/endpoint.hpp"
#include "runtime/task.hpp"

namespace certherd::probe {

/// What an endpoint served, judged after it was read.
struct Observation {
  std::string address;  ///< "192.0.2.1:443", what was really asked
  crypto::CertificateInfo leaf;
  std::vector<crypto::CertificateInfo> above;  ///< what was sent behind it, in that order
  bool name_matches = false;                   ///< some name of the leaf covers the endpoint's host
  std::optional<Error> trust;                  ///< why the chain is not trusted; nothing: it is
};

/// Reads what live endpoints serve: a TLS handshake, nothing sent after it. Owned by app.
class Probe {
 public:
  virtual ~Probe() = default;

  /// Errors: transient (unreachable, no TLS; the detail says which), deadline, not_found (the
  /// host has no address).
  virtual Task<Result<Observation>> look(Endpoint endpoint, Time deadline) = 0;

  /// All addresses where the endpoint is to be found, IPv4 and IPv6, in the order in which the
  /// system would try them and each once: those of its host, or of what it names instead. One that
  /// names an address has that one. Errors: not_found, transient, deadline, misconfigured.
  virtual Task<Result<std::vector<std::string>>> addresses(Endpoint endpoint, Time deadline) = 0;
};

}  // namespace certherd::probe

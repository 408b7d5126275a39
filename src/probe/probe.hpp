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
  std::vector<std::string> chain_der;  ///< leaf first
  bool name_matches = false;           ///< some name of the leaf covers the endpoint's host
  std::optional<Error> trust;          ///< why the chain is not trusted; nothing: it is
};

/// Reads what live endpoints serve: a TLS handshake, nothing sent after it. Owned by app.
class Probe {
 public:
  virtual ~Probe() = default;

  /// Errors: transient (unreachable, no TLS; the detail says which), deadline, not_found (the
  /// host has no address).
  virtual Task<Result<Observation>> look(Endpoint endpoint, Time deadline) = 0;
};

}  // namespace certherd::probe

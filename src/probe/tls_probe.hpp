#pragma once

#include <memory>

#include "crypto/x509.hpp"
#include "probe/probe.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::probe {

struct TlsProbeOptions {
  crypto::TrustedRoots roots;  ///< for judging what is served
};

/// Host names are looked up on `look_ups`, each of which keeps a thread for as long as the system's
/// resolver takes; as many endpoints as it has threads should be looked at together. Chains are
/// judged on `offload`.
std::unique_ptr<Probe> make_tls_probe(runtime::EventLoop& loop, runtime::Offload& offload,
                                      runtime::Offload& look_ups, TlsProbeOptions options);

}  // namespace certherd::probe

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

std::unique_ptr<Probe> make_tls_probe(runtime::EventLoop& loop, runtime::Offload& offload,
                                      TlsProbeOptions options);

}  // namespace certherd::probe

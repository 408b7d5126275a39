#pragma once

#include <memory>
#include <string>

#include "probe/probe.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::probe {

struct TlsProbeOptions {
  std::string trust_pem;  ///< further roots for judging what is served; empty: the system's only
};

std::unique_ptr<Probe> make_tls_probe(runtime::EventLoop& loop, runtime::Offload& offload,
                                      TlsProbeOptions options);

}  // namespace certherd::probe

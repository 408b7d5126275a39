#pragma once

#include <memory>

#include "dns/visibility.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {

/// Visibility over real sockets: asks `options.servers` (RD=1) for delegations and CNAMEs, and
/// each authoritative server itself (RD=0, EDNS 1232) over UDP and TCP. Delegations are kept for
/// five minutes. Errors: misconfigured when no resolver is known.
Result<std::unique_ptr<Visibility>> make_visibility(runtime::EventLoop& loop,
                                                    runtime::Random& random,
                                                    ResolverOptions options);

}  // namespace certherd::dns

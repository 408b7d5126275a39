#pragma once

#include "dns/authorities.hpp"
#include "dns/delegations.hpp"
#include "dns/query.hpp"
#include "dns/resolvers.hpp"
#include "dns/visibility.hpp"
#include "dns/zone_finder.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/random.hpp"
#include "runtime/slots.hpp"

namespace certherd::dns {

/// The parts of which every look at the live DNS is made, joined. Used on the loop.
struct LiveDns {
  LiveDns(runtime::EventLoop& loop, runtime::Random& random, ResolverOptions options);
  LiveDns(const LiveDns&) = delete;
  LiveDns& operator=(const LiveDns&) = delete;

  const ResolverOptions options;
  Querier querier;
  runtime::Slots slots;
  Resolvers resolvers;
  Delegations delegations;
  Authorities authorities;
  ZoneFinder zones;
};

/// The same options with the resolvers of this machine where they name none. Errors:
/// misconfigured when it has none either.
Result<ResolverOptions> with_resolvers(ResolverOptions options);

}  // namespace certherd::dns

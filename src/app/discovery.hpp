#pragma once

#include <string>
#include <vector>

#include "dns/provider.hpp"
#include "model/domain.hpp"
#include "store/store.hpp"

namespace certherd::app {

/// A zone that is not proposed as a domain, and why, in words.
struct PassedOver {
  dns::Zone zone;
  std::string reason;
};

/// What the zones of a DNS host would add to the inventory.
struct Discovery {
  std::vector<Domain> proposed;  ///< one for each zone: its apex, with the zone's id
  std::vector<PassedOver> passed_over;
};

struct DiscoveryOptions {
  DnsName dns;            ///< the section that they were found at, unless it is the default one
  bool wildcard = false;  ///< each with `*.` before its name as a further name
};

/// Zones of the same name must have been told apart before. Passed over is what a certificate
/// cannot name, and what is on a certificate of the inventory already.
Discovery discover(std::vector<dns::Zone> zones, const std::vector<store::DomainRow>& inventory,
                   const DiscoveryOptions& options);

/// All zones of a host, where several bear one name only the one that the DNS delegates to. The
/// others, and those that cannot be told apart, are added to `passed_over`. Errors: the provider's.
Task<Result<std::vector<dns::Zone>>> zones_in_use(dns::Provider* provider,
                                                  std::vector<PassedOver>* passed_over);

}  // namespace certherd::app

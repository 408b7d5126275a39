#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dns/resolvers.hpp"
#include "dns/shared_lookups.hpp"
#include "dns/zone_finder.hpp"
#include "model/caa.hpp"
#include "model/fqdn.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// The CAA records that count for a name.
struct CaaSet {
  std::vector<CaaProperty> properties;  ///< empty: there are none, so everybody may issue
  Fqdn at;                              ///< where they stand; empty when there are none
  std::string by;                       ///< "www.a.test -> b.test" when CNAMEs led there
  /// The name from which on upwards nobody could be asked, because the resolver serves only zones
  /// of its own; empty when all were asked.
  Fqdn unasked;
};

/// Reads a CAA record's octets (RFC 8659 section 4.1). Errors: rejected.
Result<CaaProperty> parse_caa(std::string_view octets);

/// Looks for CAA records the way a CA does.
class CaaLookup {
 public:
  CaaLookup(runtime::EventLoop& loop, Resolvers& resolvers, ZoneFinder& zones);

  /// The first non-empty set at the name (less its `*.`) or above it, each reached by following
  /// CNAMEs (RFC 8659 section 3). Errors, each of which keeps a CA from issuing: not_found when a
  /// server refused or failed, transient when none replied, misconfigured (a circle of CNAMEs),
  /// rejected (a record that cannot be read).
  Task<Result<CaaSet>> of(Fqdn name);

 private:
  /// What stands at one name.
  struct Step {
    std::vector<CaaProperty> properties;
    CnameTrail trail;
    bool own_zones_only = false;  ///< by a server that does not ask others
  };

  Task<Result<Step>> look_up(Fqdn name);

  Resolvers& resolvers_;
  ZoneFinder& zones_;
  SharedLookups<Fqdn, Step> steps_;
};

}  // namespace certherd::dns

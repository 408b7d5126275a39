#pragma once

#include <map>
#include <optional>
#include <vector>

#include "fleet/ports.hpp"

namespace certherd::fleet {

/// What became of a certificate at each of several targets.
struct Installations {
  std::map<TargetName, Installed> outcomes;
  /// Why it is not everywhere. Of several errors each is a cause, and the kind is the one that may
  /// pass soonest.
  std::optional<Error> failure;
};

/// Installs on all these targets at once; each succeeds or fails by itself. One that does not take
/// this type of key or this chain is not asked. The targets are configured.
Task<Installations> install_on(Ports* ports, std::vector<TargetName> targets, Fqdn domain,
                               Material material, Serial serial);

/// Removes what earlier certificates have left there. Errors: as in Installations.
Task<Status> clean_up_on(Ports* ports, std::vector<TargetName> targets, Fqdn domain, Serial serial);

}  // namespace certherd::fleet

#pragma once

#include <vector>

#include "base/result.hpp"
#include "dns/resolvers.hpp"
#include "dns/visibility.hpp"
#include "model/fqdn.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// Finds where the value for a challenge name has to stand, by what the resolvers tell.
class ZoneFinder {
 public:
  explicit ZoneFinder(Resolvers& resolvers) : resolvers_(resolvers) {}

  /// As Visibility::locate(), without asking who serves the zone.
  Task<Result<Location>> locate(Fqdn challenge_name);

 private:
  struct Trail;

  Task<Result<Trail>> follow(Fqdn challenge_name);
  Task<Result<Fqdn>> find_apex(Trail trail);
  Task<Status> check_registered(Trail trail, Fqdn apex);

  Resolvers& resolvers_;
};

}  // namespace certherd::dns

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dns/resolvers.hpp"
#include "dns/visibility.hpp"
#include "model/fqdn.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// The names from a name to where its CNAMEs end, and what was said there.
struct CnameTrail {
  std::vector<Fqdn> names;
  Resolvers::Answer last;

  const Fqdn& end() const { return names.back(); }
  /// "a.example -> b.example".
  std::string text() const;
  /// For messages: how we got to the end, when CNAMEs led there.
  std::string detour() const;
};

/// Finds where the value for a challenge name has to stand, by what the resolvers tell.
class ZoneFinder {
 public:
  explicit ZoneFinder(Resolvers& resolvers) : resolvers_(resolvers) {}

  /// As Visibility::locate(), without asking who serves the zone.
  Task<Result<Location>> locate(Fqdn challenge_name);

  /// Follows CNAMEs link by link, at most eight. Errors: misconfigured (a circle, too many, one
  /// that leads to what is no name), those of Resolvers::ask().
  Task<Result<CnameTrail>> follow(Fqdn name);

  /// The apex of the zone that holds the trail's end. Errors: not_found, misconfigured (a CNAME
  /// into nothing), those of Resolvers::ask().
  Task<Result<Fqdn>> zone_of(CnameTrail trail);

  /// The apex of the zone that holds the name itself, wherever a CNAME there leads.
  Task<Result<Fqdn>> zone_around(Fqdn name);

 private:
  Task<Result<Fqdn>> find_apex(CnameTrail trail, std::optional<std::string> owner);
  Task<Status> check_registered(CnameTrail trail, Fqdn apex);

  Resolvers& resolvers_;
};

}  // namespace certherd::dns

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/endpoint.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd {

/// One inventory entry. Empty choices mean "as in [defaults]".
struct Domain {
  DomainId id{};
  std::int64_t revision = 0;  ///< counts changes of the inventory; a change names the one it read
  Fqdn name;                  ///< primary name
  std::vector<Fqdn> names;    ///< further names on the same certificate, without the primary one
  ZoneId zone_id;
  std::vector<CaName> cas;  ///< the first one is preferred
  DnsName dns;
  VaultName vault;
  std::vector<TargetName> targets;
  std::string key;  ///< a key type's name or "auto"; empty: the default
  std::string profile;
  std::vector<Endpoint> endpoints;  ///< where it is served; empty: the primary name, port 443
  std::string owner;
  bool enabled = true;
  std::string hold;    ///< "yes", or until when nothing is begun by itself; empty: there is none
  std::string window;  ///< when something may be begun, in UTC; empty: always
  std::map<std::string, std::string> metadata;  ///< every further column of the inventory

  // How it goes, kept by the fleet.
  int failures = 0;             ///< issuances that failed one after another
  std::optional<Time> next_at;  ///< not before this moment, after a failure
  std::optional<Error> last_error;

  /// Primary and further names, as they stand on the order and in the CSR.
  std::vector<Fqdn> all_names() const;
};

}  // namespace certherd

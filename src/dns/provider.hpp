#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

struct Zone {
  ZoneId id;  ///< the provider's own; apply() and list() go by it alone
  Fqdn name;

  auto operator<=>(const Zone&) const = default;
};

/// One value that must stand at a TXT name, or must be gone from it.
///
/// Changes are made per value, never per record set: other values at the name belong to
/// somebody else and survive (several are allowed, RFC 8555 section 8.4).
struct TxtChange {
  enum class Action { ensure, remove };
  Action action = Action::ensure;
  Fqdn name;       ///< where the value stands once CNAMEs are followed
  TxtValue value;  ///< unquoted, at most 255 octets

  bool operator==(const TxtChange&) const = default;
};

enum class ChangeState { pending, in_sync };

/// How much one call of apply() may carry.
struct BatchLimits {
  std::size_t changes = 500;
  std::size_t value_octets = 16'000;
  std::size_t octets_beside = 0;  ///< what each value costs besides its own octets
};

/// A DNS host that can publish challenge values.
///
/// One per configured section, owned by app, used on the loop only. No call waits for
/// convergence: ask state() again.
class Provider {
 public:
  virtual ~Provider() = default;

  /// The zone to write for `name`: the longest one that holds it.
  /// Errors: not_found, denied, throttled (retry_at is set), transient.
  virtual Task<Result<Zone>> find_zone(Fqdn name) = 0;

  /// The public zones of this host, by name. Errors: as find_zone().
  virtual Task<Result<std::vector<Zone>>> zones() = 0;

  /// The name servers that the host has given to a zone, by name; none where it gives none.
  /// Errors: as find_zone().
  virtual Task<Result<std::vector<Fqdn>>> name_servers(Zone zone) = 0;

  /// Sends one batch for one zone. Sending it again is harmless. When it returns, the host has
  /// taken the batch for good: what follows is only its way to all servers.
  /// Errors: rejected (causes name the changes), not_found, throttled, denied, transient.
  virtual Task<Result<Ticket>> apply(Zone zone, std::vector<TxtChange> changes) = 0;

  /// Whether a batch stands on every server of the host.
  /// Errors: not_found for a ticket of another time, throttled, denied, transient.
  virtual Task<Result<ChangeState>> state(Ticket ticket) = 0;

  /// The TXT values at exactly this name, ours or not.
  virtual Task<Result<std::vector<TxtValue>>> list(Zone zone, Fqdn name) = 0;

  virtual BatchLimits limits() const = 0;

  /// Whether it can be called, without changing anything. Errors: as find_zone().
  virtual Task<Status> check() = 0;
};

}  // namespace certherd::dns

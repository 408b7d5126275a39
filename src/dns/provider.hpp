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

  /// Sends one batch for one zone. Sending it again is harmless.
  /// Errors: rejected (causes name the changes), not_found, throttled, denied, transient.
  virtual Task<Result<Ticket>> apply(Zone zone, std::vector<TxtChange> changes) = 0;

  /// Whether a batch stands on every server of the host.
  /// Errors: not_found for a ticket of another time, throttled, denied, transient.
  virtual Task<Result<ChangeState>> state(Ticket ticket) = 0;

  /// The TXT values at exactly this name, ours or not.
  virtual Task<Result<std::vector<TxtValue>>> list(Zone zone, Fqdn name) = 0;

  virtual BatchLimits limits() const = 0;
};

}  // namespace certherd::dns

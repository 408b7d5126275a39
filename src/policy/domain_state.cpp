#include "policy/domain_state.hpp"

#include "policy/ca_limits.hpp"
#include "policy/due.hpp"

namespace certherd::policy {

std::string_view to_string(DomainState state) {
  switch (state) {
    case DomainState::fresh:
      return "new";
    case DomainState::ok:
      return "ok";
    case DomainState::due:
      return "due";
    case DomainState::working:
      return "working";
    case DomainState::failing:
      return "failing";
    case DomainState::expired:
      return "expired";
    case DomainState::disabled:
      return "disabled";
  }
  return "new";
}

DomainState state_of(const Domain& domain, const std::optional<Certificate>& current,
                     std::optional<Step> working, double renew_at, Time now) {
  if (!domain.enabled) return DomainState::disabled;
  if (current && current->not_after <= now) return DomainState::expired;
  // Its turn at a limit is no fault of its own.
  const bool waits = is_limit_reached(domain.last_error);
  if (domain.last_error && !waits) return DomainState::failing;
  if (working) return DomainState::working;
  if (!current) return DomainState::fresh;
  return when_due(domain, current, renew_at, now).due ? DomainState::due : DomainState::ok;
}

}  // namespace certherd::policy

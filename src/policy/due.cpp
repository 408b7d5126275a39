#include "policy/due.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace certherd::policy {
namespace {

bool same_names(std::vector<Fqdn> left, std::vector<Fqdn> right) {
  std::ranges::sort(left);
  std::ranges::sort(right);
  return left == right;
}

}  // namespace

Due when_due(const Domain& domain, const std::optional<Certificate>& current, double renew_at,
             Time now) {
  if (!current) return {.due = true, .reason = "no certificate yet", .at = now};
  if (current->revoked_at || current->key_compromised()) {
    const auto reason = current->revocation_reason.value_or(RevocationReason::unspecified);
    return {.due = true,
            .reason = fmt::format("certificate was revoked ({})", to_string(reason)),
            .at = now};
  }
  if (!same_names(current->names, domain.all_names())) {
    return {.due = true, .reason = "the names have changed", .at = now};
  }
  if (current->not_after <= now) {
    return {.due = true, .reason = "expired " + format_time(current->not_after), .at = now};
  }
  const auto lifetime = current->not_after - current->not_before;
  const auto age_at_renewal =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(lifetime) * renew_at);
  const Time at = current->not_before + age_at_renewal;
  const auto left = format_duration(current->not_after - now);
  return {.due = at <= now, .reason = fmt::format("expires in {}", left), .at = at};
}

}  // namespace certherd::policy

#include "policy/due.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "policy/renewal.hpp"

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
  if (!domain.profile.empty() && !current->profile.empty() && domain.profile != current->profile) {
    return {.due = true,
            .reason = fmt::format("the profile has changed from {} to {}", current->profile,
                                  domain.profile),
            .at = now};
  }
  const auto key = parse_key_choice(domain.key);
  if (key && key->type && current->key_type && *key->type != *current->key_type) {
    return {.due = true,
            .reason = fmt::format("the key has changed from {} to {}",
                                  to_string(*current->key_type), to_string(*key->type)),
            .at = now};
  }
  const auto moment = renewal_moment(*current, renew_at);
  auto reason = fmt::format("expires in {}", format_duration(current->not_after - now));
  if (moment.asked_by_ca) {
    const auto& window = *current->renewal.window;
    reason += fmt::format(", the CA wants it renewed by {}", format_time(window.end));
    if (!window.explanation_url.empty()) reason += fmt::format(" ({})", window.explanation_url);
  }
  return {.due = moment.at <= now, .reason = std::move(reason), .at = moment.at};
}

}  // namespace certherd::policy

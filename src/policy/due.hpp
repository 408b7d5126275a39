#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"
#include "model/certificate.hpp"
#include "model/domain.hpp"

namespace certherd::policy {

/// Whether, why and from when a domain wants a new certificate.
struct Due {
  bool due = false;
  std::string reason;  ///< for a person: "no certificate yet"
  Time at{};           ///< from when it is due; in the past or now when it is
};

/// Judges by the age of the current certificate: due from `renew_at` (a share of its lifetime,
/// such as 0.667) on, at once when there is none, when it was revoked or its key
/// compromised, and when its names are no longer the domain's.
Due when_due(const Domain& domain, const std::optional<Certificate>& current, double renew_at,
             Time now);

}  // namespace certherd::policy

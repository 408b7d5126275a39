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

/// Due from renewal_moment() on, for which `renew_at` is a share of the lifetime, such as 0.667; at
/// once when there is no certificate, when it was revoked or its key compromised, and when it has
/// other names, another profile or another type of key than the domain says.
Due when_due(const Domain& domain, const std::optional<Certificate>& current, double renew_at,
             Time now);

}  // namespace certherd::policy

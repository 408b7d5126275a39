#pragma once

#include <vector>

#include "model/identifiers.hpp"

namespace certherd::policy {

/// The CAs that a domain may go to, in the order in which it is to try them: it begins at the first
/// one, goes over to the next after each `failover_after` (>= 1) issuances in a row that failed,
/// and comes back to the first after the last, and after a success. Empty when `cas` is.
std::vector<CaName> cas_by_turn(std::vector<CaName> cas, int failures, int failover_after);

}  // namespace certherd::policy

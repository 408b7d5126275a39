#pragma once

#include <string>
#include <vector>

#include "fleet/ports.hpp"

namespace certherd::fleet {

/// Looks at each endpoint and tells, for a person, which of them do not serve the certificate and
/// what they serve instead. Empty when all of them do.
Task<std::string> who_does_not_serve(Ports* ports, std::vector<Endpoint> endpoints, Serial serial);

}  // namespace certherd::fleet

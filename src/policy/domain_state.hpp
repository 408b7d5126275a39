#pragma once

#include <optional>
#include <string_view>

#include "model/certificate.hpp"
#include "model/domain.hpp"
#include "model/issuance.hpp"

namespace certherd::policy {

/// `state` of docs/output.md, of a domain.
enum class DomainState { fresh, ok, due, working, failing, expired, disabled };

/// `fresh` is spelled "new", the others as they are.
std::string_view to_string(DomainState state);

/// What matters most to an operator wins: disabled, then expired, failing, working, new, due, ok.
DomainState state_of(const Domain& domain, const std::optional<Certificate>& current,
                     std::optional<Step> working, double renew_at, Time now);

}  // namespace certherd::policy

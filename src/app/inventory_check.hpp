#pragma once

#include <set>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "model/domain.hpp"

namespace certherd::app {

/// What of a domain does not go with the config: sections that it names and that are not there, a
/// type of key that not all of its targets take. So this is told now and not when a certificate
/// runs out. Misconfigured; the op is the column.
std::vector<Error> misfits(const Config& config, const Domain& domain);

/// Whether all targets of the domain take the type of key that it wants. Errors: misconfigured,
/// naming who does not.
Status check_key(const Config& config, const Domain& domain);

/// What is allowed and will most likely fail: names that the domain's CA refuses to sign, as far
/// as its `limits` tell that.
std::vector<std::string> doubts_about(const Config& config, const Domain& domain);

/// Names that `changed` domains share with another one of `inventory`, which holds the changed
/// ones too: two certificates for one name are seldom meant.
std::vector<std::string> shared_names(const std::vector<Domain>& inventory,
                                      const std::set<Fqdn>& changed);

}  // namespace certherd::app

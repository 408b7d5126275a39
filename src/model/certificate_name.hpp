#pragma once

#include "base/result.hpp"
#include "model/fqdn.hpp"

namespace certherd {

/// Whether a name can stand on a certificate. The rules are those of public CAs (CA/Browser Forum
/// Baseline Requirements, Boulder's policy): stricter than Fqdn::parse(), which takes every name
/// that the DNS may hold. At least two labels, behind a wildcard too, and at most ten; no
/// underscore; hyphens in third and fourth place only in an `xn--` label that decodes.
/// Errors: misconfigured, naming the rule.
Status check_certificate_name(const Fqdn& name);

/// What a person or a file wrote as a name for a certificate: Fqdn::parse() and the check.
Result<Fqdn> parse_certificate_name(std::string_view text);

}  // namespace certherd

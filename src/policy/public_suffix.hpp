#pragma once

#include <string>

#include "model/fqdn.hpp"

namespace certherd::policy {

/// Why a public CA will not sign a name although it is well-formed: it is a public suffix itself,
/// is under none (such as an internal name), or is under the zones of reverse look-ups. Empty when
/// it will. Judged by the ICANN part of the Public Suffix List as libpsl has it.
std::string not_public_because(const Fqdn& name);

/// What a name (maybe a wildcard) counts for where a CA limits certificates for each registered
/// domain: the public suffix, by both parts of the list, and one label before it. A public suffix
/// counts for itself.
Fqdn registered_domain(const Fqdn& name);

}  // namespace certherd::policy

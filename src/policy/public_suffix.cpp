#include "policy/public_suffix.hpp"

#include <libpsl.h>

namespace certherd::policy {

std::string not_public_because(const Fqdn& name) {
  // Baseline Requirements: no certificates for reverse look-ups since 2026-03-15.
  for (const auto* zone : {"in-addr.arpa", "ip6.arpa"}) {
    if (name.is_within(Fqdn::literal(zone))) {
      return std::string("it is in ") + zone + ", for which no certificates are given out";
    }
  }
  const auto* list = psl_builtin();
  if (list == nullptr) return {};  // a libpsl without a list of its own knows nothing
  const auto base = name.without_wildcard();
  // Without the star rule, which makes a suffix of every top-level label that is in no list.
  constexpr int icann = PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE;
  if (psl_is_public_suffix2(list, base.text().c_str(), icann) != 0) {
    return name.is_wildcard() ? "it is a wildcard directly below the public suffix " + base.text()
                              : "it is a public suffix itself";
  }
  for (auto suffix = base.parent(); !suffix.empty(); suffix = suffix.parent()) {
    if (psl_is_public_suffix2(list, suffix.text().c_str(), icann) != 0) return {};
  }
  return "it is under no public suffix";
}

Fqdn registered_domain(const Fqdn& name) {
  auto domain = name.without_wildcard();
  const auto* list = psl_builtin();
  if (list == nullptr) return domain;
  const auto* registrable = psl_registrable_domain(list, domain.text().c_str());
  return registrable == nullptr ? domain : Fqdn::literal(registrable);
}

}  // namespace certherd::policy

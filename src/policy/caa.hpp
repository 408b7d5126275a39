#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/caa.hpp"

namespace certherd::policy {

/// Who wants to issue what.
struct CaaRequest {
  bool wildcard = false;             ///< for `*.` and the name
  std::vector<std::string> issuers;  ///< what the CA calls itself (meta.caaIdentities)
  std::string account;               ///< URL of the account there; empty when there is none yet
  std::string_view method = "dns-01";
};

struct CaaVerdict {
  enum class Outcome {
    allowed,
    forbidden,
    unsure,  ///< the set restricts, and what it restricts to is not known here
  };
  Outcome outcome = Outcome::allowed;
  std::string reason;  ///< for a person; empty when the set restricts nothing
  std::string remedy;  ///< what the set should say instead; empty when allowed

  bool operator==(const CaaVerdict&) const = default;
};

/// Whether a CA may issue by the CAA set that counts for a name (RFC 8659), by this account and
/// method (RFC 8657). An empty set allows everything.
CaaVerdict judge_caa(const std::vector<CaaProperty>& set, const CaaRequest& request);

}  // namespace certherd::policy

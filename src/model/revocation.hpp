#pragma once

#include <optional>
#include <string_view>

namespace certherd {

/// Why a certificate is revoked: the codes of RFC 5280 section 5.3.1 that a subscriber may give.
enum class RevocationReason {
  unspecified = 0,
  key_compromise = 1,
  affiliation_changed = 3,
  superseded = 4,
  cessation_of_operation = 5,
};

/// As RFC 5280 spells it: "keyCompromise".
std::string_view to_string(RevocationReason reason);

/// By that name, in any case of letters, or by its number.
std::optional<RevocationReason> parse_revocation_reason(std::string_view text);

}  // namespace certherd

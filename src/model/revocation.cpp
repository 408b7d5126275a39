#include "model/revocation.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace certherd {
namespace {

constexpr std::array all_reasons = {RevocationReason::unspecified, RevocationReason::key_compromise,
                                    RevocationReason::affiliation_changed,
                                    RevocationReason::superseded,
                                    RevocationReason::cessation_of_operation};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view to_string(RevocationReason reason) {
  switch (reason) {
    case RevocationReason::unspecified:
      return "unspecified";
    case RevocationReason::key_compromise:
      return "keyCompromise";
    case RevocationReason::affiliation_changed:
      return "affiliationChanged";
    case RevocationReason::superseded:
      return "superseded";
    case RevocationReason::cessation_of_operation:
      return "cessationOfOperation";
  }
  return "unspecified";
}

std::optional<RevocationReason> parse_revocation_reason(std::string_view text) {
  for (const auto reason : all_reasons) {
    const bool named = std::ranges::equal(to_string(reason), text, {}, lower, lower);
    if (named || text == std::to_string(static_cast<int>(reason))) return reason;
  }
  return std::nullopt;
}

}  // namespace certherd

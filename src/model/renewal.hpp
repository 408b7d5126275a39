#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"

namespace certherd {

/// When a CA wants a certificate to be renewed (RFC 9773 section 4.2).
struct RenewalWindow {
  Time start{};
  Time end{};
  std::string explanation_url;  ///< why, for people; mostly empty

  bool operator==(const RenewalWindow&) const = default;
};

/// What is known of a CA's wish for one certificate, and when it is asked again.
struct Renewal {
  std::optional<RenewalWindow> window;  ///< nothing before the first answer
  Time at{};                            ///< the moment chosen in the window
  Time poll_at{};                       ///< the CA is not asked before
  int failures = 0;                     ///< asked in vain so often in a row

  bool operator==(const Renewal&) const = default;
};

}  // namespace certherd

#pragma once

#include <cstdint>
#include <string>

namespace certherd {

/// One CAA record of the DNS (RFC 8659 section 4.1).
struct CaaProperty {
  std::uint8_t flags = 0;
  std::string tag;  ///< "issue", as it was written; like the value, octets that anybody chose
  std::string value;

  /// As in a zone file: `0 issue "ca.example"`. What is not printable is escaped.
  std::string text() const;

  auto operator<=>(const CaaProperty&) const = default;
};

}  // namespace certherd

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace certherd::dns::route53 {

/// What certherd's own record sets live: a challenge value is asked for once.
constexpr std::uint32_t own_ttl = 60;

/// The values that stand at one TXT name, as Route 53 has them.
struct RecordSet {
  std::uint32_t ttl = own_ttl;
  std::vector<std::string> texts;  ///< quoted, as quote() gives them; one for each ResourceRecord

  bool operator==(const RecordSet&) const = default;
};

}  // namespace certherd::dns::route53

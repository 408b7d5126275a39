#pragma once

#include <cstdint>
#include <cstdlib>

namespace certherd::sim {

/// CERTHERD_SEED, from which `scripts/test full` begins elsewhere each time; else 1.
inline std::uint64_t first_seed() {
  const char* const given = std::getenv("CERTHERD_SEED");
  return given == nullptr ? 1 : std::strtoull(given, nullptr, 10) * 1'000;
}

}  // namespace certherd::sim

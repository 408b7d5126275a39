#include "seed.hpp"

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string_view>

namespace certherd::e2e {

std::uint64_t seed_of_this_run() {
  std::uint64_t seed = std::random_device()();
  if (const char* given = std::getenv("CERTHERD_SEED")) {
    const std::string_view text = given;
    std::from_chars(text.data(), text.data() + text.size(), seed);
  }
  std::cout << "CERTHERD_SEED=" << seed << '\n';
  return seed;
}

}  // namespace certherd::e2e

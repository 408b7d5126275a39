#include "runtime/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <limits>
#include <stdexcept>
#include <system_error>

namespace certherd::runtime {
namespace {

/// Draws until a value falls below the largest multiple of the range's size: taking the rest of
/// just any value would make the low ones likelier.
template <typename Draw>
std::uint64_t pick(std::uint64_t low, std::uint64_t high, Draw draw) {
  if (low > high) throw std::invalid_argument("Random::uniform: low is above high");
  const std::uint64_t span = high - low;
  if (span == std::numeric_limits<std::uint64_t>::max()) return draw();
  const std::uint64_t size = span + 1;
  const std::uint64_t surplus = (0 - size) % size;  // 2^64 modulo size
  std::uint64_t value = draw();
  while (value < surplus) value = draw();
  return low + value % size;
}

std::uint64_t draw_from_system() {
  std::uint64_t value = 0;
  while (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return value;
}

}  // namespace

std::uint64_t SystemRandom::uniform(std::uint64_t low, std::uint64_t high) {
  return pick(low, high, draw_from_system);
}

// SplitMix64 as published by Sebastiano Vigna (prng.di.unimi.it/splitmix64.c, 2015).
std::uint64_t SeededRandom::uniform(std::uint64_t low, std::uint64_t high) {
  return pick(low, high, [this] {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  });
}

}  // namespace certherd::runtime

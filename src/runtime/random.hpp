#pragma once

#include <cstdint>
#include <string>

namespace certherd::runtime {

/// The only source of chance. Used on the loop only.
class Random {
 public:
  virtual ~Random() = default;

  /// Uniform in [low, high].
  virtual std::uint64_t uniform(std::uint64_t low, std::uint64_t high) = 0;

  /// Uniform in [0, 1).
  double fraction() {
    constexpr std::uint64_t steps = 1U << 20U;
    return static_cast<double>(uniform(0, steps - 1)) / static_cast<double>(steps);
  }
};

/// The operating system's (getrandom).
class SystemRandom final : public Random {
 public:
  std::uint64_t uniform(std::uint64_t low, std::uint64_t high) override;
};

/// The same numbers for the same seed (SplitMix64), for tests.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t uniform(std::uint64_t low, std::uint64_t high) override;

 private:
  std::uint64_t state_;
};

}  // namespace certherd::runtime

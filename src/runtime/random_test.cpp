#include "runtime/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace certherd::runtime {
namespace {

constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();

// First outputs of the author's splitmix64.c for the seed 1234567.
TEST(SeededRandom, IsSplitMix64) {
  SeededRandom random(1234567);
  EXPECT_EQ(random.uniform(0, highest), 6457827717110365317U);
  EXPECT_EQ(random.uniform(0, highest), 3203168211198807973U);
  EXPECT_EQ(random.uniform(0, highest), 9817491932198370423U);
}

TEST(SeededRandom, GivesEveryValueOfTheRangeItsShare) {
  SeededRandom random(1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 60'000; ++i) ++seen.at(random.uniform(10, 15) - 10);
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);
}

// By taking the rest alone, the lower half of this range would come twice as often.
TEST(SeededRandom, DoesNotFavourLowValues) {
  SeededRandom random(2);
  const std::uint64_t top = highest / 3 * 2;
  int low = 0;
  for (int i = 0; i < 30'000; ++i) {
    if (random.uniform(0, top) <= top / 2) ++low;
  }
  EXPECT_NEAR(low, 15'000, 500);
}

TEST(SeededRandom, ARangeOfOneHasOneValue) { EXPECT_EQ(SeededRandom(3).uniform(9, 9), 9U); }

TEST(SeededRandom, RefusesARangeThatIsUpsideDown) {
  EXPECT_THROW(SeededRandom(3).uniform(2, 1), std::invalid_argument);
}

TEST(SystemRandom, StaysInTheRangeAndVaries) {
  SystemRandom random;
  EXPECT_NE(random.uniform(0, highest), random.uniform(0, highest));
  for (int i = 0; i < 1000; ++i) {
    const auto value = random.uniform(3, 5);
    EXPECT_GE(value, 3U);
    EXPECT_LE(value, 5U);
  }
}

}  // namespace
}  // namespace certherd::runtime

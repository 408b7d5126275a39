#include "policy/gcra.hpp"

#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time start = Time(std::chrono::days(20'000));

/// Takes one unit after another and spends each when it may.
std::vector<Duration> spent(int count, double per_second, double burst) {
  std::vector<Duration> moments;
  Time full_at{};
  Time now = start;
  for (int i = 0; i < count; ++i) {
    const auto spending = spend(full_at, 1, per_second, burst, now);
    full_at = spending.full_at;
    now = spending.from;
    moments.push_back(now - start);
  }
  return moments;
}

TEST(Gcra, SpacesUnitsEvenlyWithoutABurst) {
  EXPECT_EQ(spent(4, 4, 1), (std::vector<Duration>{0ms, 250ms, 500ms, 750ms}));
}

TEST(Gcra, LetsABurstThroughAtOnceAndSpacesWhatFollows) {
  EXPECT_EQ(spent(5, 2, 3), (std::vector<Duration>{0ms, 0ms, 0ms, 500ms, 1000ms}));
}

TEST(Gcra, GivesTheWholeBurstBackAfterAPauseAndNoMore) {
  const auto used_up = spend({}, 3, 1, 3, start);
  const Time later = start + 1h;
  auto spending = spend(used_up.full_at, 3, 1, 3, later);
  EXPECT_EQ(spending.from, later);
  spending = spend(spending.full_at, 1, 1, 3, later);
  EXPECT_EQ(spending.from, later + 1s);
}

TEST(Gcra, LetsMoreThanABurstBeTakenAndSpentLater) {
  const auto spending = spend({}, 500, 100, 100, start);
  EXPECT_EQ(spending.from, start + 4s);
  EXPECT_EQ(spend(spending.full_at, 1, 100, 100, start).from, start + 4010ms);
}

TEST(Gcra, DoesNotBelieveWhatAClockThatWasAheadHasWritten) {
  const auto spending = spend(start + std::chrono::years(1), 1, 5, 1, start);
  EXPECT_LE(spending.from, start + 2min);
}

}  // namespace
}  // namespace certherd::policy

#include "policy/gcra.hpp"

#include <gtest/gtest.h>

#include <map>

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

constexpr Duration hour = 1h;
constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;

TEST(SpendInWindows, GivesEachWindowItsUnitsAndNotOneMore) {
  for (const double limit : {1.0, 7.0, 990.0, 1000.0, 1024.0}) {
    Time full_at{};
    std::map<Time, int> by_window;
    for (int i = 0; i < 5000; ++i) {
      const auto spending = spend_in_windows(full_at, 1, limit, hour, noon + 59min);
      full_at = spending.full_at;
      const auto window = spending.from - spending.from.time_since_epoch() % hour;
      by_window[window] += 1;
      if (spending.from > noon + 2h) break;
    }
    EXPECT_EQ(by_window[noon], limit);
    EXPECT_EQ(by_window[noon + 1h], limit);
  }
}

TEST(SpendInWindows, WhatAWindowHasLeftIsLost) {
  const auto first = spend_in_windows(Time{}, 1, 10, hour, noon + 1min);
  EXPECT_EQ(first.from, noon + 1min);
  EXPECT_EQ(left_in_window(first.full_at, 10, hour, noon + 2min), 9);
  EXPECT_EQ(left_in_window(first.full_at, 10, hour, noon + 1h), 10);
  const auto next = spend_in_windows(first.full_at, 1, 10, hour, noon + 1h);
  EXPECT_EQ(next.from, noon + 1h);
  EXPECT_EQ(left_in_window(next.full_at, 10, hour, noon + 1h), 9);
}

TEST(SpendInWindows, AClockThatWasAheadIsBelievedForTwoWindows) {
  EXPECT_EQ(spend_in_windows(noon + 48h, 1, 10, hour, noon).from, noon + 2h);
}

TEST(FreeFrom, BelievesAPauseAsLongAsOneIsBelieved) {
  EXPECT_EQ(free_from(Time{}, Time{}, 2, 1, 2, noon), noon);
  EXPECT_EQ(free_from(noon, Time{}, 3, 1, 2, noon), noon + 1s);
  EXPECT_EQ(free_from(Time{}, noon + 48h, 1, 1, 2, noon), noon + 48h);
  EXPECT_EQ(free_from(Time{}, noon + 9'000h, 1, 1, 2, noon), noon);
}

TEST(SettleWindow, CountsWhatOthersHaveSpent) {
  const Time full_at = settle_window(Time{}, 3, noon + 1h, 10, hour);
  EXPECT_EQ(left_in_window(full_at, 10, hour, noon), 3);
  // An answer that was overtaken by another one gives nothing back.
  EXPECT_EQ(settle_window(full_at, 8, noon + 1h, 10, hour), full_at);
  // Nor does one about a window that is over.
  EXPECT_EQ(settle_window(full_at, 0, noon, 10, hour), full_at);
}

TEST(SettleWindow, NothingLeftClosesTheWindow) {
  for (const double limit : {7.0, 990.0, 1000.0}) {
    const Time full_at = settle_window(Time{}, 0, noon + 1h, limit, hour);
    EXPECT_EQ(left_in_window(full_at, limit, hour, noon), 0);
    EXPECT_EQ(spend_in_windows(full_at, 1, limit, hour, noon).from, noon + 1h);
    EXPECT_EQ(left_in_window(full_at, limit, hour, noon + 1h), limit);
  }
}

}  // namespace
}  // namespace certherd::policy

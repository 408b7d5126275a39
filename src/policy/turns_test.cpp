#include "policy/turns.hpp"

#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;

TEST(Turns, GiveEveryoneAMomentOfHisOwn) {
  Turns<int> turns;
  EXPECT_EQ(turns.next(1, noon, 36s, false), noon);
  EXPECT_EQ(turns.next(1, noon, 36s, false), noon + 36s);
  EXPECT_EQ(turns.next(2, noon, 36s, false), noon);
  EXPECT_EQ(turns.next(1, noon + 1h, 36s, false), noon + 1h);
}

TEST(Turns, LetThoseGoFirstWhoWereToldBefore) {
  Turns<int> turns;
  for (int i = 0; i < 10; ++i) turns.next(1, noon, 36s, false);
  EXPECT_EQ(turns.next(1, noon + 36s, 36s, true), noon + 36s);
  EXPECT_EQ(turns.next(1, noon + 36s, 36s, true), noon + 72s);
  EXPECT_EQ(turns.next(1, noon + 36s, 36s, false), noon + 360s);
}

}  // namespace
}  // namespace certherd::policy

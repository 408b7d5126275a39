#include "policy/forecast.hpp"

#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;

std::vector<Plan> forecast(int count, int units, double limit, Time spent_until, Time now) {
  const WindowLimit writes{
      .words = "ten writes", .units = limit, .window = 1h, .taken_until = spent_until};
  Forecast forecast({writes}, now);
  std::vector<Plan> plans(static_cast<std::size_t>(count));
  for (auto& plan : plans) {
    plan.at = now;
    forecast.put_off(plan, {{.limit = 0, .units = units}});
  }
  return plans;
}

TEST(Forecast, PutsOffWhatAWindowHasNoRoomFor) {
  const auto plans = forecast(8, 3, 10, Time{}, noon + 10min);
  for (const int i : {0, 1, 2}) {
    EXPECT_EQ(plans[i].at, noon + 10min);
    EXPECT_EQ(plans[i].limited_by, "");
  }
  // The fourth has one unit in the first hour and is done in the second.
  for (const int i : {3, 4, 5}) EXPECT_EQ(plans[i].at, noon + 1h) << i;
  EXPECT_EQ(plans[6].at, noon + 2h);
  EXPECT_EQ(plans[7].limited_by, "ten writes");
}

TEST(Forecast, BeginsWithWhatIsSpentAlready) {
  const auto plans = forecast(4, 3, 10, noon + 54min, noon + 10min);  // nine of ten
  EXPECT_EQ(plans[0].at, noon + 1h);
  EXPECT_EQ(plans[2].at, noon + 1h);
  EXPECT_EQ(plans[3].at, noon + 2h);
}

TEST(Forecast, WhatNeedsNothingIsNotHeldBack) {
  const auto plans = forecast(2, 0, 1, noon + 5h, noon);
  EXPECT_EQ(plans[1].at, noon);
  EXPECT_EQ(plans[1].limited_by, "");
}

TEST(Forecast, WhatIsPutOffLongerForAnotherReasonKeepsIt) {
  Forecast forecast({{.words = "writes", .units = 1, .window = 1h, .taken_until = noon + 1h}},
                    noon);
  Plan plan;
  plan.at = noon + 3h;
  plan.limited_by = "the pause after 2 failures";
  forecast.put_off(plan, {{.limit = 0, .units = 1}});
  EXPECT_EQ(plan.at, noon + 3h);
  EXPECT_EQ(plan.limited_by, "the pause after 2 failures");
}

}  // namespace
}  // namespace certherd::policy

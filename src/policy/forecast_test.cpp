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

/// `orders` and `others` come back evenly: one a minute of ten, and one an hour of two.
std::vector<Plan> forecast_orders(const std::vector<std::vector<Draw>>& orders,
                                  Time closed_until = Time{}) {
  std::vector<Plan> plans(orders.size());
  std::vector<PlannedOrder> planned;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    plans[i].at = noon;
    planned.push_back({.plan = &plans[i], .draws = orders[i]});
  }
  put_off_orders(
      {{.words = "ten orders", .per_second = 1.0 / 60, .burst = 10},
       {.words = "two names", .per_second = 1.0 / 3'600, .burst = 2, .closed_until = closed_until}},
      planned, noon);
  return plans;
}

TEST(OrderForecast, GivesEachOrderTheMomentAtWhichAllOfItIsThere) {
  const Draw order{.limit = 0};
  const Draw name{.limit = 1};
  std::vector<std::vector<Draw>> orders(12, {order});
  for (const std::size_t i : {0U, 1U, 2U, 3U}) orders[i].push_back(name);
  const auto plans = forecast_orders(orders);
  EXPECT_EQ(plans[1].at, noon);
  EXPECT_EQ(plans[2].at, noon + 1h);
  EXPECT_EQ(plans[3].at, noon + 2h);
  EXPECT_EQ(plans[3].limited_by, "two names");
  // Those that wait for the names have left their orders to the others.
  EXPECT_EQ(plans[11].at, noon);
  EXPECT_EQ(plans[11].limited_by, "");
}

TEST(OrderForecast, CountsOnFromOneToTheNext) {
  const auto plans = forecast_orders(std::vector<std::vector<Draw>>(13, {{.limit = 0}}));
  EXPECT_EQ(plans[9].at, noon);
  EXPECT_EQ(plans[10].at, noon + 1min);
  EXPECT_EQ(plans[12].at, noon + 3min);
  EXPECT_EQ(plans[12].limited_by, "ten orders");
}

TEST(OrderForecast, KnowsWhatIsKeptWhatIsExemptAndWhatIsClosed) {
  std::vector<std::vector<Draw>> orders(9, {{.limit = 0, .kept = 2}});
  orders.push_back({{.limit = 0}});
  orders.push_back({{.limit = 1, .asked = false}});
  orders.push_back({{.limit = 1}});
  const auto plans = forecast_orders(orders, noon + 5h);
  EXPECT_EQ(plans[7].at, noon);
  EXPECT_EQ(plans[8].at, noon + 2min);  // the renewal behind it has taken one more
  EXPECT_EQ(plans[9].at, noon);
  EXPECT_EQ(plans[10].at, noon);
  EXPECT_EQ(plans[11].at, noon + 5h);
}

TEST(OrderForecast, GivesNoTurnOutsideOfAMaintenanceWindow) {
  const auto window = MaintenanceWindow::parse("00:00-12:01").value();
  std::vector<Plan> plans(13);
  std::vector<PlannedOrder> planned;
  for (auto& plan : plans) {
    plan.at = noon;
    plan.opening = Opening(Time::min(), window, Time::max());
    planned.push_back({.plan = &plan, .draws = {{.limit = 0}}});
  }
  plans[0].opening = Opening(Time::max(), {}, Time::max());
  plans[0].put_off(noon, "");
  plans[12].opening = {};
  put_off_orders({{.words = "ten orders", .per_second = 1.0 / 60, .burst = 10}}, planned, noon);
  EXPECT_EQ(plans[0].moment(), std::nullopt) << "held without an end, it takes nothing";
  EXPECT_EQ(plans[10].at, noon);
  EXPECT_EQ(plans[11].at, noon + 12h) << "in a minute, but the window is closed then";
  EXPECT_THAT(plans[11].limited_by, testing::HasSubstr("maintenance window"));
  EXPECT_LE(plans[12].at, noon + 2min);
  EXPECT_EQ(plans[12].limited_by, "ten orders");
}

}  // namespace
}  // namespace certherd::policy

#include "policy/maintenance_window.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// A Thursday.
constexpr std::string_view thursday = "2026-11-26";

Time at(std::string_view text) { return parse_time(text).value(); }

std::string next(std::string_view window, std::string_view time) {
  const auto parsed = MaintenanceWindow::parse(window);
  EXPECT_TRUE(parsed) << window;
  return format_time(parsed->next(at(time)));
}

std::string fault(std::string_view window) {
  const auto parsed = MaintenanceWindow::parse(window);
  return parsed ? "" : parsed.error().message();
}

TEST(Hold, LastsForEverUntilAMomentOrNotAtAll) {
  EXPECT_EQ(hold_end("yes").value(), Time::max());
  EXPECT_EQ(hold_end("").value(), Time::min());
  EXPECT_EQ(hold_end("2026-12-24").value(), at("2026-12-24T00:00:00Z"));
  EXPECT_EQ(hold_end("2026-12-24T08:00:00+01:00").value(), at("2026-12-24T07:00:00Z"));
  for (const auto* bad : {"Yes", "no", "2026-13-24", "2026-12-24T25:00:00Z", "tomorrow", " "}) {
    const auto end = hold_end(bad);
    ASSERT_FALSE(end) << bad;
    EXPECT_EQ(end.error().kind, Error::Kind::misconfigured);
    EXPECT_THAT(end.error().detail, AllOf(HasSubstr(bad), HasSubstr("2026-12-24")));
  }
  Domain domain;
  EXPECT_FALSE(is_held(domain, at("2026-12-24T00:00:00Z")));
  domain.hold = "2026-12-24";
  EXPECT_TRUE(is_held(domain, at("2026-12-23T23:59:59Z")));
  EXPECT_FALSE(is_held(domain, at("2026-12-24T00:00:00Z")));
}

TEST(MaintenanceWindowTest, OfEveryDayMayGoAcrossMidnight) {
  EXPECT_EQ(next("22:00-04:00", "2026-11-26T12:00:00Z"), "2026-11-26T22:00:00Z");
  EXPECT_EQ(next("22:00-04:00", "2026-11-26T22:00:00Z"), "2026-11-26T22:00:00Z");
  EXPECT_EQ(next("22:00-04:00", "2026-11-27T03:59:59Z"), "2026-11-27T03:59:59Z");
  EXPECT_EQ(next("22:00-04:00", "2026-11-27T04:00:00Z"), "2026-11-27T22:00:00Z");
  EXPECT_EQ(next("20:00-00:00", "2026-11-27T23:59:59Z"), "2026-11-27T23:59:59Z");
  EXPECT_EQ(next("20:00-24:00", "2026-11-27T00:00:00Z"), "2026-11-27T20:00:00Z");
}

TEST(MaintenanceWindowTest, OfDaysBeginsOnThese) {
  EXPECT_EQ(next("sat,sun 02:00-05:00", "2026-11-26T03:00:00Z"), "2026-11-28T02:00:00Z");
  EXPECT_EQ(next("sat,sun 02:00-05:00", "2026-11-28T05:00:00Z"), "2026-11-29T02:00:00Z");
  EXPECT_EQ(next("Sat, SUN 02:00-05:00", "2026-11-29T05:00:00Z"), "2026-12-05T02:00:00Z");
  EXPECT_EQ(next("mon-fri 06:30-07:00", "2026-11-27T07:00:00Z"), "2026-11-30T06:30:00Z");
  EXPECT_EQ(next("sat-mon 06:30-07:00", "2026-11-29T07:00:00Z"), "2026-11-30T06:30:00Z");
  EXPECT_EQ(next("thu 01:00-02:00", std::string(thursday) + "T02:00:00Z"), "2026-12-03T01:00:00Z");
}

TEST(MaintenanceWindowTest, OfSundayNightEndsOnMonday) {
  EXPECT_EQ(next("sun 22:00-04:00", "2026-11-30T03:59:00Z"), "2026-11-30T03:59:00Z");
  EXPECT_EQ(next("sun 22:00-04:00", "2026-11-30T04:00:00Z"), "2026-12-06T22:00:00Z");
}

TEST(MaintenanceWindowTest, OpensWithTheFirstOfSeveralSpans) {
  constexpr auto both = "sun 00:00-24:00 ; mon-fri 20:00-21:00";
  EXPECT_EQ(next(both, "2026-11-26T12:00:00Z"), "2026-11-26T20:00:00Z");
  EXPECT_EQ(next(both, "2026-11-27T21:00:00Z"), "2026-11-29T00:00:00Z");
  EXPECT_EQ(next(both, "2026-11-30T00:00:00Z"), "2026-11-30T20:00:00Z");
  EXPECT_EQ(next("", "2026-11-30T00:00:01Z"), "2026-11-30T00:00:01Z") << "without one, always";
}

TEST(MaintenanceWindowTest, GoesByTheWeekBefore1970Too) {
  EXPECT_EQ(next("sun 02:00-05:00", "1969-12-28T06:00:00Z"), "1970-01-04T02:00:00Z");
}

TEST(MaintenanceWindowTest, RefusesWhatItCannotRead) {
  for (const auto* bad :
       {"2:00-5:00", "02:00", "02:00-25:00", "24:00-02:00", "02:60-03:00", "02:00-24:01", "sat",
        "sat 02:00 - 05:00", "sat, 02:00-05:00", "satur 02:00-05:00", "mon- 02:00-05:00",
        "02:00-05:00;", ";", "sat-02:00-05:00", "02:00-03:00-04:00", "0a:00-05:00"}) {
    EXPECT_THAT(fault(bad), HasSubstr("\"sat,sun 02:00-05:00\"")) << bad;
  }
  EXPECT_THAT(fault("sat 02:00-05:00; sun 5-6"), HasSubstr("\"sun 5-6\""));
  EXPECT_THAT(fault("02:00-02:00"), HasSubstr("00:00-24:00"));
  EXPECT_THAT(fault(" "), IsEmpty());
}

TEST(OpeningTest, WaitsForTheHoldThenForTheWindow) {
  const auto window = MaintenanceWindow::parse("sat,sun 02:00-05:00").value();
  const Time noon = at("2026-11-26T12:00:00Z");
  EXPECT_EQ(Opening().from(noon), noon);
  EXPECT_THAT(Opening().words(noon), IsEmpty());

  const Opening held(at("2026-12-24T00:00:00Z"), {}, Time::max());
  EXPECT_EQ(held.from(noon), at("2026-12-24T00:00:00Z"));
  EXPECT_EQ(held.words(noon), "a hold until 2026-12-24T00:00:00Z");
  EXPECT_EQ(held.from(at("2026-12-25T00:00:00Z")), at("2026-12-25T00:00:00Z"));

  const Opening both(at("2026-12-24T00:00:00Z"), window, Time::max());
  EXPECT_EQ(both.words(noon), "its maintenance window, which opens 2026-12-26T02:00:00Z");

  const Opening never(Time::max(), window, Time::max());
  EXPECT_EQ(never.from(noon), Time::max());
  EXPECT_EQ(never.words(noon), "a hold without an end");
}

TEST(OpeningTest, AWindowThatOpensTooLateIsNotWaitedFor) {
  const auto window = MaintenanceWindow::parse("sat 02:00-05:00").value();
  const Time noon = at("2026-11-26T12:00:00Z");
  const Time opens = at("2026-11-28T02:00:00Z");
  EXPECT_EQ(Opening(Time::min(), window, opens).from(noon), opens);
  const Opening late(Time::min(), window, opens - std::chrono::seconds(1));
  EXPECT_EQ(late.from(noon), noon);
  EXPECT_THAT(late.words(noon), IsEmpty());
}

}  // namespace
}  // namespace certherd::policy

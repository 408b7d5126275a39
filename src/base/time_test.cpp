#include "base/time.hpp"

#include <gtest/gtest.h>

namespace certherd {
namespace {

using namespace std::chrono_literals;

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(FormatTime, WritesUtcToTheSecond) {
  EXPECT_EQ(format_time(at(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time(at(1'795'435'200) + 999'999us), "2026-11-23T12:00:00Z");
  EXPECT_EQ(format_time(at(951'782'399)), "2000-02-28T23:59:59Z");
}

TEST(FormatTime, RoundsDownBefore1970Too) {
  EXPECT_EQ(format_time(at(0) - 1us), "1969-12-31T23:59:59Z");
}

TEST(ParseTime, ReadsWhatFormatTimeWrites) {
  for (const std::int64_t seconds : {0L, 951'782'399L, 1'795'435'200L, 4'102'444'800L}) {
    EXPECT_EQ(parse_time(format_time(at(seconds))), at(seconds));
  }
}

// The examples of RFC 3339 section 5.8.
TEST(ParseTime, ReadsTheExamplesOfTheRfc) {
  EXPECT_EQ(parse_time("1985-04-12T23:20:50.52Z"), at(482'196'050) + 520ms);
  EXPECT_EQ(parse_time("1996-12-19T16:39:57-08:00"), parse_time("1996-12-20T00:39:57Z"));
  EXPECT_EQ(parse_time("1990-12-31T23:59:60Z"), parse_time("1991-01-01T00:00:00Z"));
  EXPECT_EQ(parse_time("1990-12-31T15:59:60-08:00"), parse_time("1991-01-01T00:00:00Z"));
  EXPECT_EQ(parse_time("1937-01-01T12:00:27.87+00:20"), parse_time("1937-01-01T11:40:27.87Z"));
}

TEST(ParseTime, DropsDigitsBeyondMicroseconds) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:00.1234569Z"), at(0) + 123'456us);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00." + std::string(500, '9') + "Z"), at(0) + 999'999us);
}

TEST(ParseTime, TakesLowerCaseAndASpace) {
  EXPECT_EQ(parse_time("1970-01-01t00:00:01z"), at(1));
  EXPECT_EQ(parse_time("1970-01-01 00:00:01Z"), at(1));
}

TEST(ParseTime, RefusesDatesAndTimesThatDoNotExist) {
  for (const auto* text : {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z",
                           "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
                           "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z",
                           "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(ParseTime, RefusesOtherForms) {
  for (const auto* text :
       {"", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-1-01T00:00:00Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+0100",
        "-026-01-01T00:00:00Z", "+2026-01-01T00:00:00Z", "2026/01/01T00:00:00Z", " "}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, ReadsEachUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("3m"), 3min);
  EXPECT_EQ(parse_duration("6h"), 6h);
  EXPECT_EQ(parse_duration("30d"), 30 * 24h);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(ParseDuration, RefusesWhatIsNoneOrTooLong) {
  for (const auto* text : {"", "s", "10", "-1s", "1.5h", " 1s", "1s ", "1h30m", "1w", "+1s",
                           "99999999999999999999s", "9223372036854775807d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(FormatDuration, PicksTheUnitsAPersonWould) {
  EXPECT_EQ(format_duration(0us), "0ms");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(12s + 900ms), "12s");
  EXPECT_EQ(format_duration(3min + 5s), "3m05s");
  EXPECT_EQ(format_duration(6h + 12min), "6h12m");
  EXPECT_EQ(format_duration(47h), "47h00m");
  EXPECT_EQ(format_duration(61 * 24h + 5h), "61d");
}

TEST(FormatDuration, KeepsTheSign) {
  EXPECT_EQ(format_duration(-12s), "-12s");
  EXPECT_EQ(format_duration(Duration::min()), format_duration(-Duration::max()));
}

}  // namespace
}  // namespace certherd

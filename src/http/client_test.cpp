#include "http/client.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "http/url.hpp"

namespace certherd::http {
namespace {

using std::chrono::seconds;

// The example of RFC 9110 section 5.6.7, which is second 784111777 of POSIX time.
constexpr Time example = Time(seconds(784111777));

Response with(Headers headers) {
  Response response;
  response.headers = std::move(headers);
  return response;
}

TEST(Response, GivesTheFirstAndAllHeadersOfAName) {
  const Response response = with({{"link", "a"}, {"date", "d"}, {"link", "b"}});

  EXPECT_EQ(response.header("link"), "a");
  EXPECT_EQ(response.header("age"), std::nullopt);
  EXPECT_EQ(response.all("link"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(response.all("age").empty());
}

TEST(ParseHttpDate, ReadsThePreferredForm) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), example);
}

TEST(ParseHttpDate, RefusesEverythingElse) {
  for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nuv 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(RetryAfter, IsReckonedByTheServersClockWhereItTells) {
  const auto response = with({{"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                              {"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"}});
  const Time year_later = example + std::chrono::hours(24) * 365;
  EXPECT_EQ(retry_after(response, year_later), year_later + seconds(10));
  EXPECT_EQ(retry_after(response, Time(seconds(0))), Time(seconds(10)));
}

TEST(RetryAfter, AddsSeconds) {
  EXPECT_EQ(retry_after(with({{"retry-after", "120"}}), example), example + seconds(120));
  EXPECT_EQ(retry_after(with({{"retry-after", "0"}}), example), example);
}

TEST(RetryAfter, TakesADateButNeverOneThatIsPast) {
  const Response response = with({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}});

  EXPECT_EQ(retry_after(response, example - seconds(5)), example);
  EXPECT_EQ(retry_after(response, example + seconds(5)), example + seconds(5));
}

TEST(RetryAfter, EndsWithinACentury) {
  const auto response = with({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"},
                              {"date", "Sat, 01 Jan 0000 00:00:00 GMT"}});
  EXPECT_EQ(retry_after(response, example), example + std::chrono::years(100));
}

TEST(RetryAfter, IsNothingWhenAbsentOrUnreadable) {
  EXPECT_EQ(retry_after(with({}), example), std::nullopt);
  for (const char* text : {"", "soon", "-5", "1.5", "12 s"}) {
    EXPECT_EQ(retry_after(with({{"retry-after", text}}), example), std::nullopt) << text;
  }
}

TEST(RetryAfter, SurvivesANumberBeyondAllBounds) {
  const auto when = retry_after(with({{"retry-after", "99999999999999999999"}}), example);

  ASSERT_TRUE(when);
  EXPECT_GT(*when, example + std::chrono::years(50));
}

TEST(CheckUrl, LetsPlainHttpPassToThisMachineAndTheMetadataAddressesOfAws) {
  for (const char* url :
       {"http://127.0.0.1:5000/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/",
        "http://169.254.170.2/v2/x?a=b", "http://169.254.170.23/", "http://[fd00:ec2::23]/",
        "http://[fd00:ec2::254]/latest"}) {
    EXPECT_TRUE(check_url(url)) << url;
  }
}

TEST(CheckUrl, LetsPlainHttpPassToNothingElse) {
  for (const char* url :
       {"http://169.254.169.253/", "http://169.254.170.3/", "http://169.254.1.1/",
        "http://[fd00:ec2::24]/", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
        "http://169.254.169.254.example.com/", "http://example.com/", "http://10.0.0.1/"}) {
    EXPECT_EQ(check_url(url).error().kind, Error::Kind::misconfigured) << url;
  }
}

}  // namespace
}  // namespace certherd::http

#include "dns/responder/rate_limit.hpp"

#include <gtest/gtest.h>

namespace certherd::dns::responder {
namespace {

using Verdict = RateLimiter::Verdict;
using boost::asio::ip::make_address;

constexpr Time now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23));

int answered(RateLimiter& limiter, std::string_view client, Time when, int queries) {
  int count = 0;
  for (int i = 0; i < queries; ++i) {
    count += limiter.judge(make_address(client), when) == Verdict::answer ? 1 : 0;
  }
  return count;
}

TEST(RateLimiter, TruncatesEverySecondAnswerBeyondTheRateAndDropsTheOther) {
  RateLimiter limiter(3, 1);
  const auto client = make_address("192.0.2.1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.judge(client, now), Verdict::answer);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(limiter.judge(client, now), Verdict::truncate);
    EXPECT_EQ(limiter.judge(client, now), Verdict::drop);
  }
}

TEST(RateLimiter, RefillsAtTheRateAndNoFurtherThanASecondsWorth) {
  RateLimiter limiter(10, 1);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now, 100), 10);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now + std::chrono::milliseconds(500), 100), 5);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now + std::chrono::hours(1), 100), 10);
}

TEST(RateLimiter, CountsANetworkAsOneAndOthersApart) {
  RateLimiter limiter(10, 1);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now, 10), 10);
  EXPECT_EQ(answered(limiter, "192.0.2.200", now, 10), 0);
  EXPECT_EQ(answered(limiter, "192.0.3.1", now, 10), 10);
  EXPECT_EQ(answered(limiter, "2001:db8:0:100::1", now, 10), 10);
  EXPECT_EQ(answered(limiter, "2001:db8:0:1ff::1", now, 10), 0);
  EXPECT_EQ(answered(limiter, "2001:db8:0:200::1", now, 10), 10);
}

TEST(RateLimiter, LosesNothingWhenTheClockIsSetBack) {
  RateLimiter limiter(10, 1);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now, 5), 5);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now - std::chrono::hours(1), 5), 5);
}

TEST(RateLimiter, LetsEverythingThroughWithoutARate) {
  RateLimiter limiter(0, 1);
  EXPECT_EQ(answered(limiter, "192.0.2.1", now, 1000), 1000);
}

}  // namespace
}  // namespace certherd::dns::responder

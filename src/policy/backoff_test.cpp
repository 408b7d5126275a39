#include "policy/backoff.hpp"

#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time now = Time(std::chrono::days(20'000));

Error error_of(Error::Kind kind) {
  Error error;
  error.kind = kind;
  return error;
}

TEST(MustWait, IsNotHeldByATimeThatAWrongClockWrote) {
  const auto limited = error_of(Error::Kind::throttled);
  EXPECT_FALSE(must_wait(now, limited, now));
  EXPECT_TRUE(must_wait(now + 1s, limited, now));
  EXPECT_TRUE(must_wait(now + 24h * 7, limited, now));
  EXPECT_FALSE(must_wait(now + 24h * 365, limited, now));
  const auto failed = error_of(Error::Kind::rejected);
  EXPECT_FALSE(must_wait(now, failed, now));
  EXPECT_TRUE(must_wait(now + 25h, failed, now));
  EXPECT_FALSE(must_wait(now + 48h, failed, now)) << "nobody but us has chosen that time";
}

TEST(Backoff, TransientErrorsAreRetriedQuicklyFourTimes) {
  const auto error = error_of(Error::Kind::transient);
  EXPECT_EQ(react(error, 1, 0, now).retry_at, now + 1s);
  EXPECT_EQ(react(error, 4, 0, now).retry_at, now + 8s);
  EXPECT_EQ(react(error, 5, 0, now).retry_at, now + 1min);
  EXPECT_EQ(react(error, 6, 0, now).retry_at, now + 10min);
}

TEST(Backoff, OtherErrorsGoToTheSlowLaneAtOnce) {
  const auto error = error_of(Error::Kind::deadline);
  EXPECT_EQ(react(error, 1, 0, now).retry_at, now + 1min);
  EXPECT_EQ(react(error, 3, 0, now).retry_at, now + 100min);
  EXPECT_EQ(react(error, 40, 0, now).retry_at, now + 24h);
  EXPECT_TRUE(react(error, 40, 0, now).keep_issuance);
}

TEST(Backoff, NeverComesBackBeforeTheServerSaid) {
  auto error = error_of(Error::Kind::throttled);
  error.retry_at = now + 3h;
  EXPECT_EQ(react(error, 1, 0.5, now).retry_at, now + 3h);
}

TEST(Backoff, RejectedEndsTheIssuance) {
  EXPECT_FALSE(react(error_of(Error::Kind::rejected), 1, 0, now).keep_issuance);
}

TEST(Backoff, SpreadsByAtMostATenth) {
  EXPECT_EQ(slow_lane(1, 0, now, {}), 1min);
  EXPECT_GT(slow_lane(1, 0.99, now, {}), 1min);
  EXPECT_LE(slow_lane(1, 0.99, now, {}), 66s);
}

TEST(Backoff, ComesBackSoonerBeforeACertificateEnds) {
  EXPECT_EQ(slow_lane(9, 0, now, now + 24h * 30), 24h);
  EXPECT_EQ(slow_lane(9, 0, now, now + 24h * 4), 12h);
  EXPECT_EQ(slow_lane(9, 0, now, now + 21h), Duration(21h) / 8);
  EXPECT_EQ(slow_lane(9, 0, now, now + 1h), 100min) << "and what is done is no flood";
  EXPECT_EQ(slow_lane(1, 0, now, now + 1h), 1min);
  EXPECT_EQ(slow_lane(9, 0, now, now), 24h) << "too late";
  const auto error = error_of(Error::Kind::not_found);
  EXPECT_EQ(react(error, 9, 0, now, now + 24h).retry_at, now + 3h);
}

}  // namespace
}  // namespace certherd::policy

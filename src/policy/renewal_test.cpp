#include "policy/renewal.hpp"

#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr Time start = Time(days(20'000));

Certificate lasting(Duration lifetime) {
  Certificate certificate;
  certificate.ari_id = "a.b";
  certificate.fingerprint = Fingerprint("0000");
  certificate.not_before = start;
  certificate.not_after = start + lifetime;
  return certificate;
}

RenewalWindow window(Duration from, Duration to) {
  return {.start = start + from, .end = start + to, .explanation_url = {}};
}

Certificate with_window(Duration from, Duration to, double chance) {
  auto certificate = lasting(days(90));
  certificate.renewal = heard({}, window(from, to), std::nullopt, chance, 0, start);
  return certificate;
}

Error error_of(Error::Kind kind) {
  Error error;
  error.kind = kind;
  return error;
}

TEST(Heard, DrawsAMomentOnceForAWindow) {
  auto renewal = heard({}, window(days(60), days(62)), start + 6h, 0.25, 0, start);
  EXPECT_EQ(renewal.at, start + days(60) + 12h);
  EXPECT_EQ(renewal.poll_at, start + 6h);
  renewal = heard(renewal, window(days(60), days(62)), start + 12h, 0.75, 0, start + 6h);
  EXPECT_EQ(renewal.at, start + days(60) + 12h) << "the same window";
  renewal = heard(renewal, window(days(10), days(12)), start + 12h, 0.75, 0, start + 6h);
  EXPECT_EQ(renewal.at, start + days(11) + 12h) << "it was moved";
}

TEST(Heard, AsksAgainBetweenAMinuteAndADayAndSpreads) {
  EXPECT_EQ(heard({}, window(0h, 1h), start, 0, 0, start).poll_at, start + 1min);
  EXPECT_EQ(heard({}, window(0h, 1h), start + days(9), 0, 0, start).poll_at, start + days(1));
  EXPECT_EQ(heard({}, window(0h, 1h), start + 10h, 0, 0.5, start).poll_at, start + 10h + 30min);
  EXPECT_EQ(heard({}, window(0h, 1h), std::nullopt, 0, 0, start).poll_at, start + 6h);
}

TEST(NotHeard, BacksOffAndKeepsTheWindow) {
  auto renewal = heard({}, window(days(60), days(62)), start, 0, 0, start);
  renewal = not_heard(renewal, error_of(Error::Kind::transient), 0, start);
  EXPECT_EQ(renewal.poll_at, start + 1min);
  renewal = not_heard(renewal, error_of(Error::Kind::deadline), 0, start);
  EXPECT_EQ(renewal.poll_at, start + 2min);
  for (int i = 0; i < 40; ++i) {
    renewal = not_heard(renewal, error_of(Error::Kind::transient), 0, start);
  }
  EXPECT_EQ(renewal.poll_at, start + 6h);
  EXPECT_EQ(renewal.at, start + days(60));
  EXPECT_EQ(heard(renewal, *renewal.window, start, 0, 0, start).failures, 0);
}

TEST(NotHeard, WaitsForHoursAfterWhatWillLast) {
  EXPECT_EQ(not_heard({}, error_of(Error::Kind::not_found), 0, start).poll_at, start + 6h);
  EXPECT_EQ(not_heard({}, error_of(Error::Kind::rejected), 0, start).poll_at, start + 6h);
}

TEST(NotHeard, WaitsAsLongAsItIsTold) {
  auto error = error_of(Error::Kind::throttled);
  error.retry_at = start + 3h;
  EXPECT_EQ(not_heard({}, error, 0, start).poll_at, start + 3h);
  error.retry_at = start + days(30);
  EXPECT_EQ(not_heard({}, error, 0, start).poll_at, start + days(1));
}

TEST(NextQuestion, IsNotAskedOfWhatHasEnded) {
  auto certificate = lasting(days(90));
  EXPECT_EQ(next_question(certificate, certificate.renewal, start), start) << "soon after issuance";
  certificate.renewal.poll_at = start + 5h;
  EXPECT_EQ(next_question(certificate, certificate.renewal, start), start + 5h);
  certificate.renewal.poll_at = start + days(400);
  EXPECT_EQ(next_question(certificate, certificate.renewal, start), start) << "a clock was ahead";
  EXPECT_FALSE(next_question(certificate, certificate.renewal, start + days(91)));
  certificate.revoked_at = start;
  EXPECT_FALSE(next_question(certificate, certificate.renewal, start));
  auto unknown = lasting(days(90));
  unknown.ari_id.clear();
  EXPECT_FALSE(next_question(unknown, unknown.renewal, start));
}

TEST(RenewalMoment, IsByAgeWithoutAWindow) {
  EXPECT_EQ(renewal_moment(lasting(days(90)), 0.5).at, start + days(45));
  EXPECT_EQ(renewal_moment(lasting(days(6)), 0.667).at, start + days(3)) << "half, if short";
  EXPECT_EQ(renewal_moment(lasting(days(100)), 0.95).at, start + days(90)) << "a tenth is left";
  auto spread = lasting(days(100));
  spread.fingerprint = Fingerprint("80000000aa");
  EXPECT_EQ(renewal_moment(spread, 0.5).at, start + days(49)) << "others somewhat earlier";
}

TEST(RenewalMoment, LeavesTimeForWhatIssuingTook) {
  auto slow = lasting(days(90));
  slow.issued_in = days(10);
  EXPECT_EQ(renewal_moment(slow, 0.95).at, start + days(70));
  slow.issued_in = days(80);
  EXPECT_EQ(renewal_moment(slow, 0.95).at, start + days(45)) << "half at most";
  auto short_lived = lasting(30s);
  short_lived.issued_in = 14s;
  EXPECT_EQ(latest_renewal(short_lived), start + 10s) << "two thirds at most";
}

TEST(RenewalMoment, LeavesAMinuteOfAVeryShortLife) {
  EXPECT_EQ(latest_renewal(lasting(5min)), start + 4min);
  EXPECT_EQ(latest_renewal(lasting(30s)), start + 15s) << "or a half";
}

TEST(RenewalMoment, IsTheOneDrawnInTheWindow) {
  const auto moment = renewal_moment(with_window(days(60), days(62), 0.5), 0.667);
  EXPECT_EQ(moment.at, start + days(61));
  EXPECT_TRUE(moment.asked_by_ca);
}

TEST(RenewalMoment, IsNeverAfterTheLastTenth) {
  const auto moment = renewal_moment(with_window(days(85), days(89), 0.5), 0.667);
  EXPECT_EQ(moment.at, start + days(81));
  EXPECT_FALSE(moment.asked_by_ca);
}

TEST(RenewalMoment, IsInTheFirstThirdOnlyAfterTheWholeWindow) {
  EXPECT_EQ(renewal_moment(with_window(days(2), days(4), 0), 0.667).at, start + days(4));
  EXPECT_EQ(renewal_moment(with_window(-days(9), days(50), 0.1), 0.667).at, start + days(30));
  EXPECT_EQ(renewal_moment(with_window(-days(9), -days(8), 0.1), 0.667).at, start - days(8));
}

}  // namespace
}  // namespace certherd::policy

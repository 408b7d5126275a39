#include "policy/due.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

constexpr Time start = Time(std::chrono::days(20'000));

Domain shop() {
  Domain domain;
  domain.name = Fqdn::literal("shop.example");
  domain.names = {Fqdn::literal("www.shop.example")};
  return domain;
}

Certificate ninety_days() {
  Certificate certificate;
  certificate.names = {Fqdn::literal("www.shop.example"), Fqdn::literal("shop.example")};
  certificate.not_before = start;
  certificate.not_after = start + std::chrono::days(90);
  return certificate;
}

TEST(WhenDue, IsNowWithoutACertificate) {
  const auto due = when_due(shop(), std::nullopt, 0.667, start);
  EXPECT_TRUE(due.due);
  EXPECT_EQ(due.at, start);
}

TEST(WhenDue, IsAtTheShareOfTheLifetime) {
  const auto before = when_due(shop(), ninety_days(), 0.5, start + std::chrono::days(44));
  EXPECT_FALSE(before.due);
  EXPECT_EQ(before.at, start + std::chrono::days(45));
  EXPECT_TRUE(when_due(shop(), ninety_days(), 0.5, start + std::chrono::days(45)).due);
}

TEST(WhenDue, IsNowWhenTheNamesHaveChangedButNotTheirOrder) {
  auto domain = shop();
  EXPECT_FALSE(when_due(domain, ninety_days(), 0.667, start).due);
  domain.names.push_back(Fqdn::literal("new.shop.example"));
  EXPECT_TRUE(when_due(domain, ninety_days(), 0.667, start).due);
}

TEST(WhenDue, SaysThatItHasExpired) {
  const auto due = when_due(shop(), ninety_days(), 0.667, start + std::chrono::days(91));
  EXPECT_TRUE(due.due);
  EXPECT_THAT(due.reason, testing::HasSubstr("expired"));
}

TEST(WhenDue, IsNowOnceItIsRevoked) {
  auto certificate = ninety_days();
  certificate.revocation_reason = RevocationReason::superseded;
  EXPECT_FALSE(when_due(shop(), certificate, 0.667, start).due) << "the CA has not done it yet";
  certificate.revoked_at = start;
  const auto due = when_due(shop(), certificate, 0.667, start);
  EXPECT_TRUE(due.due);
  EXPECT_EQ(due.at, start);
  EXPECT_EQ(due.reason, "certificate was revoked (superseded)");
}

TEST(WhenDue, IsNowWithACompromisedKeyWhateverTheCaSays) {
  auto certificate = ninety_days();
  certificate.revocation_reason = RevocationReason::key_compromise;
  EXPECT_TRUE(when_due(shop(), certificate, 0.667, start).due);
}

}  // namespace
}  // namespace certherd::policy

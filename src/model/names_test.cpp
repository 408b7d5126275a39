// The closed lists of the model, and what is derived from plain data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "model/domain.hpp"
#include "model/issuance.hpp"
#include "model/key_type.hpp"

namespace certherd {
namespace {

using testing::ElementsAre;

TEST(KeyTypeNames, AreThoseOfTheConfigBothWays) {
  using enum KeyType;
  for (const auto type : {ecdsa_p256, ecdsa_p384, rsa_2048, rsa_3072, rsa_4096, ed25519}) {
    EXPECT_EQ(parse_key_type(to_string(type)), type);
  }
  EXPECT_EQ(to_string(ecdsa_p256), "ecdsa-p256");
  EXPECT_EQ(parse_key_type("auto"), std::nullopt);
  EXPECT_EQ(parse_key_type(""), std::nullopt);
}

TEST(StepNames, AreUniqueAndReadBack) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Step::failed); ++i) {
    const auto step = static_cast<Step>(i);
    EXPECT_EQ(parse_step(to_string(step)), step) << i;
    names.insert(to_string(step));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Step::failed) + 1);
  EXPECT_EQ(parse_step("finished"), std::nullopt);
  EXPECT_EQ(parse_step(""), std::nullopt);
}

TEST(IssuanceState, EndsWithDoneOrFailed) {
  Issuance issuance;
  EXPECT_TRUE(issuance.active());
  issuance.step = Step::done;
  EXPECT_FALSE(issuance.active());
  issuance.step = Step::failed;
  EXPECT_FALSE(issuance.active());
}

TEST(IssuanceState, NeedsItsChallengesFromPublishToValidate) {
  Issuance issuance;
  std::vector<Step> needing;
  for (int i = 0; i <= static_cast<int>(Step::failed); ++i) {
    issuance.step = static_cast<Step>(i);
    if (issuance.needs_challenges()) needing.push_back(issuance.step);
  }
  EXPECT_THAT(needing, ElementsAre(Step::publish, Step::propagate, Step::answer, Step::validate));
}

TEST(DomainNames, StartWithThePrimaryAndHoldNoDuplicate) {
  Domain domain;
  domain.name = Fqdn::literal("example.com");
  domain.names = {Fqdn::literal("www.example.com"), Fqdn::literal("example.com"),
                  Fqdn::literal("*.example.com"), Fqdn::literal("www.example.com")};
  EXPECT_THAT(domain.all_names(),
              ElementsAre(Fqdn::literal("example.com"), Fqdn::literal("www.example.com"),
                          Fqdn::literal("*.example.com")));
}

}  // namespace
}  // namespace certherd

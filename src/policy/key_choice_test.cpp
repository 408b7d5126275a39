#include "policy/key_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using testing::HasSubstr;

const KeyTaker anything{"[target.web]",
                        {certificate_key_types.begin(), certificate_key_types.end()}};
const KeyTaker cdn{"[target.cdn]", {KeyType::rsa_2048, KeyType::ecdsa_p384}};
const KeyTaker old{"[target.old]", {KeyType::rsa_4096, KeyType::rsa_2048}};
const KeyTaker modern{"[target.modern]", {KeyType::ecdsa_p256}};

TEST(ChooseKey, TakesTheFirstThatSuitsAll) {
  EXPECT_EQ(choose_key(std::nullopt, {}), KeyType::ecdsa_p256);
  EXPECT_EQ(choose_key(std::nullopt, {anything}), KeyType::ecdsa_p256);
  EXPECT_EQ(choose_key(std::nullopt, {anything, cdn}), KeyType::ecdsa_p384);
  EXPECT_EQ(choose_key(std::nullopt, {cdn, old}), KeyType::rsa_2048);
}

TEST(ChooseKey, NamesWhoDoesNotTakeWhatIsWanted) {
  EXPECT_EQ(choose_key(KeyType::rsa_4096, {anything, old}), KeyType::rsa_4096);
  const auto refused = choose_key(KeyType::rsa_4096, {anything, old, cdn});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(refused.error().detail,
            "[target.cdn] takes no rsa-4096 key, only rsa-2048, ecdsa-p384: set `key` to one of "
            "these, or to auto");
}

TEST(ChooseKey, TellsOfTargetsThatHaveNoneInCommon) {
  const auto refused = choose_key(std::nullopt, {cdn, modern});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("[target.modern] takes ecdsa-p256"));
}

}  // namespace
}  // namespace certherd::policy

#include "vault/secrets_manager/names.hpp"

#include <gtest/gtest.h>

namespace certherd::vault::secrets_manager {
namespace {

TEST(SecretNames, StandUnderThePrefixAndTheDomain) {
  const auto domain = Fqdn::literal("www.example.com");
  EXPECT_EQ(secret_name("tls/", domain, Part::private_key), "tls/www.example.com/private_key");
  EXPECT_EQ(secret_name("tls/", domain, Part::csr), "tls/www.example.com/csr");
  EXPECT_EQ(secret_name("tls/", domain, Part::fullchain), "tls/www.example.com/fullchain");
  EXPECT_EQ(secret_name("", domain, Part::bundle), "www.example.com/bundle");
}

TEST(SecretNames, SpellAWildcardInAllowedCharacters) {
  EXPECT_EQ(secret_name("tls/", Fqdn::literal("*.example.com"), Part::csr),
            "tls/_wildcard.example.com/csr");
}

TEST(Prefixes, HoldWhatANameMayHold) {
  EXPECT_TRUE(check_prefix(""));
  EXPECT_TRUE(check_prefix("Prod-1/tls_+=.@/"));
  for (const auto* const wrong : {"tls *", "tls:", "tls\\", "tl\xc3\xa4/", "tls\n"}) {
    const auto refused = check_prefix(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  }
}

TEST(SecretNames, HaveALength) {
  EXPECT_TRUE(check_name(std::string(512, 'n')));
  const auto refused = check_name(std::string(513, 'n'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_FALSE(check_name("tls/_account/my ca"));
}

TEST(Prefixes, LeaveRoomForTheLongestDomain) {
  const std::string longest(239, 'p');
  ASSERT_TRUE(check_prefix(longest));
  EXPECT_FALSE(check_prefix(longest + "p"));

  const std::string label(61, 'a');
  const auto domain =
      Fqdn::literal("*." + label + "." + label + "." + label + "." + label + ".com");
  ASSERT_EQ(domain.text().size(), 253U);
  EXPECT_LE(secret_name(longest, domain, Part::private_key).size(), 512U);
}

TEST(VersionIds, ShowTheSerialAndGiveItBack) {
  EXPECT_EQ(*version_id("3fa5"), "3fa5-000000000000000000000000000");
  const std::string thirty_one(31, 'c');
  EXPECT_EQ(*version_id(thirty_one), thirty_one + "-");
  const std::string forty(40, '1');
  EXPECT_EQ(*version_id(forty), forty + "-");
  for (const auto& key : {std::string("0"), std::string("3fa5"), thirty_one, forty}) {
    EXPECT_GE(version_id(key)->size(), 32U);
    EXPECT_LE(version_id(key)->size(), 64U);
    EXPECT_EQ(key_of(*version_id(key)), key);
  }
}

TEST(VersionIds, AreMadeOfSerialsOnly) {
  for (const auto& wrong : {std::string(), std::string("3FA5"), std::string("3f:a5"),
                            std::string("x"), std::string(41, '1')}) {
    const auto refused = version_id(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  }
}

TEST(VersionIds, OfOthersAreNotTakenForOurs) {
  EXPECT_EQ(key_of("EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"), std::nullopt);
  EXPECT_EQ(key_of("0f3a1b2c-90ab-cdef-fedc-ba9876543210"), std::nullopt);
  EXPECT_EQ(key_of("3fa5"), std::nullopt);
  EXPECT_EQ(key_of("3fa5-0000000000000000000000000000"), std::nullopt);
  EXPECT_EQ(key_of(""), std::nullopt);
}

}  // namespace
}  // namespace certherd::vault::secrets_manager

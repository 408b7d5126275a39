#include "crypto/encoding.hpp"

#include <gtest/gtest.h>

namespace certherd::crypto {
namespace {

// RFC 4648 section 10.
TEST(Base64, IsThatOfTheRfc) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

// RFC 7515 appendix C.
TEST(Base64Url, HasItsOwnAlphabetAndNoPadding) {
  const std::string bytes = "\x03\xec\xff\xe0\xc1";
  EXPECT_EQ(base64url(bytes), "A-z_4ME");
  EXPECT_EQ(from_base64url("A-z_4ME"), bytes);
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(from_base64url(""), "");
}

TEST(Base64, EveryOctetSurvives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
  }
}

TEST(Base64, RefusesAllButTheOneText) {
  for (const auto* text : {"Zg", "Zg=", "Zg===", "Zh==", "Z===", "====", "=", "Zm9v\n", " Zm9v",
                           "Zm=v", "Z-_v", "Zm9vZg==Zm9v", "Zm 9v"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  EXPECT_FALSE(from_base64(std::string("Zm9\0", 4)));
}

TEST(Base64Url, RefusesAllButTheOneText) {
  for (const auto* text : {"Zg==", "Z", "Zh", "Z+/v", "Zm9v\n", "Zm9vZ", "Zm.v"}) {
    const auto bytes = from_base64url(text);
    ASSERT_FALSE(bytes) << text;
    EXPECT_EQ(bytes.error().kind, Error::Kind::rejected);
  }
}

TEST(Hashes, AreThePublishedOnes) {
  // FIPS 180-2 appendix B.1 and the empty message.
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231 section 4.3.
  EXPECT_EQ(hex(hmac("SHA256", "Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac("SHA384", "Jefe", "what do ya want for nothing?")),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
            "8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(hmac("SHA512", "Jefe", "what do ya want for nothing?").size(), 64U);
  EXPECT_EQ(hex(hmac("SHA256", {}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(ConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(equal_in_constant_time("token", "token"));
  EXPECT_TRUE(equal_in_constant_time({}, ""));
  EXPECT_FALSE(equal_in_constant_time("token", "tokem"));
  EXPECT_FALSE(equal_in_constant_time("token", "toke"));
  EXPECT_FALSE(equal_in_constant_time("", "t"));
}

}  // namespace
}  // namespace certherd::crypto

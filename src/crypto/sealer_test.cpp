#include "crypto/sealer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/encoding.hpp"

namespace certherd::crypto {
namespace {

using testing::HasSubstr;

Sealer sealer_of(char fill) {
  return Sealer::make(Secret<std::string>(std::string(32, fill))).value();
}

Secret<std::string> secret(std::string text) { return Secret<std::string>(std::move(text)); }

TEST(SealedText, OpensForTheSamePurpose) {
  const Sealer sealer = sealer_of('k');
  for (const std::string& plain :
       {std::string(), std::string("key"), std::string(10'000, '\xff')}) {
    for (const auto* purpose : {"", "domain example.com"}) {
      const auto opened = sealer.open(sealer.seal(secret(plain), purpose), purpose);
      ASSERT_TRUE(opened) << opened.error().message();
      EXPECT_EQ(opened->reveal(), plain);
    }
  }
}

TEST(SealedText, HasTheDocumentedFormAndADifferentNonceEachTime) {
  const Sealer sealer = sealer_of('k');
  const std::string sealed = sealer.seal(secret("key"), "p");
  EXPECT_TRUE(sealed.starts_with("v1." + sealer.key_id() + "."));
  EXPECT_EQ(sealer.key_id().size(), 8U);
  EXPECT_EQ(from_base64(sealed.substr(12)).value().size(), 12U + 3U + 16U);
  EXPECT_NE(sealer.seal(secret("key"), "p"), sealed);
}

// Test case 16 of the GCM specification (McGrew and Viega): what was sealed once stays readable.
TEST(SealedText, IsAes256Gcm) {
  const auto from_hex = [](std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    }
    return bytes;
  };
  const Sealer sealer =
      Sealer::make(
          secret(from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")))
          .value();
  const std::string sealed =
      "v1." + sealer.key_id() + "." +
      base64(from_hex("cafebabefacedbaddecaf888"
                      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                      "76fc6ece0f4e1768cddf8853bb2d551b"));
  const auto opened = sealer.open(sealed, from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->reveal(),
            from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"));
}

TEST(SealedText, IsRefusedForAnotherPurpose) {
  const Sealer sealer = sealer_of('k');
  const auto opened = sealer.open(sealer.seal(secret("key"), "a.example"), "b.example");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Error::Kind::rejected);
}

TEST(SealedText, AnotherKeyIsToldFromDamage) {
  const std::string sealed = sealer_of('k').seal(secret("key"), "p");
  const auto opened = sealer_of('x').open(sealed, "p");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(opened.error().message(), HasSubstr("sealed under key " + sealer_of('k').key_id()));
  EXPECT_THAT(opened.error().message(), HasSubstr("seal key is " + sealer_of('x').key_id()));
  EXPECT_NE(sealer_of('k').key_id(), sealer_of('x').key_id());
}

TEST(SealedText, OfAFormerKeyOpensWhileKeysChange) {
  const std::string sealed = sealer_of('k').seal(secret("key"), "p");
  Sealer sealer = sealer_of('x');
  sealer.also_open(sealer_of('k'));
  const auto opened = sealer.open(sealed, "p");
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->reveal(), "key");
  EXPECT_FALSE(sealer.sealed_here(sealed));
  EXPECT_TRUE(sealer.sealed_here(sealer.seal(*opened, "p"))) << "it seals under its own key only";
}

TEST(SealedText, EveryChangedOctetIsNoticed) {
  const Sealer sealer = sealer_of('k');
  const std::string sealed = sealer.seal(secret("key"), "p");
  const std::string bytes = from_base64(sealed.substr(12)).value();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto opened = sealer.open(sealed.substr(0, 12) + base64(changed), "p");
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().kind, Error::Kind::rejected);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer.open(sealed.substr(0, size), "p")) << size;
  }
  EXPECT_FALSE(sealer.open("v2" + sealed.substr(2), "p"));
}

TEST(SealKey, IsReadFromTheTextThatWasWritten) {
  const Secret<std::string> text = Sealer::new_key_text();
  EXPECT_TRUE(text.reveal().ends_with('\n'));
  EXPECT_NE(Sealer::new_key_text().reveal(), text.reveal());

  const Sealer sealer = Sealer::from_key_text(text).value();
  const Sealer spaced = Sealer::from_key_text(secret(" \r\n" + text.reveal() + "\n ")).value();
  EXPECT_EQ(spaced.open(sealer.seal(secret("key"), "p"), "p").value().reveal(), "key");
}

TEST(SealKey, OfAnotherLengthIsMisconfigured) {
  for (const std::string& text :
       {std::string(), std::string(" \n"), std::string("not base64!"), base64(std::string(31, 'k')),
        base64(std::string(33, 'k')), std::string(1'000'000, 'A')}) {
    const auto sealer = Sealer::from_key_text(secret(text));
    ASSERT_FALSE(sealer);
    EXPECT_EQ(sealer.error().kind, Error::Kind::misconfigured);
  }
  EXPECT_FALSE(Sealer::make(secret("")));
}

}  // namespace
}  // namespace certherd::crypto

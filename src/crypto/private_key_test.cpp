#include "crypto/private_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

PrivateKey key_of(KeyType type) { return PrivateKey::generate(type).value(); }

Result<PrivateKey> read(std::string pem) {
  return PrivateKey::from_pem(Secret<std::string>(std::move(pem)));
}

TEST(PrivateKeyKinds, AreGeneratedAndReadBack) {
  using enum KeyType;
  for (const auto type : {ecdsa_p256, ecdsa_p384, rsa_2048, rsa_3072, rsa_4096, ed25519}) {
    const PrivateKey key = key_of(type);
    EXPECT_EQ(key.type(), type);
    const auto again = PrivateKey::from_pem(key.to_pem());
    ASSERT_TRUE(again) << to_string(type);
    EXPECT_EQ(again->type(), type);
    EXPECT_EQ(again->public_key(), key.public_key());
    EXPECT_THAT(key.to_pem().reveal(), testing::StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  }
}

TEST(PrivateKeyKinds, EachKeyIsNew) {
  SystemKeySource source;
  EXPECT_NE(source.generate(KeyType::ecdsa_p256)->public_key(),
            source.generate(KeyType::ecdsa_p256)->public_key());
}

TEST(HashOfKey, IsOfThePublicHalfAsCertificatesHoldIt) {
  const auto key = key_of(KeyType::ecdsa_p256);
  EXPECT_EQ(hash_of_key(key.public_key()), hash_of_key(read(key.to_pem().reveal())->public_key()));
  EXPECT_NE(hash_of_key(key.public_key()), hash_of_key(key_of(KeyType::ecdsa_p256).public_key()));
  EXPECT_EQ(hash_of_key("").text(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// The key of RFC 8032 section 7.1, test 1, in PKCS #8 (RFC 8410 section 7).
TEST(PrivateKeyFromPem, GivesThePublicKeyOfTheRfc) {
  const auto key =
      read(to_pem("PRIVATE KEY", std::string("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04"
                                             "\x22\x04\x20",
                                             16) +
                                     "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c"
                                     "\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae"
                                     "\x7f\x60"));
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->public_key().substr(12),
            "\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a"
            "\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a");
}

TEST(PrivateKeyFromPem, ReadsTheTraditionalFormsToo) {
  // RFC 7515 appendix A.3, written as RFC 5915 with its point compressed.
  constexpr std::string_view compressed =
      "-----BEGIN EC PARAMETERS-----\n"
      "BggqhkjOPQMBBw==\n"
      "-----END EC PARAMETERS-----\n"
      "-----BEGIN EC PRIVATE KEY-----\n"
      "MFcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
      "AwEHoSQDIgADf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\n"
      "-----END EC PRIVATE KEY-----\n";
  const auto key = read(std::string(compressed));
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->type(), KeyType::ecdsa_p256);
  EXPECT_EQ(key->public_key().size(), 91U);
  EXPECT_EQ(key->public_key(), PrivateKey::from_pem(key->to_pem())->public_key());
}

TEST(PrivateKeyFromPem, RefusesWhatIsNoUsableKey) {
  const std::string pem = key_of(KeyType::ecdsa_p256).to_pem().reveal();
  for (const std::string& text :
       {std::string(), std::string("garbage"), pem.substr(0, pem.size() / 2),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        std::string(1'000'000, '-')}) {
    const auto key = read(text);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().kind, Error::Kind::rejected);
  }
}

TEST(PrivateKeyFromPem, RefusesKindsThatNoCaTakes) {
  const auto pem_of = [](EVP_PKEY* handle) { return PrivateKey(handle).to_pem(); };
  for (const Secret<std::string>& pem :
       {pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})),
        pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521")),
        pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1")),
        pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"))}) {
    const auto key = PrivateKey::from_pem(pem);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().kind, Error::Kind::rejected);
  }
}

TEST(KeyText, NamesTheKindOfEveryPublicKey) {
  const auto text = [](EVP_PKEY* handle) { return key_text(PrivateKey(handle).public_key()); };
  EXPECT_EQ(key_text(key_of(KeyType::ecdsa_p256).public_key()), "ecdsa-p256");
  EXPECT_EQ(key_text(key_of(KeyType::rsa_2048).public_key()), "rsa-2048");
  EXPECT_EQ(text(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})), "rsa-1024");
  EXPECT_EQ(text(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521")), "secp521r1");
  EXPECT_EQ(text(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")), "ED448");
  EXPECT_EQ(key_text("nonsense"), "");
}

TEST(PrivateKeyFromPem, NeitherAsksForAPasswordNorTellsTheKey) {
  const auto key = read(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgvFfAIyvCE8wICCAAw\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, Error::Kind::rejected);
  EXPECT_THAT(key.error().message(), Not(HasSubstr("MIHs")));
}

}  // namespace
}  // namespace certherd::crypto

#include "crypto/csr.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

using testing::ElementsAre;

PrivateKey a_key(KeyType type = KeyType::ecdsa_p256) { return PrivateKey::generate(type).value(); }

Fqdn long_name(const std::string& end) {
  return Fqdn::literal(std::string(50, 'a') + "." + std::string(20, 'b') + end);
}

TEST(Csr, AsksForAllNamesWithOurKey) {
  using enum KeyType;
  for (const auto type : {ecdsa_p256, ecdsa_p384, rsa_2048, ed25519}) {
    const PrivateKey key = a_key(type);
    const auto csr = make_csr(key, {Fqdn::literal("www.example.com"), Fqdn::literal("example.com"),
                                    Fqdn::literal("*.example.com")});
    ASSERT_TRUE(csr);
    const auto info = read_csr(*csr);
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_THAT(info->names, ElementsAre("*.example.com", "example.com", "www.example.com"));
    EXPECT_EQ(info->common_name, "www.example.com");
    EXPECT_EQ(info->public_key, key.public_key());
  }
}

TEST(Csr, TakesTheFirstNameThatFitsAsCommonName) {
  const auto some = make_csr(a_key(), {long_name(".example"), Fqdn::literal("b.example")});
  EXPECT_EQ(read_csr(some.value())->common_name, "b.example");

  const auto none = make_csr(a_key(), {long_name(".example")});
  EXPECT_EQ(read_csr(none.value())->common_name, "");
  EXPECT_THAT(read_csr(none.value())->names, ElementsAre(long_name(".example").text()));

  const Fqdn exactly = Fqdn::literal(std::string(56, 'a') + ".example");
  ASSERT_EQ(exactly.text().size(), 64U);
  EXPECT_EQ(read_csr(make_csr(a_key(), {exactly}).value())->common_name, exactly.text());
}

TEST(Csr, HoldsAHundredNames) {
  std::vector<Fqdn> names;
  names.reserve(100);
  for (int i = 0; i < 100; ++i) names.push_back(Fqdn::literal(fmt::format("n{}.example", i)));
  EXPECT_EQ(read_csr(make_csr(a_key(), names).value())->names.size(), 100U);
}

TEST(Csr, NeedsAName) {
  EXPECT_EQ(make_csr(a_key(), {}).error().kind, Error::Kind::rejected);
  EXPECT_FALSE(make_csr(a_key(), {Fqdn()}));
}

TEST(Csr, AsPemIsReadByOthers) {
  const std::string der = make_csr(a_key(), {Fqdn::literal("a.example")}).value();
  const std::string pem = csr_to_pem(der);
  EXPECT_TRUE(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  EXPECT_TRUE(pem.ends_with("-----END CERTIFICATE REQUEST-----\n"));
}

TEST(ReadCsr, RefusesDamage) {
  const std::string der = make_csr(a_key(), {Fqdn::literal("a.example")}).value();
  std::string forged = der;
  forged[der.find("a.example")] = 'b';
  for (const std::string& text : {std::string(), std::string("garbage"), der + "x", forged,
                                  der.substr(0, der.size() - 1), std::string(1'000'000, '\x30')}) {
    const auto info = read_csr(text);
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().kind, Error::Kind::rejected);
  }
}

}  // namespace
}  // namespace certherd::crypto

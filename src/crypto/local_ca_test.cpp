#include "crypto/local_ca.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate_chain.hpp"
#include "crypto/encoding.hpp"
#include "crypto/x509.hpp"

namespace certherd::crypto {
namespace {

using namespace std::chrono_literals;

const Time now = parse_time("2026-11-23T12:00:00Z").value();

PrivateKey ca_key() {
  const std::string seed(32, 's');
  return PrivateKey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()));
}

std::string some_public_key() {
  const std::string seed(32, 'p');
  return PrivateKey(
             EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()))
      .public_key();
}

TEST(LocalCaRoot, IsACaForTenYears) {
  const LocalCa ca("Demo CA", now);
  const auto root = read_chain(ca.root_pem())->front();
  EXPECT_TRUE(root.is_ca);
  EXPECT_EQ(root.subject, "CN=Demo CA");
  EXPECT_EQ(root.issuer, "Demo CA");
  EXPECT_EQ(root.not_before, now - 24h);
  EXPECT_GT(root.not_after, now + 3650 * 24h);
}

TEST(LocalCaRoot, TwoRootsOfOneNameHaveDifferentSerials) {
  EXPECT_NE(read_chain(LocalCa("Demo CA", now).root_pem())->front().serial,
            read_chain(LocalCa("Demo CA", now).root_pem())->front().serial);
}

TEST(LocalCaLeaf, IsTheSameForTheSameInput) {
  const auto run = [] {
    return LocalCa("Demo CA", now, ca_key())
        .issue(some_public_key(), {"a.example"}, 7, now, now + 24h);
  };
  EXPECT_EQ(run(), run());
}

TEST(LocalCaLeaf, IsAServerCertificateForItsNamesAndAddresses) {
  const LocalCa ca("Demo CA", now);
  const std::string pem = ca.issue(some_public_key(), {"a.example", "*.b.example", "127.0.0.1"},
                                   0xfedcba9876543210U, now, now + 24h);
  const auto chain = parse_chain(pem);
  ASSERT_TRUE(chain);
  X509* const leaf = chain->front().get();
  EXPECT_EQ(X509_check_host(leaf, "a.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(leaf, "x.b.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(leaf, "b.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf, "127.0.0.2", 0), 0);
  EXPECT_EQ(X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0), 1);
  EXPECT_EQ(X509_check_purpose(leaf, X509_PURPOSE_SSL_CLIENT, 0), 0);
  EXPECT_EQ(X509_check_issued(chain->back().get(), leaf), X509_V_OK);
  EXPECT_NE(X509_get0_subject_key_id(leaf), nullptr);

  const CertificateInfo info = describe(leaf);
  EXPECT_EQ(info.serial, Serial("fedcba9876543210"));
  EXPECT_EQ(info.subject, "CN=a.example");
  // 20 octets of SHA-1, then the serial with the 00 that keeps it positive.
  EXPECT_EQ(from_base64url(info.ari_id.substr(0, 27)).value().size(), 20U);
  EXPECT_EQ(info.ari_id.substr(27),
            "." + base64url(std::string("\0\xfe\xdc\xba\x98\x76\x54\x32\x10", 9)));
}

TEST(LocalCaLeaf, WithALongNameHasNoSubject) {
  const std::string name = std::string(60, 'a') + ".example";
  const LocalCa ca("Demo CA", now);
  const auto leaf = read_chain(ca.issue(some_public_key(), {name}, 1, now, now + 24h))->front();
  EXPECT_EQ(leaf.subject, "");
  EXPECT_THAT(leaf.names, testing::ElementsAre(name));
}

}  // namespace
}  // namespace certherd::crypto

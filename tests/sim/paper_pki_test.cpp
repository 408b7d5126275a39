#include "sim/paper_pki.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::sim {
namespace {

using std::chrono::days;
using testing::ElementsAre;

constexpr Time now = std::chrono::sys_days(std::chrono::year(2026) / 12 / 1);

class PaperPkiTest : public testing::Test {
 protected:
  PaperPki pki;
  const std::vector<Fqdn> names = {Fqdn::literal("b.example"), Fqdn::literal("a.example")};
  const crypto::PrivateKey key = pki.generate(KeyType::ecdsa_p256).value();
};

TEST_F(PaperPkiTest, AKeyIsOneOfItsKindAndIsReadAgain) {
  const auto other = pki.generate(KeyType::rsa_2048).value();
  EXPECT_NE(key.public_key(), other.public_key());
  EXPECT_EQ(other.type(), KeyType::rsa_2048);

  const auto read = pki.read_key(key.to_pem());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->public_key(), key.public_key());
  EXPECT_THAT(key.to_pem().reveal(), testing::HasSubstr("PRIVATE KEY")) << "and known for one";
  EXPECT_FALSE(pki.read_key(Secret<std::string>("something else")));
  EXPECT_FALSE(crypto::PrivateKey::from_pem(key.to_pem())) << "nobody else takes it for one";
}

TEST_F(PaperPkiTest, WhatIsIssuedSaysWhatWasAskedFor) {
  const auto csr = pki.read_csr(pki.make_csr(key, names).value());
  ASSERT_TRUE(csr);
  EXPECT_THAT(csr->names, ElementsAre("a.example", "b.example"));
  EXPECT_EQ(csr->public_key, key.public_key());

  const auto chain = pki.issue(csr->public_key, csr->names, 0x1f, now, now + days(90));
  const auto leaf = pki.check_issued(chain, key.public_key(), names, now);
  ASSERT_TRUE(leaf) << leaf.error().message();
  EXPECT_EQ(leaf->serial, Serial("1f"));
  EXPECT_EQ(leaf->not_after, now + days(90));
  EXPECT_EQ(leaf->fingerprint.text().size(), 64U);
  EXPECT_FALSE(crypto::read_chain(chain)) << "nobody else takes it for a certificate";
}

TEST_F(PaperPkiTest, WhatWasNotAskedForIsRefused) {
  const auto other = pki.generate(KeyType::ecdsa_p256).value();
  const auto chain = pki.issue(key.public_key(), {"a.example", "b.example"}, 1, now, now + days(1));
  EXPECT_FALSE(pki.check_issued(chain, other.public_key(), names, now));
  EXPECT_FALSE(pki.check_issued(chain, key.public_key(), {names.front()}, now));
  EXPECT_FALSE(pki.check_issued(chain, key.public_key(), names, now + days(1)));
  EXPECT_FALSE(pki.check_issued("", key.public_key(), names, now));
}

}  // namespace
}  // namespace certherd::sim

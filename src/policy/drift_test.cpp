#include "policy/drift.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using std::chrono::days;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time start = Time(days(20'000));

Certificate certificate(const std::string& serial) {
  Certificate made;
  made.domain = Fqdn::literal("shop.example");
  made.serial = Serial(serial);
  made.fingerprint = Fingerprint("print of " + serial);
  made.not_after = start + days(90);
  made.vault_name = VaultName("files");
  return made;
}

Sighting sighting(const Certificate& seen) {
  return {.serial = seen.serial,
          .fingerprint = seen.fingerprint,
          .issuer = "some CA",
          .not_after = seen.not_after};
}

struct DriftTest : testing::Test {
  Certificate current = certificate("cc");
  Known known{.current = current, .former = {certificate("bb"), certificate("aa")}};

  std::vector<std::string> kinds(const Certificate& served) const {
    std::vector<std::string> words;
    for (const auto& drift : drift_of(sighting(served), known)) {
      words.emplace_back(to_string(drift.kind));
    }
    return words;
  }
};

TEST_F(DriftTest, ThePresentCertificateIsNoneAndNeitherIsSilence) {
  EXPECT_THAT(kinds(certificate("cc")), IsEmpty());
  EXPECT_THAT(drift_of(std::nullopt, known), IsEmpty());
}

TEST_F(DriftTest, AFormerCertificateIsToldWithBothSerials) {
  const auto drift = drift_of(sighting(certificate("aa")), known);
  ASSERT_EQ(drift.size(), 1U);
  EXPECT_EQ(drift[0].kind, Drift::Kind::former);
  EXPECT_THAT(drift[0].detail, AllOf(HasSubstr("aa"), HasSubstr("instead of cc")));
}

TEST_F(DriftTest, AFormerCertificateIsNoFaultWhileItIsBeingReplaced) {
  known.rolling_out = true;
  EXPECT_THAT(kinds(certificate("bb")), ElementsAre("rolling_out"));
}

TEST_F(DriftTest, AStrangersCertificateIsOneAlsoWithOurSerial) {
  EXPECT_THAT(kinds(certificate("dd")), ElementsAre("stranger"));
  auto forged = certificate("cc");
  forged.fingerprint = Fingerprint("another");
  EXPECT_THAT(kinds(forged), ElementsAre("stranger"));
}

TEST_F(DriftTest, ARevokedCertificateIsToldWhoeverServesIt) {
  current.revoked_at = start;
  current.revocation_reason = RevocationReason::key_compromise;
  EXPECT_THAT(kinds(certificate("cc")), ElementsAre("revoked"));
  EXPECT_THAT(drift_of(sighting(current), known)[0].detail, HasSubstr("keyCompromise"));
  EXPECT_EQ(drift_of(std::nullopt, known).size(), 1U);
  current.revoked_at.reset();
  known.former[0].revoked_at = start;
  EXPECT_THAT(kinds(certificate("bb")), ElementsAre("revoked", "former"));
  EXPECT_THAT(kinds(certificate("cc")), IsEmpty());
}

TEST_F(DriftTest, TheVaultIsHeldAgainstTheStore) {
  using Kept = Result<std::optional<std::string>>;
  EXPECT_FALSE(vault_drift(Kept("cc"), current));
  const auto other = vault_drift(Kept("bb"), current);
  ASSERT_TRUE(other);
  EXPECT_THAT(other->detail, AllOf(HasSubstr("bb instead of cc"), HasSubstr("vault.files")));
  const auto none = vault_drift(Kept(std::nullopt), current);
  ASSERT_TRUE(none);
  EXPECT_THAT(none->detail, HasSubstr("nothing"));
  const auto mute = vault_drift(
      Kept(fail(Error::Kind::denied, "vault: describe shop.example", "may not")), current);
  ASSERT_TRUE(mute);
  EXPECT_EQ(mute->kind, Drift::Kind::vault);
  EXPECT_THAT(mute->detail, HasSubstr("may not"));
}

}  // namespace
}  // namespace certherd::policy

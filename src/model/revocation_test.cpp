#include "model/revocation.hpp"

#include <gtest/gtest.h>

namespace certherd {
namespace {

TEST(RevocationReason, IsReadByNameAndByNumber) {
  EXPECT_EQ(parse_revocation_reason("keyCompromise"), RevocationReason::key_compromise);
  EXPECT_EQ(parse_revocation_reason("KEYCOMPROMISE"), RevocationReason::key_compromise);
  EXPECT_EQ(parse_revocation_reason("0"), RevocationReason::unspecified);
  EXPECT_EQ(parse_revocation_reason("3"), RevocationReason::affiliation_changed);
  EXPECT_EQ(parse_revocation_reason("superseded"), RevocationReason::superseded);
  EXPECT_EQ(parse_revocation_reason("5"), RevocationReason::cessation_of_operation);
}

TEST(RevocationReason, OthersAreNotForASubscriberToGive) {
  for (const auto* text : {"", "2", "cACompromise", "certificateHold", "6", "10", "-1", "01"}) {
    EXPECT_EQ(parse_revocation_reason(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace certherd

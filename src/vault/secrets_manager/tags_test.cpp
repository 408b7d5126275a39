#include "vault/secrets_manager/tags.hpp"

#include <gtest/gtest.h>

namespace certherd::vault::secrets_manager {
namespace {

TEST(Tags, TellOfDomainCertificateAndOwner) {
  const Version version{
      .key = "3fa5", .not_after = Time(std::chrono::seconds(1'790'000'000)), .owner = "web team"};
  const Tags expected = {{"domain", "_wildcard.example.com"},
                         {"serial", "3fa5"},
                         {"not_after", "2026-09-21T14:13:20Z"},
                         {"owner", "web team"},
                         {"managed-by", "certherd"}};
  EXPECT_EQ(tags_for(Fqdn::literal("*.example.com"), version), expected);
}

TEST(Tags, LeaveOutWhatIsNotKnown) {
  const Tags expected = {{"domain", "example.com"}, {"serial", "1"}, {"managed-by", "certherd"}};
  EXPECT_EQ(tags_for(Fqdn::literal("example.com"), {.key = "1", .not_after = {}, .owner = ""}),
            expected);
}

TEST(Tags, AreWrittenWhereTheyDiffer) {
  const Tags wanted = {{"domain", "example.com"}, {"serial", "2"}, {"managed-by", "certherd"}};
  Tags present = wanted;
  present.emplace("theirs", "stays");
  EXPECT_EQ(tags_to_write(present, wanted), Tags());

  present.insert_or_assign("serial", "1");
  present.insert_or_assign("owner", "who has left");
  const Tags expected = {{"serial", "2"}, {"owner", ""}};
  EXPECT_EQ(tags_to_write(present, wanted), expected);
  EXPECT_EQ(tags_to_write({}, wanted), wanted);
}

TEST(Tags, SayWhetherASecretIsOurs) {
  EXPECT_TRUE(is_ours({{"managed-by", "certherd"}, {"x", "y"}}));
  EXPECT_FALSE(is_ours({{"managed-by", "terraform"}}));
  EXPECT_FALSE(is_ours({}));
}

TEST(TagValues, HoldOnlyWhatAwsAllows) {
  EXPECT_EQ(tag_value("Team A_1.2:3/4=5+6-7@example.com"), "Team A_1.2:3/4=5+6-7@example.com");
  EXPECT_EQ(tag_value("a,b;c\"d<e>\n*"), "a_b_c_d_e___");
  EXPECT_EQ(tag_value("B\xc3\xbcro \xf0\x9f\x94\x91"), "B_ro _");
  EXPECT_EQ(tag_value(std::string(300, 'x')), std::string(256, 'x'));
}

}  // namespace
}  // namespace certherd::vault::secrets_manager

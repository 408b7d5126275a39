#include "app/serial_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(SerialList, TakesEachSpellingAndEachSerialOnce) {
  const auto serials = read_serials(
      "# those of the announcement\r\n"
      "04:AB:CD\r\n"
      "4abcd  # once more\n"
      "\n"
      "0x01");
  ASSERT_TRUE(serials) << serials.error().message();
  EXPECT_THAT(*serials, ElementsAre(Serial("01"), Serial("04abcd")));
}

TEST(SerialList, NamesEachBadLineByItsNumber) {
  const auto serials = read_serials("04abcd\nserial\n0102 0304\n");
  ASSERT_FALSE(serials);
  EXPECT_EQ(serials.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(serials.error().detail, HasSubstr("2 bad lines; nothing was done"));
  std::vector<std::string> causes;
  for (const auto& cause : serials.error().causes) causes.push_back(cause.message());
  EXPECT_THAT(causes, ElementsAre(AllOf(HasSubstr("line 2:"), HasSubstr("\"serial\"")),
                                  AllOf(HasSubstr("line 3:"), HasSubstr("\"0102 0304\""))));
  EXPECT_THAT(read_serials("# none\n").error().message(), HasSubstr("empty"));
}

}  // namespace
}  // namespace certherd::app

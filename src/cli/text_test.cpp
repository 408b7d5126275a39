#include "cli/text.hpp"

#include <gmock/gmock.h>

namespace certherd::cli {
namespace {

using testing::ElementsAre;

TEST(DisplayWidth, CountsColumnsAndNotOctets) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("plain"), 5U);
  EXPECT_EQ(display_width("bücher · …"), 10U);
  EXPECT_EQ(display_width("例え"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U) << "a combining accent takes no column";
  EXPECT_EQ(display_width("\xff\xfe"), 2U) << "no UTF-8";
}

TEST(CutTo, NeverTakesMoreColumnsThanItMay) {
  EXPECT_EQ(cut_to("short", 5), "short");
  EXPECT_EQ(cut_to("longer", 5), "long…");
  EXPECT_EQ(cut_to("例え話", 5), "例え…");
  EXPECT_EQ(cut_to("例え話", 4), "例…") << "half a character is none";
  EXPECT_EQ(cut_to("any", 1), "…");
  EXPECT_EQ(cut_to("any", 0), "");
}

TEST(Wrap, BreaksAtSpacesAndKeepsLineBreaks) {
  EXPECT_THAT(wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap("one\ntwo", 7), ElementsAre("one", "two"));
  EXPECT_THAT(wrap("a incomprehensible b", 5), ElementsAre("a", "incomprehensible", "b"));
  EXPECT_THAT(wrap("", 5), ElementsAre(""));
}

}  // namespace
}  // namespace certherd::cli

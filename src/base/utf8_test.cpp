#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace certherd {
namespace {

TEST(Utf8, TakesWhatIsWellFormed) {
  for (const auto* text :
       {"", "ascii", "bücher", "例え", "💩", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesWhatIsNot) {
  for (const auto* text :
       {"b\xfc"
        "cher",
        "\xc3", "a\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe4\xbe", "\xff"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Cleaned, ShowsNoControlCharacterAndCutsAtACharacter) {
  EXPECT_EQ(cleaned("a\x1b[2Jb\r\nc\x7f"), "a [2Jb  c ");
  EXPECT_EQ(cleaned("a\xc2\x9b"
                    "2Jb\xc2\xa0"),
            "a 2Jb\xc2\xa0");
  const std::string long_words = std::string(longest_words - 1, 'x') + "ü";
  EXPECT_EQ(cleaned(long_words), std::string(longest_words - 1, 'x') + "…");
}

TEST(Cleaned, IsAlwaysUtf8) {
  EXPECT_EQ(cleaned("a\xff\x9b"
                    "b\xc3"),
            "a\uFFFD\uFFFDb\uFFFD");
  EXPECT_TRUE(is_utf8(cleaned(std::string(longest_words, '\xff'))));
}

}  // namespace
}  // namespace certherd

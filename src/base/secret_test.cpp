#include "base/secret.hpp"

#include <gtest/gtest.h>

#include "base/strong.hpp"

namespace certherd {
namespace {

TEST(SecretText, IsPrintedAsStars) {
  const Secret<std::string> secret(std::string("hunter2"));
  EXPECT_EQ(fmt::format("{}", secret), "***");
  EXPECT_EQ(secret.reveal(), "hunter2");
}

TEST(SecretText, LeavesNothingBehindWhenMovedFrom) {
  Secret<std::string> source(std::string("short"));
  const Secret<std::string> target(std::move(source));
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left after the move is the point.
  EXPECT_TRUE(source.empty());
  EXPECT_EQ(target.reveal(), "short");
}

TEST(SecretText, CanBeAssignedToItselfAndFromOthers) {
  Secret<std::string> first(std::string("one"));
  const Secret<std::string> second(std::string("two"));
  const auto& alias = first;
  first = alias;
  EXPECT_EQ(first.reveal(), "one");
  first = second;
  EXPECT_EQ(first.reveal(), "two");
  EXPECT_EQ(second.reveal(), "two");
}

TEST(Wipe, OverwritesTheWholeBuffer) {
  std::string bytes(64, 'x');
  const char* const buffer = bytes.data();
  bytes.resize(3);
  wipe(bytes);
  ASSERT_TRUE(bytes.empty());
  ASSERT_EQ(bytes.data(), buffer);
  bytes.resize_and_overwrite(64, [](char* kept, std::size_t size) {
    for (std::size_t i = 1; i < size; ++i) EXPECT_EQ(kept[i], '\0') << i;
    return size;
  });
}

using Red = Strong<struct RedTag>;

TEST(StrongText, ComparesAndPrintsAsItsText) {
  EXPECT_EQ(Red("a"), Red("a"));
  EXPECT_LT(Red("a"), Red("b"));
  EXPECT_EQ(fmt::format("{:>3}", Red("a")), "  a");
  EXPECT_TRUE(Red().empty());
}

TEST(StrongText, IsNoOtherKindAndNoBareString) {
  using Blue = Strong<struct BlueTag>;
  static_assert(!std::is_convertible_v<std::string, Red>);
  static_assert(!std::is_constructible_v<Red, Blue>);
}

}  // namespace
}  // namespace certherd

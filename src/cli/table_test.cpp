#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace certherd::cli {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoTrailingSpace) {
  Table table({"DOMAIN", "STATE"});
  table.add({"a.example", "ok"});
  table.add({"longer.example", ""});
  EXPECT_EQ(table.lines(0), (std::vector<std::string>{"DOMAIN          STATE", "a.example       ok",
                                                      "longer.example"}));
}

TEST(Table, ShortensTheWidestColumnToFit) {
  Table table({"A", "ERROR"});
  table.add({"x", "a very long message that does not fit"});
  const auto lines = table.lines(20);
  EXPECT_EQ(lines[1], "x  a very long mess…");
}

TEST(Table, CountsCharactersNotOctets) {
  Table table({"N", "B"});
  table.add({"··", "b"});
  table.add({"abc", "b"});
  EXPECT_EQ(table.lines(0)[1], "··   b");
}

}  // namespace
}  // namespace certherd::cli

#include "cli/table.hpp"

#include <gmock/gmock.h>

#include "cli/text.hpp"

namespace certherd::cli {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::ResultOf;

TEST(Table, AlignsColumnsAndLeavesNoTrailingSpace) {
  Table table({"DOMAIN", "STATE"});
  table.add({"a.example", "ok"});
  table.add({"longer.example", ""});
  EXPECT_THAT(table.lines(0),
              ElementsAre("DOMAIN          STATE", "a.example       ok", "longer.example"));
}

TEST(Table, ShortensTheLongestTextToFit) {
  Table table({"A", "ERROR"});
  table.add({"x", "a very long message that does not fit"});
  EXPECT_EQ(table.lines(20)[1], "x  a very long mess…");
  EXPECT_EQ(table.lines(0)[1], "x  a very long message that does not fit");
}

TEST(Table, CountsTheColumnsOfATerminal) {
  Table table({"N", "B"});
  table.add({"··", "b"});
  table.add({"例え", "b"});
  table.add({"abc", "b"});
  EXPECT_THAT(table.lines(0), ElementsAre("N     B", "··    b", "例え  b", "abc   b"));
}

TEST(Table, PutsNumbersToTheRight) {
  Table table({"NAME", "DAYS"});
  table.add({"a", "7"});
  table.add({"b", "-12"});
  table.add({"c", "-"});
  EXPECT_THAT(table.lines(0), ElementsAre("NAME  DAYS", "a        7", "b      -12", "c        -"));
}

TEST(Table, NeverCutsATimeOrANumberInTwo) {
  Table table({"DOMAIN", "NOT AFTER", "ERROR"});
  table.add({"www.a-rather-long-name.example.com", "2026-11-24T09:45:01Z",
             "a message that goes on for quite a while, until it does not"});
  const auto wide = table.lines(80)[1];
  EXPECT_THAT(wide, HasSubstr("2026-11-24T09:45:01Z"));
  const auto narrow = table.lines(40)[1];
  EXPECT_THAT(narrow, HasSubstr("2026-11-24 "));
  EXPECT_THAT(table.lines(40), Each(ResultOf(display_width, Le(40U))));
}

TEST(Table, LeavesOutEmptyColumnsWhereSpaceCounts) {
  Table table({"DOMAIN", "OWNER", "STATE"});
  table.add({"a.example", "", "ok"});
  EXPECT_THAT(table.lines(80), ElementsAre("DOMAIN     STATE", "a.example  ok"));
  EXPECT_THAT(table.lines(0), ElementsAre("DOMAIN     OWNER  STATE", "a.example         ok"));
}

TEST(Table, TellsARowInLinesWhereNoColumnsFit) {
  Table table({"DOMAIN", "STATE", "NOT AFTER", "LAST ERROR"});
  table.add({"a.example", "failing", "2026-11-24T09:45:01Z", "it could not be reached at all"});
  table.add({"b.example", "ok", "2026-11-24T09:45:01Z", ""});
  EXPECT_THAT(table.lines(30), ElementsAre("DOMAIN      a.example",             //
                                           "STATE       failing",               //
                                           "NOT AFTER   2026-11-24T09:45:01Z",  //
                                           "LAST ERROR  it could not be",       //
                                           "            reached at all",        //
                                           "",                                  //
                                           "DOMAIN      b.example",             //
                                           "STATE       ok",                    //
                                           "NOT AFTER   2026-11-24T09:45:01Z"));
}

TEST(Table, SpellsOutControlCharacters) {
  Table table({"ERROR"});
  table.add({"one\ntwo\x1b[31m"});
  EXPECT_THAT(table.lines(0)[1], Not(HasSubstr("\x1b")));
  EXPECT_EQ(table.lines(0).size(), 2U);
}

}  // namespace
}  // namespace certherd::cli

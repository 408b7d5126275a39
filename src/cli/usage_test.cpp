#include "cli/usage.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

namespace certherd::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What is said of a command line.
std::string explained(const std::string& line) {
  Context context;
  const auto tree = make_command_tree(context);
  try {
    tree->parse(line, false);
    throw CLI::ExtrasError("certherd", tree->remaining(true));
  } catch (const CLI::ParseError& error) {
    return explain_usage(*tree, error);
  }
}

TEST(EditDistance, CountsChangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("list", "list"), 0U);
  EXPECT_EQ(edit_distance("lst", "list"), 1U);
  EXPECT_EQ(edit_distance("lists", "list"), 1U);
  EXPECT_EQ(edit_distance("domian", "domain"), 1U);
  EXPECT_EQ(edit_distance("shov", "show"), 1U);
  EXPECT_EQ(edit_distance("", "list"), 4U);
  EXPECT_EQ(edit_distance("add", "list"), 4U);
}

TEST(Usage, ProposesTheNearestCommand) {
  EXPECT_THAT(explained("domian list"), HasSubstr("\"domian\" is no command of certherd; did you "
                                                  "mean domain?\nRun certherd --help"));
  EXPECT_THAT(explained("domain lst"), HasSubstr("certherd domain; did you mean list?\n"
                                                 "Run certherd domain --help"));
  EXPECT_THAT(explained("ver"), HasSubstr("did you mean version?"));
  EXPECT_THAT(explained("register"), HasSubstr("did you mean certherd account register?"));
  EXPECT_THAT(explained("dance"), AllOf(HasSubstr("\"dance\""), Not(HasSubstr("did you mean"))));
}

TEST(Usage, ProposesTheNearestOption) {
  EXPECT_THAT(explained("cert list --al"),
              HasSubstr("--al is no option of certherd cert list; did you mean --all?"));
  EXPECT_THAT(explained("cert list --jsn"), HasSubstr("did you mean --json?"));
  EXPECT_THAT(explained("log --sinse=1h"), HasSubstr("--sinse is no option of certherd log"));
}

TEST(Usage, NamesWhatIsMissingOrTooMuch) {
  EXPECT_THAT(explained("domain"), HasSubstr("certherd domain wants one of its commands"));
  EXPECT_THAT(explained("domain add"), HasSubstr("NAME is required\nRun certherd domain add"));
  EXPECT_THAT(explained("cert list x"), HasSubstr("certherd cert list takes no \"x\""));
}

}  // namespace
}  // namespace certherd::cli

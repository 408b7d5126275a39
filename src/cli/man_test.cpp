#include "cli/man.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

#include "cli/command_tree.hpp"

namespace certherd::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A path as it stands in the page: dashes are escaped.
std::string roff_path(const CLI::App& command) {
  std::string roff;
  for (const char c : path_of(command)) roff += c == '-' ? std::string("\\-") : std::string(1, c);
  return roff;
}

TEST(ManPage, DescribesEachCommand) {
  Context context;
  const auto tree = make_command_tree(context);
  const auto page = man_page(*tree);
  for (const auto* leaf : leaves_of(*tree)) {
    EXPECT_THAT(page, HasSubstr("\n.SS " + roff_path(*leaf) + "\n")) << path_of(*leaf);
  }
}

TEST(ManPage, TakesNoTextForRoff) {
  CLI::App tree("About.", "certherd");
  auto* command = tree.add_subcommand("dance", "A 'dance' with \\n and -- dashes");
  command->footer(".SH not a section\n\nExample:\n  .certherd dance");
  const auto page = man_page(tree);
  EXPECT_THAT(page, HasSubstr("A \\(aqdance\\(aq with \\en and \\-\\- dashes"));
  EXPECT_THAT(page, HasSubstr("\\&.SH not a section"));
  EXPECT_THAT(page, HasSubstr("\\&.certherd dance"));
  EXPECT_THAT(page, Not(HasSubstr("\n.SH not")));
}

}  // namespace
}  // namespace certherd::cli

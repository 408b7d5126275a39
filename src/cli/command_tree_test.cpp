#include "cli/command_tree.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

namespace certherd::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CommandTree : public testing::Test {
 protected:
  const CLI::App& command(std::initializer_list<std::string_view> words) {
    const auto* found = tree_.get();
    for (const auto word : words) found = find_command(*found, word);
    return *found;
  }

  std::vector<const CLI::App*> all_commands() {
    std::vector<const CLI::App*> all = {tree_.get()};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto below = commands_of(*all[i]);
      all.insert(all.end(), below.begin(), below.end());
    }
    return all;
  }

  Context context_;
  std::unique_ptr<CLI::App> tree_ = make_command_tree(context_);
};

TEST_F(CommandTree, EachCommandSaysWhatItDoesAndShowsHow) {
  for (const auto* each : all_commands()) {
    const auto path = path_of(*each);
    EXPECT_THAT(each->get_description(), Not(IsEmpty())) << path;
    const auto examples = lesson_of(*each).examples;
    EXPECT_THAT(examples, Contains(HasSubstr(each->get_name()))) << path;
    EXPECT_THAT(examples, testing::Each(HasSubstr("certherd"))) << path;
  }
}

TEST_F(CommandTree, EachOptionSaysWhatItIsAndWhatItsValueIs) {
  for (const auto* each : all_commands()) {
    for (const auto* option : each->get_options()) {
      const auto where = path_of(*each) + " " + spelling_of(*option);
      EXPECT_THAT(option->get_description(), Not(IsEmpty())) << where;
      if (takes_value(*option) && !option->get_positional())
        EXPECT_NE(value_word(*option), "TEXT") << where;
    }
  }
}

TEST_F(CommandTree, EachCommandStandsInAGroup) {
  for (const auto* each : commands_of(*tree_)) {
    EXPECT_NE(each->get_group(), "Subcommands") << each->get_name();
  }
}

TEST_F(CommandTree, NamesPathsAndSynopses) {
  EXPECT_EQ(path_of(command({"domain", "add"})), "certherd domain add");
  EXPECT_EQ(synopsis_of(command({"domain", "add"})),
            "certherd domain add [--zone-id Z] [--name N]... [--set K=V]... NAME");
  EXPECT_EQ(synopsis_of(command({"run"})), "certherd run [--once]");
  EXPECT_EQ(synopsis_of(command({"cert"})), "certherd cert COMMAND");
}

TEST(Lesson, PartsProseFromExamples) {
  CLI::App parent("about", "certherd");
  parent.footer("of the parent");
  auto* command = parent.add_subcommand("dance", "Dance");
  EXPECT_THAT(lesson_of(*command).prose, IsEmpty());
  command->footer(
      "First line\n"
      "goes on.\n\n"
      "Another one.\n\n"
      "Example, at night:\n"
      "  certherd dance");
  const auto lesson = lesson_of(*command);
  EXPECT_EQ(lesson.prose, "First line goes on.\n\nAnother one.");
  EXPECT_THAT(lesson.examples, ElementsAre("certherd dance"));
}

}  // namespace
}  // namespace certherd::cli

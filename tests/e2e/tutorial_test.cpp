// README's walk through all commands, as a reader would take it: each command line is run by bash,
// and what the page shows below it must appear.

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "cli/command_tree.hpp"
#include "console_page.hpp"
#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view heading = "## A walk through all commands";
constexpr std::string_view folder_of_page = "/tmp/fleet";

class Tutorial : public EndToEnd {
 protected:
  void SetUp() override {
    commands_ = commands_below(heading);
    ASSERT_FALSE(commands_.empty()) << "no console block below: " << heading;
    replace_all(commands_, folder_of_page, path("fleet").string());
  }

  /// The command that goes on in a terminal of its own while the others are tried.
  std::unique_ptr<Program> start_demo() {
    const auto line = commands_.front().line;
    commands_.erase(commands_.begin());
    EXPECT_THAT(line, HasSubstr("certherd demo"));
    std::vector<std::string> words = CLI::detail::split(line, ' ');
    words.erase(words.begin());
    auto demo = start(std::move(words));
    EXPECT_TRUE(eventually(loop(), 2min, [&] {
      return !demo->running() || demo->errors().find("until Ctrl-C") != std::string::npos;
    })) << demo->errors();
    EXPECT_TRUE(demo->running()) << demo->errors();
    return demo;
  }

  std::vector<ShownCommand> commands_;
};

TEST_F(Tutorial, EachCommandDoesWhatThePageShows) {
  const auto demo = start_demo();
  expect_as_shown(loop(), commands_, folder(), {});
  demo->send(SIGINT);
  EXPECT_EQ(demo->wait().status, 0) << demo->errors();
}

TEST_F(Tutorial, NoCommandIsLeftOut) {
  std::string all;
  for (const auto& command : commands_) all += command.line + "\n";
  cli::Context context;
  const auto tree = cli::make_command_tree(context);
  for (const auto* leaf : cli::leaves_of(*tree)) {
    // "--config FILE" may stand between the program and the rest.
    const auto words = cli::path_of(*leaf).substr(cli::path_of(*tree).size());
    EXPECT_THAT(all, testing::ContainsRegex("certherd( --config [^ ]+)?" + words + "($|[ \n])"))
        << "README.md, " << heading;
  }
}

}  // namespace
}  // namespace certherd::e2e

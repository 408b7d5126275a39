// README's walk through all commands, as a reader would take it: each command line is run by bash,
// and what the page shows below it must appear.

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "cli/command_tree.hpp"
#include "end_to_end.hpp"
#include "runtime/process.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view heading = "## A walk through all commands";
constexpr std::string_view prompt = "$ ";
constexpr std::string_view status_note = "# exit status ";
constexpr std::string_view gap = "…";  // stands for anything, also for whole lines
constexpr std::string_view folder_of_page = "/tmp/fleet";

struct ShownCommand {
  std::string line;
  int status = 0;
  std::vector<std::string> output;  ///< lines that the page shows
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

ShownCommand command_of(const std::string& line) {
  ShownCommand command{.line = line.substr(prompt.size()), .status = 0, .output = {}};
  const auto note = command.line.find(status_note);
  if (note != std::string::npos) {
    command.status = std::stoi(command.line.substr(note + status_note.size()));
  }
  return command;
}

/// The commands of the console blocks below the heading.
std::vector<ShownCommand> commands_of_page() {
  const auto page = content_of(CERTHERD_README);
  const auto begin = page.find(heading);
  if (begin == std::string::npos) return {};
  const auto end = page.find("\n## ", begin + 1);
  std::vector<ShownCommand> commands;
  bool inside = false;
  for (const auto& line : lines_of(page.substr(begin, end - begin))) {
    if (line.starts_with("```")) {
      inside = line == "```console";
    } else if (inside && line.starts_with(prompt)) {
      commands.push_back(command_of(line));
    } else if (inside && !commands.empty()) {
      commands.back().output.push_back(line);
    }
  }
  return commands;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// With one space where there are several, so that a table may have other widths.
std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

/// Whether everything that is shown, gaps aside, stands in `output` in that order.
bool appears(const std::vector<std::string>& shown, const std::string& output) {
  const auto text = squeezed(output);
  std::size_t at = 0;
  for (std::string_view line : shown) {
    while (true) {
      const auto end = std::min(line.find(gap), line.size());
      const auto part = squeezed(line.substr(0, end));
      at = text.find(part, at);
      if (at == std::string::npos) return false;
      at += part.size();
      if (end == line.size()) break;
      line.remove_prefix(end + gap.size());
    }
  }
  return true;
}

class Tutorial : public EndToEnd {
 protected:
  void SetUp() override {
    commands_ = commands_of_page();
    ASSERT_FALSE(commands_.empty()) << "no console block below: " << heading;
    for (auto& command : commands_) {
      replace_all(command.line, folder_of_page, fleet());
      for (auto& line : command.output) replace_all(line, folder_of_page, fleet());
    }
  }

  std::string fleet() const { return path("fleet").string(); }
  fs::path record(std::size_t number, std::string_view what) const {
    return path("records") / fmt::format("{}.{}", number, what);
  }

  /// The command that goes on in a terminal of its own while the others are tried.
  std::unique_ptr<Program> start_demo() {
    const auto& line = commands_.front().line;
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

  /// One shell for all commands, as a reader has it. What each one says is kept by its number.
  std::string script() const {
    std::string text;
    for (std::size_t i = 1; i < commands_.size(); ++i) {
      text += fmt::format("{{ {}\n}} >{} 2>&1\necho $? >{}\n", commands_[i].line,
                          record(i, "out").string(), record(i, "status").string());
    }
    return text;
  }

  void run_all() {
    fs::create_directory(path("records"));
    write_file(path("walk.sh"), script());
    runtime::Command command;
    command.arguments = {"bash", path("walk.sh").string()};
    const auto programs = program().parent_path().string();
    command.environment = {{"PATH", programs + ":" + std::getenv("PATH")},
                           {"HOME", folder().string()},
                           {"CERTHERD_CONFIG", ""}};
    const Time deadline = loop().clock().now() + 5min;
    auto ended = loop().run(runtime::run_command(&loop(), std::move(command), deadline));
    ASSERT_TRUE(ended) << ended.error().message();
    ASSERT_EQ(ended->exit_status, 0) << ended->output;
  }

  std::vector<ShownCommand> commands_;
};

TEST_F(Tutorial, EachCommandDoesWhatThePageShows) {
  const auto demo = start_demo();
  run_all();
  for (std::size_t i = 1; i < commands_.size(); ++i) {
    const auto& command = commands_[i];
    const auto output = content_of(record(i, "out"));
    EXPECT_EQ(content_of(record(i, "status")), fmt::format("{}\n", command.status))
        << command.line << "\n"
        << output;
    EXPECT_TRUE(appears(command.output, output))
        << command.line << "\nsays: " << output
        << "\nand not: " << fmt::format("{}", fmt::join(command.output, "\n"));
  }
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

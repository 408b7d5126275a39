#include "console_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "program.hpp"
#include "runtime/process.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view prompt = "$ ";
constexpr std::string_view status_note = "# exit status ";
constexpr std::string_view gap = "…";

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

/// Where what a command says is kept, by its number.
fs::path record(const fs::path& folder, std::size_t number, std::string_view what) {
  return folder / "records" / fmt::format("{}.{}", number, what);
}

void run_all(runtime::EventLoop& loop, const std::vector<ShownCommand>& commands,
             const fs::path& folder, std::map<std::string, std::string> environment) {
  fs::create_directory(folder / "records");
  std::string text = fmt::format("cd {}\n", folder.string());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    text += fmt::format("{{ {}\n}} >{} 2>&1\necho $? >{}\n", commands[i].line,
                        record(folder, i, "out").string(), record(folder, i, "status").string());
  }
  write_file(folder / "walk.sh", text);
  runtime::Command command;
  command.arguments = {"bash", (folder / "walk.sh").string()};
  command.environment = std::move(environment);
  command.environment["PATH"] = program().parent_path().string() + ":" + std::getenv("PATH");
  command.environment["HOME"] = folder.string();
  command.environment["CERTHERD_CONFIG"] = "";
  const Time deadline = loop.clock().now() + 5min;
  auto ended = loop.run(runtime::run_command(&loop, std::move(command), deadline));
  ASSERT_TRUE(ended) << ended.error().message();
  ASSERT_EQ(ended->exit_status, 0) << ended->output;
}

}  // namespace

std::vector<ShownCommand> commands_below(std::string_view heading) {
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

void replace_all(std::vector<ShownCommand>& commands, std::string_view from, std::string_view to) {
  for (auto& command : commands) {
    replace_all(command.line, from, to);
    for (auto& line : command.output) replace_all(line, from, to);
  }
}

void expect_as_shown(runtime::EventLoop& loop, const std::vector<ShownCommand>& commands,
                     const fs::path& folder, std::map<std::string, std::string> environment) {
  ASSERT_NO_FATAL_FAILURE(run_all(loop, commands, folder, std::move(environment)));
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto& command = commands[i];
    const auto output = content_of(record(folder, i, "out"));
    EXPECT_EQ(content_of(record(folder, i, "status")), fmt::format("{}\n", command.status))
        << command.line << "\n"
        << output;
    EXPECT_TRUE(appears(command.output, output))
        << command.line << "\nsays: " << output
        << "\nand not: " << fmt::format("{}", fmt::join(command.output, "\n"));
  }
}

}  // namespace certherd::e2e

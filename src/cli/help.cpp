#include "cli/help.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/command_tree.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/usage.hpp"

namespace certherd::cli {
namespace {

constexpr std::size_t usual_width = 80;
constexpr std::size_t narrowest = 30;
constexpr std::size_t widest = 100;  // longer lines are hard to read
constexpr std::size_t label_width = 26;
constexpr std::size_t indent = 2;

class HelpText {
 public:
  explicit HelpText(std::size_t width) : width_(width) {}

  void paragraph(std::string_view text) {
    for (const auto& line : wrap(text, width_)) text_ += line + "\n";
  }

  void headline(std::string_view title) { text_ += fmt::format("\n{}:\n", title); }

  /// A label, and beside it what it means.
  void entry(std::string_view label, std::string_view meaning) {
    const auto labels = std::min(label_width, width_ / 3);
    const auto left = indent + labels;
    const auto lines = wrap(meaning, width_ - left);
    std::string line = std::string(indent, ' ') + std::string(label);
    if (display_width(label) + 1 > labels) {
      text_ += line + "\n";
      line.clear();
    }
    for (const auto& part : lines) {
      line.append(left - std::min(left, display_width(line)), ' ');
      text_ += line + part + "\n";
      line.clear();
    }
  }

  void verbatim(std::string_view line) { text_ += fmt::format("  {}\n", line); }
  void gap() { text_ += '\n'; }

  std::string take() { return std::move(text_); }

 private:
  std::size_t width_;
  std::string text_;
};

std::string meaning_of(const CLI::Option& option) {
  auto text = option.get_description();
  if (option.get_required() && !option.get_positional()) text += " (required)";
  if (const auto value = option.get_default_str(); !value.empty()) text += " [" + value + "]";
  return text;
}

std::string help_of(const CLI::App& command, std::size_t width) {
  const bool topmost = command.get_parent() == nullptr;
  HelpText text(width);
  text.paragraph(command.get_description());
  text.gap();
  text.paragraph("Usage: " + (topmost ? "certherd [OPTIONS] COMMAND" : synopsis_of(command)));

  const auto lesson = lesson_of(command);
  if (!lesson.prose.empty()) {
    text.gap();
    text.paragraph(lesson.prose);
  }
  for (const auto& group : groups_of(command)) {
    text.headline(topmost ? group : "Commands");
    for (const auto* each : commands_of(command)) {
      if (each->get_group() == group) text.entry(each->get_name(), each->get_description());
    }
  }
  if (const auto arguments = arguments_of(command); !arguments.empty()) {
    text.headline("Arguments");
    for (const auto* argument : arguments)
      text.entry(spelling_of(*argument), meaning_of(*argument));
  }
  if (const auto options = options_of(command); !options.empty()) {
    text.headline("Options");
    for (const auto* option : options) text.entry(spelling_of(*option), meaning_of(*option));
  }
  if (!lesson.examples.empty()) {
    text.headline(lesson.examples.size() == 1 ? "Example" : "Examples");
    for (const auto& example : lesson.examples) text.verbatim(example);
  }
  if (topmost) {
    text.headline("Exit status");
    for (const auto& [status, meaning] : exit_meanings()) {
      text.entry(std::to_string(status), meaning);
    }
  } else {
    text.gap();
    text.paragraph("Options of every command: certherd --help");
  }
  return text.take();
}

std::size_t help_width() {
  const auto terminal = terminal_width();
  return terminal == 0 ? usual_width : std::clamp(terminal, narrowest, widest);
}

class HelpFormatter final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    return help_of(*app, help_width());
  }
};

int show_help(const CLI::App& top, const std::vector<std::string>& words) {
  const auto* command = &top;
  for (const auto& word : words) {
    const auto* next = find_command(*command, word);
    if (next == nullptr) {
      fmt::print(stderr, "certherd: {}\n", unknown_command(*command, word));
      return wrong_usage;
    }
    command = next;
  }
  fmt::print("{}", help_of(*command, help_width()));
  return all_done;
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> make_help_formatter() {
  return std::make_shared<HelpFormatter>();
}

void add_help(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("help", "Explain a command, as --help after it does");
  command->footer(
      "Examples:\n"
      "  certherd help\n"
      "  certherd help domain add");
  auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("COMMAND", *words, "The command's words, such as: domain add")
      ->type_name("COMMAND");
  command->callback([&context, &parent, words] {
    context.action = [&parent, words] { return show_help(parent, *words); };
  });
}

}  // namespace certherd::cli

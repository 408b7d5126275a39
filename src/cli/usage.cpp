#include "cli/usage.hpp"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace certherd::cli {
namespace {

/// Those of `known` that `word` may have been meant for: the nearest ones, and any that begin so.
std::vector<std::string> meant(std::string_view word, const std::vector<std::string>& known) {
  std::vector<std::string> found;
  std::size_t nearest = std::max<std::size_t>(1, word.size() / 3);
  for (const auto& candidate : known) {
    const auto distance = edit_distance(word, candidate);
    if (distance < nearest) found.clear();
    if (distance <= nearest) found.push_back(candidate);
    nearest = std::min(nearest, distance);
  }
  if (!found.empty() || word.empty()) return found;
  std::ranges::copy_if(known, std::back_inserter(found),
                       [word](const std::string& name) { return name.starts_with(word); });
  return found;
}

std::string question(const std::vector<std::string>& candidates) {
  return candidates.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(candidates, " or "));
}

/// The command that the parser has come to.
const CLI::App& command_at(const CLI::App& tree) {
  const auto* command = &tree;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string unknown_option(const CLI::App& command, const std::string& word) {
  const auto name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const auto* app = &command; app != nullptr; app = app->get_parent()) {
    for (const auto* option : options_of(*app)) {
      for (const auto& each : option->get_lnames()) known.push_back("--" + each);
    }
  }
  return fmt::format("{} is no option of {}{}", name, path_of(command),
                     question(meant(name, known)));
}

std::string explain_rest(const CLI::App& tree) {
  const auto& command = command_at(tree);
  const auto words = tree.remaining(true);
  const auto option = std::ranges::find_if(
      words, [](const std::string& word) { return word.starts_with('-') && word != "-"; });
  if (option != words.end()) return unknown_option(command, *option);
  return fmt::format("{} takes no \"{}\"", path_of(command), words.front());
}

}  // namespace

std::size_t edit_distance(std::string_view one, std::string_view other) {
  // Three rows of the table of all beginnings: the one before last is for swaps.
  std::vector<std::size_t> before(other.size() + 1);
  std::vector<std::size_t> last(other.size() + 1);
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j <= other.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t change = one[i - 1] == other[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool swapped =
          i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[other.size()];
}

std::string unknown_command(const CLI::App& parent, std::string_view word) {
  std::vector<std::string> known;
  for (const auto* command : commands_of(parent)) known.push_back(command->get_name());
  auto candidates = meant(word, known);
  if (candidates.empty()) {
    // "certherd list" for "certherd domain list".
    const auto* top = &parent;
    while (top->get_parent() != nullptr) top = top->get_parent();
    for (const auto* leaf : leaves_of(*top)) {
      if (leaf->get_name() == word) candidates.push_back(path_of(*leaf));
    }
  }
  return fmt::format("\"{}\" is no command of {}{}", word, path_of(parent), question(candidates));
}

std::string explain_usage(const CLI::App& tree, const CLI::ParseError& error) {
  const auto words = tree.remaining(true);
  const auto& command = command_at(tree);
  std::string what = error.what();
  if (!words.empty()) {
    what = commands_of(command).empty() || words.front().starts_with('-')
               ? explain_rest(tree)
               : unknown_command(command, words.front());
  } else if (!commands_of(command).empty()) {
    what = path_of(command) + " wants one of its commands";
  }
  return fmt::format("certherd: {}\nRun {} --help for more.\n", what, path_of(command));
}

}  // namespace certherd::cli

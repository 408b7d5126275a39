#include "deploy/command_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace certherd::deploy {
namespace {

constexpr int lines_shown = 5;

}  // namespace

std::string last_lines(std::string_view output) {
  std::vector<std::string_view> lines;
  while (!output.empty() && lines.size() < lines_shown) {
    const auto end = output.find_last_not_of(" \r\n");
    if (end == std::string_view::npos) break;
    output = output.substr(0, end + 1);
    const auto begin = output.rfind('\n');
    const auto start = begin == std::string_view::npos ? 0 : begin + 1;
    lines.insert(lines.begin(), output.substr(start));
    output = output.substr(0, start);
  }
  return fmt::format("{}", fmt::join(lines, " | "));
}

std::string how_it_ended(const std::vector<std::string>& command, int exit_status,
                         std::string_view output) {
  const auto words = last_lines(output);
  return fmt::format("`{}` ended with status {}{}", fmt::join(command, " "), exit_status,
                     words.empty() ? "" : ": " + words);
}

}  // namespace certherd::deploy

#include "cli/table.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

namespace certherd::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 8;

// Code points, not octets: "…" and "·" take one column.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (columns(text) <= width) return text;
  std::size_t seen = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (starts && seen == width - 1) break;
    if (starts) ++seen;
    ++end;
  }
  return text.substr(0, end) + "…";
}

}  // namespace

std::vector<std::string> Table::lines(std::size_t width) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  if (width > 0) {
    const auto total = [&] {
      return std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
    };
    while (total() > width) {
      auto widest = std::ranges::max_element(widths);
      if (*widest <= narrowest) break;
      *widest -= 1;
    }
  }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto cell = cut(row[i], widths[i]);
      line += cell;
      if (i + 1 < row.size()) line.append(widths[i] - columns(cell) + gap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

void Table::print() const {
  for (const auto& line : lines(terminal_width())) fmt::print("{}\n", line);
}

std::size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace certherd::cli

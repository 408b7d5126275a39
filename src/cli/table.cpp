#include "cli/table.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "base/log.hpp"
#include "cli/tell.hpp"
#include "cli/text.hpp"

namespace certherd::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t gap = 2;
constexpr std::size_t comfortable = 20;  // texts above this are shortened first
constexpr std::size_t narrowest = 10;    // and below this they say nothing any more
constexpr std::size_t time_width = 20;   // 2026-11-24T09:45:01Z
constexpr std::size_t date_width = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_number(std::string_view cell) {
  if (cell.starts_with('-')) cell.remove_prefix(1);
  return !cell.empty() && std::ranges::all_of(cell, is_digit);
}

bool is_time(std::string_view cell) {
  return cell.size() == time_width && cell[10] == 'T' && cell.ends_with('Z') && is_digit(cell[0]);
}

bool says_nothing(std::string_view cell) { return cell.empty() || cell == "-"; }

/// What stands in a column below its head.
struct Column {
  std::size_t width = 0;
  std::size_t head = 0;
  bool empty = true;
  bool numbers = true;
  bool times = true;

  void see(const std::string& cell) {
    width = std::max(width, display_width(cell));
    if (says_nothing(cell)) return;
    empty = false;
    numbers = numbers && is_number(cell);
    times = times && is_time(cell);
  }
  bool is_text() const { return !empty && !numbers && !times; }
};

std::vector<Column> columns_of(const Rows& rows) {
  std::vector<Column> columns(rows.front().size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].head = display_width(rows.front()[i]);
    for (std::size_t row = 1; row < rows.size(); ++row) columns[i].see(rows[row][i]);
    columns[i].width = std::max(columns[i].width, columns[i].head);
  }
  return columns;
}

std::size_t total_width(const std::vector<Column>& columns) {
  return std::transform_reduce(columns.begin(), columns.end(), gap * (columns.size() - 1),
                               std::plus(), [](const Column& column) { return column.width; });
}

/// Takes from the widest texts until all fits, or none is wider than `least` and its head.
void shorten_texts(std::vector<Column>& columns, std::size_t width, std::size_t least) {
  while (total_width(columns) > width) {
    Column* widest = nullptr;
    for (auto& column : columns) {
      const bool can = column.is_text() && column.width > std::max(least, column.head);
      if (can && (widest == nullptr || column.width > widest->width)) widest = &column;
    }
    if (widest == nullptr) return;
    widest->width -= 1;
  }
}

void without_column(Rows& rows, std::size_t index) {
  for (auto& row : rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(index));
}

/// The columns at widths at which they fit; none when they do not.
std::vector<Column> fitted(Rows& rows, std::size_t width) {
  auto columns = columns_of(rows);
  if (width == 0) return columns;
  for (std::size_t i = columns.size(); i-- > 1;) {
    if (!columns[i].empty || rows.size() < 2) continue;
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
    without_column(rows, i);
  }
  shorten_texts(columns, width, comfortable);
  if (total_width(columns) > width) {
    for (auto& column : columns) {
      if (column.times && !column.empty) column.width = std::max(date_width, column.head);
    }
    shorten_texts(columns, width, narrowest);
  }
  if (total_width(columns) > width) columns.clear();
  return columns;
}

std::string cell_text(const std::string& cell, const Column& column) {
  if (is_time(cell) && column.width < time_width) return cell.substr(0, date_width);
  return cut_to(cell, column.width);
}

std::string line_of(const std::vector<std::string>& row, const std::vector<Column>& columns) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto cell = cell_text(row[i], columns[i]);
    const std::string space(columns[i].width - display_width(cell), ' ');
    const bool right = columns[i].numbers && !columns[i].empty;
    line += right ? space + cell : cell + space;
    if (i + 1 < columns.size()) line.append(gap, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// Each row as lines "HEAD  value", for terminals that are too narrow for columns.
std::vector<std::string> records(const Rows& rows, std::size_t width) {
  const auto& head = rows.front();
  const auto labels = std::transform_reduce(
      head.begin(), head.end(), std::size_t{0},
      [](std::size_t a, std::size_t b) { return std::max(a, b); }, display_width);
  const auto room = width > labels + gap + narrowest ? width - labels - gap : narrowest;
  std::vector<std::string> lines;
  for (std::size_t row = 1; row < rows.size(); ++row) {
    if (row > 1) lines.emplace_back();
    for (std::size_t i = 0; i < head.size(); ++i) {
      if (says_nothing(rows[row][i])) continue;
      std::string label = head[i];
      for (const auto& part : wrap(rows[row][i], room)) {
        label.append(labels + gap - display_width(label), ' ');
        lines.push_back(label + part);
        label.clear();
      }
    }
  }
  return lines;
}

}  // namespace

void Table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = log::escaped(cell);
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::vector<std::string> Table::lines(std::size_t width) const {
  auto rows = rows_;
  const auto columns = fitted(rows, width);
  if (columns.empty()) return records(rows, width);
  std::vector<std::string> lines;
  lines.reserve(rows.size());
  for (const auto& row : rows) lines.push_back(line_of(row, columns));
  return lines;
}

void Table::print(std::string_view none) const {
  if (rows_.size() == 1) {
    if (log::enabled(log::Level::info)) tell_aside(none);
    return;
  }
  const auto all = lines(terminal_width());
  const bool headed = all.size() == rows_.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool bold = i == 0 && headed && wants_colour();
    fmt::print("{}{}{}\n", bold ? "\x1b[1m" : "", all[i], bold ? "\x1b[0m" : "");
  }
}

std::size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

bool wants_colour() {
  if (isatty(STDOUT_FILENO) == 0) return false;
  const char* const refused = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return (refused == nullptr || *refused == '\0') && terminal != nullptr && *terminal != '\0' &&
         std::string_view(terminal) != "dumb";
}

}  // namespace certherd::cli

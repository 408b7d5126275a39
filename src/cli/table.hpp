#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certherd::cli {

/// A table for stdout. Elsewhere than on a terminal it holds everything as it is. On a terminal it
/// fits the width: columns without any content go, long texts are shortened, times become dates;
/// and where that is not enough, each row becomes a few lines of its own. Numbers stand to the
/// right; control characters are spelled out.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  void add(std::vector<std::string> row);

  /// Without a row, says `none` on stderr instead (unless only errors are wanted there).
  void print(std::string_view none = "nothing to show") const;

  /// The lines for a given width; 0 is without limit.
  std::vector<std::string> lines(std::size_t width) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Columns of the terminal on stdout; 0 when it is none.
std::size_t terminal_width();

/// Whether stdout is a terminal that is to show colours: NO_COLOR and TERM=dumb say no.
bool wants_colour();

}  // namespace certherd::cli

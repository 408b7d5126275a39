#pragma once

#include <string>
#include <vector>

namespace certherd::cli {

/// A table for stdout. On a terminal its widest columns are shortened until it fits; elsewhere
/// nothing is.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

  /// The lines for a given width; 0 does not shorten.
  std::vector<std::string> lines(std::size_t width) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Columns of the terminal on stdout; 0 when it is none.
std::size_t terminal_width();

}  // namespace certherd::cli

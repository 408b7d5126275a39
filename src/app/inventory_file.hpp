#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/inventory_columns.hpp"

namespace certherd::app {

/// The largest inventory file, in octets: several hundred thousand domains with their metadata.
constexpr std::size_t inventory_limit = 256U << 20U;

/// What is wrong with an inventory file, row by row.
class RowFaults {
 public:
  explicit RowFaults(std::string unit = "line") : unit_(std::move(unit)) {}

  /// `error` says what is wrong with the row that begins there; each of its causes counts for
  /// itself.
  void add(std::size_t row, Error error);

  bool empty() const { return faults_.empty(); }

  /// The error that tells all of it: misconfigured, with the first 50 as causes in the order of
  /// the file, the op of each beginning with "line N".
  Error error() const;

 private:
  std::string unit_;
  std::multimap<std::size_t, Error> faults_;  ///< by row
};

/// One row of an inventory file.
struct InventoryRow {
  std::size_t number = 0;  ///< the line where it begins; in a JSON document its place in the list
  Columns columns;         ///< those that the row has; empty ones too
  Domain domain;           ///< a new domain of them
};

struct InventoryFile {
  std::vector<InventoryRow> rows;  ///< those that are right by themselves
  RowFaults faults;                ///< the others

  /// As new domains.
  std::vector<Domain> domains() &&;
};

/// Reads an inventory: CSV (RFC 4180) whose first row names the columns; JSON lines; or one JSON
/// document, a list or {"domains": [...]}. A domain that stands in it twice is a fault. Errors:
/// misconfigured, where the file as a whole cannot be read: larger than 256 MiB, or empty.
Result<InventoryFile> read_inventory(std::string_view text);

/// The domains as CSV that read_inventory() makes the same domains of: all known columns, then
/// those of the metadata by name. Lines end with LF.
std::string write_csv(const std::vector<Domain>& domains);

}  // namespace certherd::app

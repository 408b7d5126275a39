#pragma once

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace certherd::app {

/// Gathers what is wrong in a config file, so that all of it is told at once.
class Faults {
 public:
  explicit Faults(std::string file) : file_(std::move(file)) {}
  void add(const toml::source_position& where, std::string_view key, std::string message);
  bool empty() const { return faults_.empty(); }
  /// How a fault at that place is named: "FILE:LINE: key".
  std::string place(const toml::source_position& where, std::string_view key) const;
  /// One misconfigured error with a cause per fault, in the order of the lines.
  Error error() &&;

 private:
  std::string file_;
  std::vector<std::pair<toml::source_index, Error>> faults_;
};

/// One table of the config. Each key that is asked for counts as known; done() reports the rest.
class TomlSection {
 public:
  /// A section that is not in the file reads as empty.
  TomlSection(const toml::table* table, std::string name, Faults& faults);

  const std::string& name() const { return name_; }
  bool present() const { return table_ != nullptr; }

  // What a key holds: nothing when it is not there, or when its value is of another kind or out of
  // bounds, which is a fault.

  std::optional<std::string> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high);
  std::optional<double> number(std::string_view key, double low, double high);
  std::optional<Duration> duration(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  /// A table of texts; empty where the others give nothing.
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);
  const toml::table* table(std::string_view key);  ///< null where the others give nothing
  /// A list of tables; empty where the others give nothing.
  std::vector<const toml::table*> tables(std::string_view key);

  /// All sub-tables, such as every [ca.NAME].
  std::vector<std::pair<std::string, TomlSection>> sections();

  /// "FILE:LINE: section.key", for errors that show only later.
  std::string where(std::string_view key) const;

  /// A fault at `key`, or at the section when the key is not there.
  void fault(std::string_view key, std::string message);

  /// A key of the documented config that this version cannot honour yet: never ignored silently.
  void refuse(std::string_view key);

  /// Reports every key that nobody asked for.
  void done();

 private:
  const toml::node* find(std::string_view key);
  toml::source_position position(std::string_view key) const;
  std::string path(std::string_view key) const;

  const toml::table* table_;
  std::string name_;
  Faults* faults_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace certherd::app

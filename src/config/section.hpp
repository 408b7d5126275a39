#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

// toml++'s own declarations, so that its headers stay in this room.
namespace toml {
inline namespace v3 {
class node;
class table;
}  // namespace v3
}  // namespace toml

namespace certherd::config {

/// Gathers what is wrong in a config file, so that all of it is told at once.
class Faults {
 public:
  explicit Faults(std::string file) : file_(std::move(file)) {}
  void add(std::size_t line, std::string_view key, std::string message);
  bool empty() const { return faults_.empty(); }
  /// How a fault at that place is named: "FILE:LINE: key".
  std::string place(std::size_t line, std::string_view key) const;
  /// One misconfigured error with a cause per fault, in the order of the lines.
  Error error() &&;

 private:
  std::string file_;
  std::vector<std::pair<std::size_t, Error>> faults_;
};

/// One table of the config. Each key that is asked for counts as known; done() reports the rest.
class Section {
 public:
  Section(const toml::table* table, std::string name, Faults& faults);

  const std::string& name() const { return name_; }
  bool present() const { return table_ != nullptr; }

  // What a key holds: nothing when it is not there, or when its value is of another kind or out of
  // bounds, which is a fault.

  std::optional<std::string> text(std::string_view key);
  /// A text that may be left out, but not be empty.
  std::string named(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high);
  std::optional<double> number(std::string_view key, double low, double high);
  std::optional<Duration> duration(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  /// A list of texts, or a single one without the brackets.
  std::optional<std::vector<std::string>> text_or_texts(std::string_view key);
  /// Whether true or false stands there, for keys that take something else besides.
  bool holds_boolean(std::string_view key);
  /// Whether a table stands there, for keys that take something else besides.
  bool holds_table(std::string_view key);
  /// A table of texts; empty where the others give nothing.
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);
  /// [key]: a section that is not in the file reads as empty.
  Section section(std::string_view key);
  /// A table within this one, as a section named after its key.
  std::optional<Section> table(std::string_view key);
  /// A list of tables; empty where the others give nothing.
  std::vector<Section> tables(std::string_view key);

  /// All sub-tables, such as every [ca.NAME].
  std::vector<std::pair<std::string, Section>> sections();

  /// "FILE:LINE: section.key", for errors that show only later.
  std::string where(std::string_view key) const;

  /// A fault at `key`, or at the section when the key is not there.
  void fault(std::string_view key, std::string message);

  /// Reports every key that nobody asked for.
  void done();

 private:
  const toml::node* find(std::string_view key);
  std::size_t line(std::string_view key) const;
  std::string path(std::string_view key) const;

  const toml::table* table_;
  std::string name_;
  Faults* faults_;
  std::set<std::string, std::less<>> known_;
};

/// A config file, read. It outlives its sections.
class Document {
 public:
  /// `file` is how faults name it. Errors: misconfigured, where it is no TOML.
  static Result<Document> parse(std::string file, std::string_view text);
  ~Document();
  Document(Document&& other) noexcept;
  Document& operator=(Document&& other) = delete;

  Section root();
  /// What was found wrong so far.
  Faults& faults() { return *faults_; }

 private:
  Document(std::unique_ptr<toml::table> root, Faults faults);

  std::unique_ptr<toml::table> root_;
  std::unique_ptr<Faults> faults_;  // sections point to it
};

}  // namespace certherd::config

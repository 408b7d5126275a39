#include "app/toml_section.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace certherd::app {

void Faults::add(const toml::source_position& where, std::string_view key, std::string message) {
  Error error;
  error.kind = Error::Kind::misconfigured;
  error.op = place(where, key);
  error.detail = std::move(message);
  faults_.emplace_back(where.line, std::move(error));
}

std::string Faults::place(const toml::source_position& where, std::string_view key) const {
  return fmt::format("{}:{}: {}", file_, where.line, key);
}

Error Faults::error() && {
  std::ranges::sort(faults_, {},
                    [](const auto& fault) { return std::pair(fault.first, fault.second.op); });
  Error error;
  error.kind = Error::Kind::misconfigured;
  error.op = "read the config";
  error.detail = fmt::format("{} fault{}", faults_.size(), faults_.size() == 1 ? "" : "s");
  for (auto& [line, fault] : faults_) error.causes.push_back(std::move(fault));
  return error;
}

TomlSection::TomlSection(const toml::table* table, std::string name, Faults& faults)
    : table_(table), name_(std::move(name)), faults_(&faults) {}

const toml::node* TomlSection::find(std::string_view key) {
  known_.emplace(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

toml::source_position TomlSection::position(std::string_view key) const {
  if (table_ == nullptr) return {};
  const auto* node = table_->get(key);
  return node != nullptr ? node->source().begin : table_->source().begin;
}

std::string TomlSection::path(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

std::string TomlSection::where(std::string_view key) const {
  return faults_->place(position(key), path(key));
}

void TomlSection::fault(std::string_view key, std::string message) {
  faults_->add(position(key), path(key), std::move(message));
}

void TomlSection::refuse(std::string_view key) {
  if (find(key) == nullptr) return;
  fault(key, "this version cannot honour this setting yet: take it out");
}

void TomlSection::done() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    if (known_.contains(key.str())) continue;
    fault(key.str(), fmt::format("unknown key; known here: {}", fmt::join(known_, ", ")));
  }
}

std::optional<std::string> TomlSection::text(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<std::string>()) return value;
  fault(key, "must be a text in quotes");
  return std::nullopt;
}

std::optional<bool> TomlSection::boolean(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<bool>()) return value;
  fault(key, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> TomlSection::integer(std::string_view key, std::int64_t low,
                                                 std::int64_t high) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= low && *value <= high) return value;
  fault(key, fmt::format("must be a whole number from {} to {}", low, high));
  return std::nullopt;
}

std::optional<double> TomlSection::number(std::string_view key, double low, double high) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value<double>();
  if (value && *value >= low && *value <= high) return value;
  fault(key, fmt::format("must be a number from {} to {}", low, high));
  return std::nullopt;
}

std::optional<Duration> TomlSection::duration(std::string_view key) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  if (auto duration = parse_duration(*value)) return duration;
  fault(key, fmt::format("\"{}\" is no duration: write it as \"90s\", \"3m\", \"6h\" or \"30d\"",
                         *value));
  return std::nullopt;
}

std::optional<std::vector<std::string>> TomlSection::texts(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  std::vector<std::string> values;
  const auto* array = node->as_array();
  const bool all_texts =
      array != nullptr && std::ranges::all_of(*array, [&values](const toml::node& item) {
        auto value = item.value_exact<std::string>();
        if (value) values.push_back(std::move(*value));
        return value.has_value();
      });
  if (all_texts) return values;
  fault(key, R"(must be a list of texts, such as ["a", "b"])");
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> TomlSection::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> entries;
  const auto* inner = table(key);
  if (inner == nullptr) return entries;
  for (const auto& [name, node] : *inner) {
    if (auto value = node.value_exact<std::string>()) {
      entries.emplace_back(name.str(), std::move(*value));
    } else {
      fault(key, fmt::format("\"{}\" must be a text in quotes", name.str()));
    }
  }
  return entries;
}

const toml::table* TomlSection::table(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return nullptr;
  if (const auto* inner = node->as_table()) return inner;
  fault(key, "must be a table");
  return nullptr;
}

std::vector<const toml::table*> TomlSection::tables(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return {};
  std::vector<const toml::table*> found;
  const auto* array = node->as_array();
  const bool all_tables = array != nullptr && std::ranges::all_of(*array, [&](const auto& item) {
                            found.push_back(item.as_table());
                            return found.back() != nullptr;
                          });
  if (all_tables) return found;
  fault(key, "must be a list of tables, such as [{ ... }, { ... }]");
  return {};
}

std::vector<std::pair<std::string, TomlSection>> TomlSection::sections() {
  std::vector<std::pair<std::string, TomlSection>> found;
  if (table_ == nullptr) return found;
  for (const auto& [key, node] : *table_) {
    known_.emplace(key.str());
    if (const auto* inner = node.as_table()) {
      const std::string name(key.str());
      found.emplace_back(name, TomlSection(inner, fmt::format("{}.{}", name_, name), *faults_));
    } else {
      fault(key.str(), fmt::format("must be a section of its own: [{}.NAME]", name_));
    }
  }
  return found;
}

}  // namespace certherd::app

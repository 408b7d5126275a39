#include "config/section.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>

namespace certherd::config {

void Faults::add(std::size_t line, std::string_view key, std::string message) {
  Error error;
  error.kind = Error::Kind::misconfigured;
  error.op = place(line, key);
  error.detail = std::move(message);
  faults_.emplace_back(line, std::move(error));
}

std::string Faults::place(std::size_t line, std::string_view key) const {
  return fmt::format("{}:{}: {}", file_, line, key);
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

Section::Section(const toml::table* table, std::string name, Faults& faults)
    : table_(table), name_(std::move(name)), faults_(&faults) {}

const toml::node* Section::find(std::string_view key) {
  known_.emplace(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

std::size_t Section::line(std::string_view key) const {
  if (table_ == nullptr) return 0;
  const auto* node = table_->get(key);
  return node != nullptr ? node->source().begin.line : table_->source().begin.line;
}

std::string Section::path(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

std::string Section::where(std::string_view key) const {
  return faults_->place(line(key), path(key));
}

void Section::fault(std::string_view key, std::string message) {
  faults_->add(line(key), path(key), std::move(message));
}

void Section::done() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    if (known_.contains(key.str())) continue;
    fault(key.str(), fmt::format("unknown key; known here: {}", fmt::join(known_, ", ")));
  }
}

std::optional<std::string> Section::text(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<std::string>()) return value;
  fault(key, "must be a text in quotes");
  return std::nullopt;
}

std::string Section::named(std::string_view key) {
  const auto given = text(key);
  if (given && given->empty()) fault(key, "must not be empty: leave it out for the default");
  return given.value_or("");
}

std::optional<bool> Section::boolean(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<bool>()) return value;
  fault(key, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> Section::integer(std::string_view key, std::int64_t low,
                                             std::int64_t high) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= low && *value <= high) return value;
  fault(key, fmt::format("must be a whole number from {} to {}", low, high));
  return std::nullopt;
}

std::optional<double> Section::number(std::string_view key, double low, double high) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value<double>();
  if (value && *value >= low && *value <= high) return value;
  fault(key, fmt::format("must be a number from {} to {}", low, high));
  return std::nullopt;
}

std::optional<Duration> Section::duration(std::string_view key) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  if (auto duration = parse_duration(*value)) return duration;
  fault(key, fmt::format("\"{}\" is no duration: write it as \"90s\", \"3m\", \"6h\" or \"30d\"",
                         *value));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Section::texts(std::string_view key) {
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

std::optional<std::vector<std::string>> Section::text_or_texts(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr || !node->is_string()) return texts(key);
  return std::vector{*text(key)};
}

bool Section::holds_boolean(std::string_view key) {
  const auto* node = find(key);
  return node != nullptr && node->is_boolean();
}

bool Section::holds_table(std::string_view key) {
  const auto* node = find(key);
  return node != nullptr && node->is_table();
}

std::vector<std::pair<std::string, std::string>> Section::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> entries;
  const auto inner = table(key);
  if (!inner) return entries;
  for (const auto& [name, node] : *inner->table_) {
    if (auto value = node.value_exact<std::string>()) {
      entries.emplace_back(name.str(), std::move(*value));
    } else {
      fault(key, fmt::format("\"{}\" must be a text in quotes", name.str()));
    }
  }
  return entries;
}

Section Section::section(std::string_view key) {
  return table(key).value_or(Section(nullptr, path(key), *faults_));
}

std::optional<Section> Section::table(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* inner = node->as_table()) return Section(inner, path(key), *faults_);
  fault(key, "must be a table");
  return std::nullopt;
}

std::vector<Section> Section::tables(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return {};
  std::vector<Section> found;
  const auto* array = node->as_array();
  const bool all_tables = array != nullptr && std::ranges::all_of(*array, [&](const auto& item) {
                            const auto* inner = item.as_table();
                            found.emplace_back(inner, path(key), *faults_);
                            return inner != nullptr;
                          });
  if (all_tables) return found;
  fault(key, "must be a list of tables, such as [{ ... }, { ... }]");
  return {};
}

std::vector<std::pair<std::string, Section>> Section::sections() {
  std::vector<std::pair<std::string, Section>> found;
  if (table_ == nullptr) return found;
  for (const auto& [key, node] : *table_) {
    known_.emplace(key.str());
    if (const auto* inner = node.as_table()) {
      const std::string name(key.str());
      found.emplace_back(name, Section(inner, fmt::format("{}.{}", name_, name), *faults_));
    } else {
      fault(key.str(), fmt::format("must be a section of its own: [{}.NAME]", name_));
    }
  }
  return found;
}

Document::Document(std::unique_ptr<toml::table> root, Faults faults)
    : root_(std::move(root)), faults_(std::make_unique<Faults>(std::move(faults))) {}
Document::~Document() = default;
Document::Document(Document&& other) noexcept = default;

Result<Document> Document::parse(std::string file, std::string_view text) {
  Faults faults(std::move(file));
  auto parsed = toml::parse(text);
  if (!parsed) {
    const auto& failure = parsed.error();
    faults.add(failure.source().begin.line, "syntax", std::string(failure.description()));
    return fail(std::move(faults).error());
  }
  return Document(std::make_unique<toml::table>(std::move(parsed).table()), std::move(faults));
}

Section Document::root() { return {root_.get(), "", *faults_}; }

}  // namespace certherd::config

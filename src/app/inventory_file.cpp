#include "app/inventory_file.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "model/key_type.hpp"

namespace certherd::app {
namespace {

constexpr std::size_t reported_rows = 100;  // a wholly wrong file need not fill the terminal

struct Line {
  std::size_t number = 0;
  InventoryRow row;
  std::optional<Error> error;
};

Error fault(std::string op, std::string detail) {
  Error error;
  error.kind = Error::Kind::misconfigured;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return error;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(word);
  return found;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "yes" || text == "1" || text.empty()) return true;
  if (text == "false" || text == "no" || text == "0") return false;
  return std::nullopt;
}

/// Fills a domain column by column and gathers what is wrong.
class DomainBuilder {
 public:
  Result<Domain> build(const InventoryRow& row) {
    if (!row.contains("domain")) error("domain", "is missing");
    for (const auto& [column, value] : row) take(column, value);
    if (causes_.empty()) return std::move(domain_);
    auto failure =
        fault("domain", causes_.size() == 1 ? "one column is wrong" : "several columns are wrong");
    failure.causes = std::move(causes_);
    return fail(std::move(failure));
  }

 private:
  void take(const std::string& column, const std::string& value) {
    if (column == "domain") {
      if (auto name = this->name(column, value)) domain_.name = *name;
    } else if (column == "names") {
      for (const auto& word : words(value)) {
        if (auto name = this->name(column, word)) domain_.names.push_back(*name);
      }
    } else if (column == "zone_id") {
      domain_.zone_id = ZoneId(value);
    } else if (column == "ca") {
      domain_.ca = CaName(value);
    } else if (column == "dns") {
      domain_.dns = DnsName(value);
    } else if (column == "vault") {
      domain_.vault = VaultName(value);
    } else if (column == "targets") {
      for (auto& word : words(value)) domain_.targets.emplace_back(std::move(word));
    } else if (column == "key") {
      key(value);
    } else if (column == "profile") {
      domain_.profile = value;
    } else if (column == "endpoints") {
      endpoints(value);
    } else if (column == "owner") {
      domain_.owner = value;
    } else if (column == "enabled") {
      if (const auto enabled = parse_boolean(value)) {
        domain_.enabled = *enabled;
      } else {
        error(column, fmt::format("\"{}\" is neither true nor false", value));
      }
    } else if (!value.empty()) {
      domain_.metadata.emplace(column, value);
    }
  }

  std::optional<Fqdn> name(const std::string& column, const std::string& text) {
    auto parsed = Fqdn::parse(text);
    if (parsed) return *parsed;
    error(column, parsed.error().detail);
    return std::nullopt;
  }

  void key(const std::string& value) {
    const auto type = parse_key_type(value);
    const bool known = value.empty() || value == "auto" || (type && *type != KeyType::ed25519);
    if (known) {
      domain_.key = value;
    } else {
      error("key", fmt::format("\"{}\" is none of auto, ecdsa-p256, ecdsa-p384, rsa-2048, "
                               "rsa-3072, rsa-4096",
                               value));
    }
  }

  void endpoints(const std::string& value) {
    for (const auto& word : words(value)) {
      auto endpoint = Endpoint::parse(word);
      if (endpoint) {
        domain_.endpoints.push_back(std::move(*endpoint));
      } else {
        error("endpoints", endpoint.error().detail);
      }
    }
  }

  void error(std::string column, std::string detail) {
    causes_.push_back(fault(std::move(column), std::move(detail)));
  }

  Domain domain_;
  std::vector<Error> causes_;
};

/// Collects the fields that libcsv hands out into rows by column name.
class CsvRows {
 public:
  Result<std::vector<Line>> read(std::string_view text) {
    csv_parser parser{};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
      return fail(Error::Kind::transient, "read CSV", "out of memory");
    }
    const std::unique_ptr<csv_parser, decltype(&csv_free)> freed(&parser, &csv_free);
    // Line by line, so that each row knows where it began.
    while (!text.empty()) {
      line_ += 1;
      const auto end = text.find('\n');
      const auto part = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
      text.remove_prefix(part.size());
      if (!in_row_) row_line_ = line_;
      in_row_ = true;
      if (csv_parse(&parser, part.data(), part.size(), &CsvRows::field, &CsvRows::end, this) !=
          part.size()) {
        return fail(Error::Kind::misconfigured, fmt::format("line {}", row_line_),
                    fmt::format("no valid CSV: {}", csv_strerror(csv_error(&parser))));
      }
    }
    if (csv_fini(&parser, &CsvRows::field, &CsvRows::end, this) != 0) {
      return fail(Error::Kind::misconfigured, fmt::format("line {}", row_line_),
                  fmt::format("no valid CSV: {}", csv_strerror(csv_error(&parser))));
    }
    return std::move(lines_);
  }

 private:
  static void field(void* data, std::size_t size, void* self) {
    static_cast<CsvRows*>(self)->fields_.emplace_back(static_cast<const char*>(data), size);
  }
  static void end(int, void* self) { static_cast<CsvRows*>(self)->end_row(); }

  void end_row() {
    in_row_ = false;
    auto fields = std::move(fields_);
    fields_.clear();
    if (head_.empty()) {
      head_ = std::move(fields);
      return;
    }
    Line line{.number = row_line_, .row = {}, .error = {}};
    if (fields.size() != head_.size()) {
      line.error = fault(fmt::format("line {}", row_line_),
                         fmt::format("has {} fields, the first row names {} columns", fields.size(),
                                     head_.size()));
    } else {
      for (std::size_t i = 0; i < head_.size(); ++i) line.row[head_[i]] = std::move(fields[i]);
    }
    lines_.push_back(std::move(line));
  }

  std::vector<std::string> head_;
  std::vector<std::string> fields_;
  std::vector<Line> lines_;
  std::size_t line_ = 0;
  std::size_t row_line_ = 1;
  bool in_row_ = false;
};

std::optional<std::string> text_of(const boost::json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_null()) return std::string();
  if (!value.is_array()) {
    return value.is_object() ? std::nullopt : std::optional(boost::json::serialize(value));
  }
  std::string joined;
  for (const auto& item : value.get_array()) {
    if (!item.is_string()) return std::nullopt;
    joined += (joined.empty() ? "" : " ") + std::string(item.get_string());
  }
  return joined;
}

Line json_line(std::size_t number, std::string_view text) {
  Line line{.number = number, .row = {}, .error = {}};
  const auto where = fmt::format("line {}", number);
  boost::system::error_code failure;
  const auto value = boost::json::parse(text, failure);
  if (failure || !value.is_object()) {
    line.error = fault(where, "is no JSON object: " + failure.message());
    return line;
  }
  for (const auto& [key, member] : value.get_object()) {
    if (auto column = text_of(member)) {
      line.row[key] = std::move(*column);
    } else {
      line.error = fault(where, fmt::format("\"{}\" must be a text, a number or a list of texts",
                                            std::string_view(key)));
    }
  }
  return line;
}

std::vector<Line> json_lines(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (part.ends_with('\r')) part.remove_suffix(1);
    if (part.find_first_not_of(" \t") != std::string_view::npos) {
      lines.push_back(json_line(number, part));
    }
  }
  return lines;
}

}  // namespace

Result<Domain> domain_of(const InventoryRow& row) { return DomainBuilder().build(row); }

Result<std::vector<Domain>> read_inventory(std::string_view text) {
  if (text.size() > inventory_limit) {
    return fail(Error::Kind::misconfigured, "read the inventory",
                "is larger than 256 MiB: split it");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark that spreadsheets write
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return fail(Error::Kind::misconfigured, "read the inventory", "is empty");
  }
  std::vector<Line> lines;
  if (text[first] == '{') {
    lines = json_lines(text);
  } else {
    auto rows = CsvRows().read(text);
    if (!rows) return fail(std::move(rows.error()).during("read the inventory"));
    lines = std::move(*rows);
  }

  std::vector<Domain> domains;
  std::map<Fqdn, std::size_t> seen;
  std::vector<Error> faults;
  for (auto& line : lines) {
    const auto where = fmt::format("line {}", line.number);
    auto domain = line.error ? Result<Domain>(fail(*line.error)) : domain_of(line.row);
    if (!domain) {
      const auto& error = domain.error();
      if (error.causes.empty()) faults.push_back(error);
      for (const auto& cause : error.causes) faults.push_back(cause.during(where));
      continue;
    }
    const auto [earlier, is_new] = seen.emplace(domain->name, line.number);
    if (!is_new) {
      faults.push_back(
          fault(where, fmt::format("{} stands already in line {}", domain->name, earlier->second)));
      continue;
    }
    domains.push_back(std::move(*domain));
  }
  if (faults.empty()) return domains;
  auto error = fault(
      "read the inventory",
      fmt::format("{} fault{}; nothing was changed", faults.size(), faults.size() == 1 ? "" : "s"));
  if (faults.size() > reported_rows) {
    error.detail += fmt::format("; the first {} are", reported_rows);
    faults.resize(reported_rows);
  }
  error.causes = std::move(faults);
  return fail(std::move(error));
}

}  // namespace certherd::app

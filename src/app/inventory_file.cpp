#include "app/inventory_file.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <set>

namespace certherd::app {
namespace {

namespace json = boost::json;

constexpr std::size_t told_faults = 50;  // a wholly wrong file need not fill the terminal

Error fault(std::string op, std::string detail) {
  Error error;
  error.kind = Error::Kind::misconfigured;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return error;
}

/// Takes the columns of rows and makes domains of them.
class Gathered {
 public:
  explicit Gathered(std::string unit) : unit_(unit), file_{.rows = {}, .faults = RowFaults(unit)} {}

  void add(std::size_t number, Columns columns) {
    auto domain = domain_of(columns);
    if (!domain) {
      file_.faults.add(number, std::move(domain.error()));
      return;
    }
    const auto [earlier, is_new] = seen_.emplace(domain->name.text(), number);
    if (!is_new) {
      file_.faults.add(number, fault("domain", fmt::format("{} stands already in {} {}",
                                                           domain->name, unit_, earlier->second)));
      return;
    }
    file_.rows.push_back(
        {.number = number, .columns = std::move(columns), .domain = std::move(*domain)});
  }

  void bad(std::size_t number, Error error) { file_.faults.add(number, std::move(error)); }

  InventoryFile take() { return std::move(file_); }

 private:
  std::string unit_;
  InventoryFile file_;
  std::map<std::string, std::size_t> seen_;
};

/// Takes one line off the front of a text, with its end. Line ends are LF, CRLF or CR.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find_first_of("\r\n");
  auto size = end == std::string_view::npos ? text.size() : end + 1;
  if (text.substr(size - 1, 2) == "\r\n") ++size;
  const auto line = text.substr(0, size);
  text.remove_prefix(size);
  return line;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of("\r\n") == std::string_view::npos;
}

/// Collects the fields that libcsv hands out into rows by column name.
class CsvReader {
 public:
  Result<InventoryFile> read(std::string_view text) {
    csv_parser parser{};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
      return fail(Error::Kind::transient, "read CSV", "out of memory");
    }
    const std::unique_ptr<csv_parser, decltype(&csv_free)> freed(&parser, &csv_free);
    // Line by line, so that each row knows where it began.
    while (!text.empty() && !bad_head_) {
      ++line_;
      const auto line = take_line(text);
      if (!in_row_ && is_blank(line)) continue;
      if (!in_row_) row_line_ = line_;
      in_row_ = true;
      if (csv_parse(&parser, line.data(), line.size(), &CsvReader::field, &CsvReader::end, this) !=
          line.size()) {
        gathered_.bad(row_line_, fault("",
                                       "a quotation mark stands inside a field, and what "
                                       "follows is not read: write it twice, and the whole "
                                       "field between quotation marks"));
        return gathered_.take();
      }
    }
    if (!bad_head_ && csv_fini(&parser, &CsvReader::field, &CsvReader::end, this) != 0) {
      gathered_.bad(row_line_, fault("", "a quotation mark is opened and never closed"));
    }
    return gathered_.take();
  }

 private:
  static void field(void* data, std::size_t size, void* self) {
    static_cast<CsvReader*>(self)->fields_.emplace_back(static_cast<const char*>(data), size);
  }
  static void end(int, void* self) { static_cast<CsvReader*>(self)->end_row(); }

  void end_row() {
    in_row_ = false;
    auto fields = std::exchange(fields_, {});
    if (head_.empty()) {
      head(std::move(fields));
      return;
    }
    if (fields.size() != head_.size()) {
      gathered_.bad(row_line_,
                    fault("", fmt::format("has {} fields, the first row names {} columns",
                                          fields.size(), head_.size())));
      return;
    }
    Columns columns;
    for (std::size_t i = 0; i < head_.size(); ++i) {
      columns.insert_or_assign(head_[i], std::move(fields[i]));
    }
    gathered_.add(row_line_, std::move(columns));
  }

  // With a wrong first row every other one would be wrong too.
  void head(std::vector<std::string> names) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto column = fmt::format("column {} (\"{}\")", i + 1, names[i]);
      if (auto why = column_name_fault(names[i]); !why.empty()) {
        bad_head(column, std::move(why));
      } else if (!seen.insert(names[i]).second) {
        bad_head(column, "stands there already");
      }
    }
    if (!seen.contains("domain")) {
      bad_head("columns", "the first row names them, and \"domain\" is missing");
    }
    head_ = std::move(names);
  }

  void bad_head(std::string op, std::string detail) {
    bad_head_ = true;
    gathered_.bad(row_line_, fault(std::move(op), std::move(detail)));
  }

  Gathered gathered_{"line"};
  std::vector<std::string> head_;
  std::vector<std::string> fields_;
  std::size_t line_ = 0;
  std::size_t row_line_ = 1;
  bool in_row_ = false;
  bool bad_head_ = false;
};

std::optional<std::string> text_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "";
    case json::kind::string:
      return std::string(value.get_string());
    case json::kind::double_:
      return fmt::format("{}", value.get_double());
    case json::kind::bool_:
    case json::kind::int64:
    case json::kind::uint64:
      return json::serialize(value);
    case json::kind::object:
      return std::nullopt;
    case json::kind::array:
      break;
  }
  std::string joined;
  for (const auto& item : value.get_array()) {
    if (!item.is_string()) return std::nullopt;
    if (!joined.empty()) joined += ' ';
    joined += std::string_view(item.get_string());
  }
  return joined;
}

void add_object(Gathered& gathered, std::size_t number, const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    gathered.bad(number, fault("", "is no JSON object"));
    return;
  }
  Columns columns;
  for (const auto& [key, member] : *object) {
    auto text = text_of(member);
    if (!text) {
      gathered.bad(number, fault(std::string(key),
                                 "must be a text, a number, true, false or a "
                                 "list of texts"));
      return;
    }
    columns.insert_or_assign(std::string(key), std::move(*text));
  }
  gathered.add(number, std::move(columns));
}

/// The list of a JSON document; nothing when the text is none.
std::optional<json::array> list_in(std::string_view text) {
  boost::system::error_code failure;
  auto document = json::parse(text, failure);
  if (failure) return std::nullopt;
  if (auto* list = document.if_array()) return std::move(*list);
  if (document.get_object().size() != 1) return std::nullopt;
  auto* domains = document.get_object().if_contains("domains");
  if (domains == nullptr || !domains->is_array()) return std::nullopt;
  return std::move(domains->get_array());
}

InventoryFile read_json(std::string_view text) {
  if (const auto list = list_in(text)) {
    Gathered gathered("entry");
    for (std::size_t i = 0; i < list->size(); ++i) add_object(gathered, i + 1, (*list)[i]);
    return gathered.take();
  }
  Gathered gathered("line");
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = take_line(text);
    if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure) {
      gathered.bad(number, fault("", "is no JSON: " + failure.message()));
    } else {
      add_object(gathered, number, value);
    }
  }
  return gathered.take();
}

std::string quoted(std::string_view value) {
  const bool plain = value.find_first_of(",\"\r\n") == std::string_view::npos &&
                     (value.empty() || (!std::string_view(" \t").contains(value.front()) &&
                                        !std::string_view(" \t").contains(value.back())));
  if (plain) return std::string(value);
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

}  // namespace

void RowFaults::add(std::size_t row, Error error) {
  if (error.causes.empty()) {
    faults_.emplace(row, std::move(error));
    return;
  }
  for (auto& cause : error.causes) faults_.emplace(row, std::move(cause));
}

Error RowFaults::error() const {
  std::size_t rows = 0;
  Error error = fault("read the inventory", "");
  error.causes.reserve(std::min(faults_.size(), told_faults));
  for (auto each = faults_.begin(); each != faults_.end(); ++each) {
    const auto& [row, cause] = *each;
    if (each == faults_.begin() || std::prev(each)->first != row) ++rows;
    if (error.causes.size() == told_faults) continue;
    auto told = cause;
    told.op = fmt::format("{} {}{}{}", unit_, row, cause.op.empty() ? "" : ": ", cause.op);
    error.causes.push_back(std::move(told));
  }
  error.detail =
      fmt::format("{} {} wrong; nothing was changed", rows, rows == 1 ? "row is" : "rows are");
  if (faults_.size() > told_faults) {
    error.detail += fmt::format("; the first {} of {} faults are", told_faults, faults_.size());
  }
  return error;
}

std::vector<Domain> InventoryFile::domains() && {
  std::vector<Domain> all;
  all.reserve(rows.size());
  for (auto& row : rows) all.push_back(std::move(row.domain));
  return all;
}

Result<InventoryFile> read_inventory(std::string_view text) {
  if (text.size() > inventory_limit) {
    return fail(Error::Kind::misconfigured, "read the inventory",
                "is larger than 256 MiB: split it");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark that spreadsheets write
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return fail(Error::Kind::misconfigured, "read the inventory", "is empty");
  }
  if (text[first] == '{' || text[first] == '[') return read_json(text);
  return CsvReader().read(text);
}

std::string write_csv(const std::vector<Domain>& domains) {
  std::vector<std::string> head(known_columns.begin(), known_columns.end());
  std::set<std::string> metadata;
  for (const auto& domain : domains) {
    for (const auto& [key, value] : domain.metadata) metadata.insert(key);
  }
  head.insert(head.end(), metadata.begin(), metadata.end());

  std::string text;
  const auto add_row = [&](auto value_of) {
    for (std::size_t i = 0; i < head.size(); ++i) {
      if (i > 0) text += ',';
      text += quoted(value_of(head[i]));
    }
    text += '\n';
  };
  add_row([](const std::string& column) { return column; });
  for (const auto& domain : domains) {
    const auto columns = columns_of(domain);
    add_row([&columns](const std::string& column) {
      const auto found = columns.find(column);
      return found == columns.end() ? std::string() : found->second;
    });
  }
  return text;
}

}  // namespace certherd::app

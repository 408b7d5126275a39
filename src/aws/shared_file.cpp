#include "aws/shared_file.hpp"

#include <fmt/format.h>

#include <cctype>
#include <optional>
#include <utility>

namespace certherd::aws {
namespace {

constexpr std::string_view space = " \t\r";

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

/// Without what follows a # or ; that stands at the beginning or after a space.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool mark = text[i] == '#' || text[i] == ';';
    if (mark && (i == 0 || space.find(text[i - 1]) != std::string_view::npos)) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view without_quotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.front() == text.back();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

struct KeyAndValue {
  std::string key;
  std::string value;
};

std::optional<KeyAndValue> split(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  auto key = lower(trim(line.substr(0, equals)));
  if (key.empty()) return std::nullopt;
  return KeyAndValue{std::move(key), std::string(trim(line.substr(equals + 1)))};
}

class Parser {
 public:
  explicit Parser(SharedFileKind kind) : kind_(kind) {}

  /// What is wrong with the line; nothing when it could be read.
  std::optional<std::string> take(std::string_view line);

  SharedFile result() && { return std::move(file_); }

 private:
  std::optional<std::string> take_section(std::string_view line);
  std::optional<std::string> take_indented(std::string_view line);
  void open(std::string_view title);

  SharedFileKind kind_;
  SharedFile file_;
  bool in_section_ = false;
  Profile* profile_ = nullptr;                          // null: not in one that matters
  std::map<std::string, Profile>* services_ = nullptr;  // the same
  std::string key_;                                     // the last one; empty: none in this section
};

std::optional<std::string> Parser::take(std::string_view line) {
  const bool indented = !line.empty() && space.find(line.front()) != std::string_view::npos;
  const auto text = trim(without_comment(line));
  if (text.empty()) return std::nullopt;
  if (text.front() == '[' && !indented) return take_section(text);
  if (!in_section_) return "it stands before the first [section]";
  if (indented) return take_indented(text);
  auto pair = split(text);
  if (!pair) return "it is neither a [section] nor KEY = VALUE";
  key_ = std::move(pair->key);
  if (profile_ != nullptr) (*profile_)[key_] = std::move(pair->value);
  return std::nullopt;
}

std::optional<std::string> Parser::take_section(std::string_view line) {
  const auto end = line.find(']');
  if (end == std::string_view::npos || !trim(line.substr(end + 1)).empty()) {
    return "a section ends in ]";
  }
  const auto title = trim(line.substr(1, end - 1));
  if (title.empty()) return "the section has no name";
  open(title);
  return std::nullopt;
}

void Parser::open(std::string_view title) {
  in_section_ = true;
  key_.clear();
  profile_ = nullptr;
  services_ = nullptr;
  if (kind_ == SharedFileKind::credentials) {
    profile_ = &file_.profiles[std::string(title)];
    return;
  }
  const auto gap = title.find_first_of(space);
  const auto type = title.substr(0, gap);
  const auto name =
      without_quotes(gap == std::string_view::npos ? std::string_view() : trim(title.substr(gap)));
  if (title == "default") profile_ = &file_.profiles["default"];
  if (type == "profile" && !name.empty()) profile_ = &file_.profiles[std::string(name)];
  if (type == "services" && !name.empty()) services_ = &file_.services[std::string(name)];
}

std::optional<std::string> Parser::take_indented(std::string_view line) {
  if (key_.empty()) return "it is indented, but there is no key above to which it could belong";
  if (services_ != nullptr) {
    auto pair = split(line);
    if (!pair) return "it is not KEY = VALUE";
    (*services_)[key_][pair->key] = std::move(pair->value);
  } else if (profile_ != nullptr && !(*profile_)[key_].empty()) {
    (*profile_)[key_].append("\n").append(line);
  }
  // Else it is a setting below a key such as "s3 =", none of which matters here.
  return std::nullopt;
}

}  // namespace

Result<SharedFile> parse_shared_file(std::string_view text, SharedFileKind kind,
                                     const std::filesystem::path& path) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Parser parser(kind);
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto fault = parser.take(text.substr(0, end));
    if (fault) {
      // Not the line itself: it may hold a key.
      return fail(Error::Kind::misconfigured, "read the settings for AWS",
                  fmt::format("{}:{} cannot be read: {}", path.string(), number, *fault));
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return std::move(parser).result();
}

}  // namespace certherd::aws

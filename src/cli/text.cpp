#include "cli/text.hpp"

#include <clocale>
#include <cwchar>

namespace certherd::cli {
namespace {

/// Makes the C library read text as UTF-8 on this thread, whatever the user's locale is.
class Utf8 {
 public:
  Utf8() : before_(uselocale(locale())) {}
  ~Utf8() { uselocale(before_); }
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;

 private:
  static locale_t locale() {
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8;
  }

  locale_t before_;
};

struct Character {
  std::size_t octets = 1;
  std::size_t columns = 1;
};

/// The first character of `text`, which must not be empty. What is no UTF-8 counts octet by octet.
Character first_of(std::string_view text) {
  wchar_t code = 0;
  std::mbstate_t state{};
  const std::size_t octets = std::mbrtowc(&code, text.data(), text.size(), &state);
  if (octets == 0 || octets > text.size()) return {};
  const int columns = wcwidth(code);
  return {.octets = octets, .columns = columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

void wrap_line(std::string_view line, std::size_t width, std::vector<std::string>& lines) {
  std::string current;
  while (true) {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    if (!current.empty() && display_width(current) + 1 + display_width(word) > width) {
      lines.push_back(std::move(current));
      current.clear();
    }
    if (!current.empty()) current += ' ';
    current += word;
    if (end == line.size()) break;
    line.remove_prefix(end + 1);
  }
  lines.push_back(std::move(current));
}

}  // namespace

std::size_t display_width(std::string_view text) {
  const Utf8 utf8;
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto character = first_of(text);
    columns += character.columns;
    text.remove_prefix(character.octets);
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  const Utf8 utf8;
  std::size_t columns = 1;  // the mark
  std::size_t end = 0;
  while (end < text.size()) {
    const auto character = first_of(text.substr(end));
    if (columns + character.columns > width) break;
    columns += character.columns;
    end += character.octets;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (true) {
    const auto end = std::min(text.find('\n'), text.size());
    wrap_line(text.substr(0, end), width, lines);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace certherd::cli

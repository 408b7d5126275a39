#include "dns/route53/txt_value.hpp"

#include <algorithm>
#include <utility>

#include "dns/route53/octal.hpp"

namespace certherd::dns::route53 {
namespace {

constexpr std::size_t longest_string = 255;  // RFC 1035 section 3.3

bool is_printable(char c) { return c >= ' ' && c <= '~'; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

void append_quoted(std::string& text, std::string_view octets) {
  text.push_back('"');
  for (const char c : octets) {
    if (!is_printable(c)) {
      append_octal(text, c);
      continue;
    }
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  text.push_back('"');
}

// Takes one quoted string from the front of the text. False: there is none.
bool take_quoted(std::string_view& text, std::string& octets) {
  if (!text.starts_with('"')) return false;
  text.remove_prefix(1);
  while (!text.empty()) {
    if (text.front() == '"') {
      text.remove_prefix(1);
      return true;
    }
    if (const auto octet = take_octal(text)) {
      octets.push_back(*octet);
      continue;
    }
    if (text.front() == '\\') text.remove_prefix(1);
    if (text.empty()) return false;
    octets.push_back(text.front());
    text.remove_prefix(1);
  }
  return false;
}

}  // namespace

std::string quote(const TxtValue& value) {
  std::string_view rest = value.text();
  std::string text;
  do {
    if (!text.empty()) text.push_back(' ');
    append_quoted(text, rest.substr(0, longest_string));
    rest.remove_prefix(std::min(rest.size(), longest_string));
  } while (!rest.empty());
  return text;
}

std::optional<TxtValue> unquote(std::string_view text) {
  std::string octets;
  do {
    if (!take_quoted(text, octets)) return std::nullopt;
    const auto before = text.size();
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    if (!text.empty() && text.size() == before) return std::nullopt;
  } while (!text.empty());
  return TxtValue(std::move(octets));
}

}  // namespace certherd::dns::route53

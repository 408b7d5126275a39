#include "dns/route53/octal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::dns::route53 {

void append_octal(std::string& text, char octet) {
  text += fmt::format("\\{:03o}", static_cast<unsigned char>(octet));
}

std::optional<char> take_octal(std::string_view& text) {
  constexpr std::size_t size = 4;
  if (text.size() < size || text.front() != '\\') return std::nullopt;
  const auto digits = text.substr(1, size - 1);
  const bool octal = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '7'; });
  if (!octal || digits.front() > '3') return std::nullopt;
  unsigned value = 0;
  for (const char digit : digits) value = value * 8 + static_cast<unsigned>(digit - '0');
  text.remove_prefix(size);
  return static_cast<char>(value);
}

}  // namespace certherd::dns::route53

#include "model/caa.hpp"

#include <fmt/format.h>

#include <iterator>

namespace certherd {

namespace {

/// RFC 1035 section 5.1.
std::string escaped(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  for (const char letter : text) {
    const auto octet = static_cast<unsigned char>(letter);
    if (octet < 0x20 || octet > 0x7E) {
      fmt::format_to(std::back_inserter(result), "\\{:03}", octet);
      continue;
    }
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter;
  }
  return result;
}

}  // namespace

std::string CaaProperty::text() const {
  return fmt::format("{} {} \"{}\"", flags, escaped(tag), escaped(value));
}

}  // namespace certherd

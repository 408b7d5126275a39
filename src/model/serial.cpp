#include "model/serial.hpp"

#include <string>

namespace certherd {

std::optional<Serial> parse_serial(std::string_view text) {
  constexpr std::size_t longest = 40;  // digits
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::string digits;
  bool after_digit = false;
  bool any = false;
  for (const char c : text) {
    if (c == ':') {
      if (!after_digit) return std::nullopt;
      after_digit = false;
      continue;
    }
    const bool upper = c >= 'A' && c <= 'F';
    if (!upper && !(c >= 'a' && c <= 'f') && !(c >= '0' && c <= '9')) return std::nullopt;
    any = true;
    after_digit = true;
    if (digits.empty() && c == '0') continue;
    digits += upper ? static_cast<char>(c - 'A' + 'a') : c;
    if (digits.size() > longest) return std::nullopt;
  }
  if (!any || !after_digit) return std::nullopt;
  // Whole octets, as those of a certificate are shown.
  if (digits.empty()) return Serial("00");
  if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
  return Serial(std::move(digits));
}

}  // namespace certherd

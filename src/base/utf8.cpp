#include "base/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace certherd {
namespace {

/// Octets of a character by its first one, and what the second may be (RFC 3629 section 4).
struct Form {
  std::size_t octets = 0;  ///< 0: no character begins like that
  unsigned char second_from = 0x80;
  unsigned char second_to = 0xbf;
};

Form form_of(unsigned char first) {
  if (first < 0x80) return {.octets = 1};
  if (first < 0xc2) return {.octets = 0};
  if (first < 0xe0) return {.octets = 2};
  if (first == 0xe0) return {.octets = 3, .second_from = 0xa0};
  if (first == 0xed) return {.octets = 3, .second_to = 0x9f};
  if (first < 0xf0) return {.octets = 3};
  if (first == 0xf0) return {.octets = 4, .second_from = 0x90};
  if (first < 0xf4) return {.octets = 4};
  if (first == 0xf4) return {.octets = 4, .second_to = 0x8f};
  return {.octets = 0};
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto form = form_of(static_cast<unsigned char>(text.front()));
    if (form.octets == 0 || form.octets > text.size()) return false;
    for (std::size_t i = 1; i < form.octets; ++i) {
      const auto octet = static_cast<unsigned char>(text[i]);
      const auto from = i == 1 ? form.second_from : 0x80;
      const auto to = i == 1 ? form.second_to : 0xbf;
      if (octet < from || octet > to) return false;
    }
    text.remove_prefix(form.octets);
  }
  return true;
}

std::string cleaned(std::string_view words) {
  std::string text(words);
  std::ranges::replace_if(
      text,
      [](char letter) { return static_cast<unsigned char>(letter) < 0x20U || letter == 0x7f; },
      ' ');
  if (text.size() <= longest_words) return text;
  std::size_t end = longest_words;
  // Not in the middle of a UTF-8 character: those bytes all begin with the bits 10.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text + "…";
}

}  // namespace certherd

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

/// The octets of the character with which a text begins; 0 when it is not UTF-8.
std::size_t first_character(std::string_view text) {
  const auto form = form_of(static_cast<unsigned char>(text.front()));
  if (form.octets == 0 || form.octets > text.size()) return 0;
  for (std::size_t i = 1; i < form.octets; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const auto from = i == 1 ? form.second_from : 0x80;
    const auto to = i == 1 ? form.second_to : 0xbf;
    if (octet < from || octet > to) return 0;
  }
  return form.octets;
}

/// C0, DEL and C1: terminals take those for commands.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = first_character(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string cleaned(std::string_view words) {
  std::string text;
  while (!words.empty()) {
    const auto size = first_character(words);
    const auto end = text.size();
    if (size == 0) {
      text += "\uFFFD";
    } else if (is_control(words.substr(0, size))) {
      text += ' ';
    } else {
      text += words.substr(0, size);
    }
    if (text.size() > longest_words) {
      text.resize(end);
      return text + "…";
    }
    words.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

}  // namespace certherd

#include "notify/smtp/message.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "crypto/encoding.hpp"

namespace certherd::notify::smtp {
namespace {

constexpr std::size_t longest_line = 76;  // RFC 2045 section 6.7, RFC 2047 section 2

bool is_printable(char letter) { return letter > 0x20 && letter < 0x7f; }

std::string_view domain_of(std::string_view address) {
  return address.substr(address.find('@') + 1);
}

/// How many octets the UTF-8 character at the beginning has.
std::size_t first_character(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return end;
}

/// RFC 2047: each word on a line of its own, none ends inside a character.
std::string encoded_words(std::string_view text) {
  constexpr std::string_view begin = "=?UTF-8?B?";
  constexpr std::size_t most = 42;  // octets, which make 56 of base64
  std::string words;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && end + first_character(text.substr(end)) <= most) {
      end += first_character(text.substr(end));
    }
    if (!words.empty()) words += "\r\n ";
    words += fmt::format("{}{}?=", begin, crypto::base64(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return words;
}

std::string header_text(std::string_view text) {
  const auto clean = cleaned(text);
  const bool plain =
      clean.size() < longest_line - std::string_view("Subject: ").size() &&
      std::ranges::all_of(clean, [](char letter) { return letter == ' ' || is_printable(letter); });
  return plain ? clean : encoded_words(clean);
}

/// RFC 2045 section 6.7. A line is never empty of meaning at its end, and a dot at its beginning
/// is libcurl's business.
std::string quoted_printable(std::string_view line) {
  std::string text;
  std::size_t room = longest_line - 1;  // a "=" may follow
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char letter = line[i];
    const bool as_it_is =
        (is_printable(letter) && letter != '=') || (letter == ' ' && i + 1 < line.size());
    const auto piece = as_it_is ? std::string(1, letter)
                                : fmt::format("={:02X}", static_cast<unsigned char>(letter));
    if (piece.size() > room) {
      text += "=\r\n";
      room = longest_line - 1;
    }
    text += piece;
    room -= piece.size();
  }
  return text;
}

std::string date_of(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

}  // namespace

bool is_address(std::string_view text) {
  constexpr std::size_t longest = 254;  // RFC 5321 section 4.5.3.1.3, less the angle brackets
  constexpr std::string_view harmful = "\"(),:;<>[]\\";
  const auto at = text.find('@');
  return text.size() <= longest && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         std::ranges::all_of(text, [harmful](char letter) {
           return is_printable(letter) && harmful.find(letter) == std::string_view::npos;
         });
}

std::string text_of(const Mail& mail) {
  std::string text = fmt::format(
      "Date: {}\r\nFrom: certherd <{}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
      date_of(mail.date), mail.from, fmt::join(mail.to, ",\r\n "), header_text(mail.subject),
      mail.id, domain_of(mail.from));
  std::string_view body = mail.body;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    text += quoted_printable(body.substr(0, end)) + "\r\n";
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return text;
}

}  // namespace certherd::notify::smtp

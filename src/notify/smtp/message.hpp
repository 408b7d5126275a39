#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace certherd::notify::smtp {

/// A mail before it is one.
struct Mail {
  std::string from;  ///< as is_address() takes it, and so are these:
  std::vector<std::string> to;
  std::string subject;  ///< UTF-8; what would begin another header becomes spaces
  std::string body;     ///< UTF-8, lines ending with \n
  std::string id;       ///< what stands before the @ of the Message-ID
  Time date{};
};

/// Whether this is a bare ASCII address that can do no harm in a header or a command:
/// "a@b.example", without a name, quotes or white space (a subset of RFC 5321 section 4.1.2).
bool is_address(std::string_view text);

/// As it is sent, in lines of at most 76 octets that end with CRLF (RFC 5322, RFC 2045 and 2047).
/// It says of itself that no person has written it (RFC 3834).
std::string text_of(const Mail& mail);

}  // namespace certherd::notify::smtp

#include "deploy/exec/answer.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include "deploy/command_words.hpp"
#include "model/serial.hpp"

namespace certherd::deploy {
namespace {

constexpr std::string_view blank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) + 1 - begin);
}

}  // namespace

Error::Kind kind_of_exit(int status) {
  switch (status) {
    case EX_DATAERR:
      return Error::Kind::rejected;
    case EX_CANTCREAT:
      return Error::Kind::conflict;
    case EX_TEMPFAIL:
      return Error::Kind::transient;
    case EX_NOPERM:
      return Error::Kind::denied;
    default:  // EX_CONFIG among them
      return Error::Kind::misconfigured;
  }
}

Result<std::string> read_serial(std::string_view output) {
  constexpr std::string_view label = "serial=";
  auto text = trimmed(output);
  if (text.starts_with(label)) text.remove_prefix(label.size());
  if (text.empty()) return std::string();
  const auto serial = parse_serial(text);
  if (!serial) {
    return fail(Error::Kind::misconfigured, "read the serial",
                fmt::format("it must print the serial in hex, or nothing, and printed: {}",
                            last_lines(output)));
  }
  return serial->text();
}

}  // namespace certherd::deploy

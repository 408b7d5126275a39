#include "app/serial_list.hpp"

#include <fmt/format.h>

#include "app/list_file.hpp"
#include "model/serial.hpp"

namespace certherd::app {

Result<std::set<Serial>> read_serials(std::string_view text) {
  constexpr ListWords words = {
      .op = "read the serials", .undone = "nothing was done", .form = "write one serial a line"};
  std::set<Serial> serials;
  auto read = read_list(text, words, [&serials](std::string_view line) -> Status {
    auto serial = parse_serial(line);
    if (!serial) {
      return fail(Error::Kind::misconfigured, "",
                  fmt::format("\"{}\" is no serial: write it in hex, as 03ab12", line));
    }
    serials.insert(std::move(*serial));
    return {};
  });
  if (!read) return fail(std::move(read.error()));
  return serials;
}

}  // namespace certherd::app

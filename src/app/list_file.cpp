#include "app/list_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::app {
namespace {

constexpr std::size_t reported_lines = 100;  // a wholly wrong file need not fill the terminal
constexpr std::string_view white_space = " \t\r";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view content_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const auto begin = line.find_first_not_of(white_space);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(white_space) - begin + 1);
}

}  // namespace

Status read_list(std::string_view text, const ListWords& words,
                 const std::function<Status(std::string_view)>& take) {
  if (text.size() > list_limit) {
    return fail(Error::Kind::misconfigured, std::string(words.op),
                "the list is longer than 64 MiB");
  }
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Error faults;
  std::size_t good = 0;
  std::size_t bad = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto content = content_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.empty()) continue;
    auto taken = take(content);
    if (taken) {
      ++good;
    } else if (++bad <= reported_lines) {
      faults.causes.push_back(std::move(taken.error()).during(fmt::format("line {}", number)));
    }
  }
  if (bad == 0 && good > 0) return {};
  faults.kind = Error::Kind::misconfigured;
  faults.op = words.op;
  faults.detail = bad == 0
                      ? fmt::format("the list is empty: {}", words.form)
                      : fmt::format("{} bad line{}; {}", bad, bad == 1 ? "" : "s", words.undone);
  return fail(std::move(faults));
}

}  // namespace certherd::app

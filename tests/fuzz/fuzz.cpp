#include "fuzz/fuzz.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/utf8.hpp"
#include "fleet/report.hpp"
#include "store/codec_error.hpp"

namespace certherd::fuzz {
namespace {

// An error is told with at most a hundred causes or subproblems.
constexpr std::size_t longest_line = std::size_t{1} << 20U;

std::string_view take_line(std::string_view* text) {
  const auto end = std::min(text->find('\n'), text->size());
  const auto line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return line;
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

}  // namespace

void expect(bool holds, std::string_view promise) {
  if (holds) return;
  fmt::print(stderr, "broken promise: {}\n", promise);
  std::abort();
}

void expect_told(const Error& error) {
  const auto line = error.message();
  expect(!line.empty(), "an error says something");
  expect(is_utf8(line), "an error is told in UTF-8");
  expect(std::ranges::none_of(line, is_control), "an error is told on one line");
  expect(line.size() <= longest_line, "an error is told in bounded length");
  boost::system::error_code bad;
  boost::json::parse(boost::json::serialize(fleet::to_json(error)), bad);
  expect(!bad, "an error is told in JSON");
  for (const auto& cause : error.causes) expect_told(cause);
  const auto kept = store::decode_error(store::encode_error(error));
  expect(kept && *kept == error, "the store gives back the error that it was given");
}

std::vector<std::string_view> parts_of(std::string_view input) {
  constexpr std::string_view between = "\n----\n";
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = input.find(between);
    parts.push_back(input.substr(0, end));
    if (end == std::string_view::npos) return parts;
    input.remove_prefix(end + between.size());
  }
}

http::Response response_of(std::string_view part) {
  http::Response response{.status = 200, .headers = {}, .body = {}};
  const auto first = take_line(&part);
  int status = 0;
  const auto read = std::from_chars(first.data(), first.data() + first.size(), status);
  if (read.ec == std::errc() && status >= 200 && status < 1000) response.status = status;
  while (!part.empty()) {
    const auto line = take_line(&part);
    if (line.empty()) break;
    const auto colon = std::min(line.find(':'), line.size());
    auto name = std::string(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    auto value = std::string(line.substr(std::min(colon + 1, line.size())));
    value.erase(0, std::min(value.find_first_not_of(' '), value.size()));
    // libcurl hands out no header with these.
    std::erase_if(value, [](char c) { return c == '\0' || c == '\r'; });
    response.headers.emplace_back(std::move(name), std::move(value));
  }
  response.body = part;
  return response;
}

CannedHttp::CannedHttp(std::string_view input) {
  for (const auto part : parts_of(input)) answers_.push_back(response_of(part));
}

Task<Result<http::Response>> CannedHttp::send(http::Request, Time) {
  if (answers_.empty()) co_return fail(Error::Kind::transient, "send", "nobody answers any more");
  auto answer = std::move(answers_.front());
  answers_.pop_front();
  co_return answer;
}

}  // namespace certherd::fuzz

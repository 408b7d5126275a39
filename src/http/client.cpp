#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace certherd::http {
namespace {

/// All of `text` as a number of digits alone.
std::optional<int> number(std::string_view text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || text.front() == '-' || read.ec != std::errc() || read.ptr != end) {
    return std::nullopt;
  }
  return value;
}

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};

}  // namespace

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const auto& [own, value] : headers) {
    if (own == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Response::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [own, value] : headers) {
    if (own == name) values.emplace_back(value);
  }
  return values;
}

std::optional<Time> retry_after(const Response& response, Time now) {
  // A number beyond int is as good as never; a century is that, too.
  constexpr auto longest = std::chrono::seconds(std::chrono::years(100));
  const auto value = response.header("retry-after");
  if (!value) return std::nullopt;
  const bool digits = !value->empty() && std::all_of(value->begin(), value->end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    const auto seconds = number(*value);
    return now + (seconds ? std::min(std::chrono::seconds(*seconds), longest) : longest);
  }
  const auto date = parse_http_date(*value);
  if (!date) return std::nullopt;
  // By the server's own clock, where it tells: ours may be wrong by any span.
  const auto sent = response.header("date");
  const auto server_now = sent ? parse_http_date(*sent) : std::nullopt;
  return now + std::clamp<Duration>(*date - server_now.value_or(now), Duration(0), longest);
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<Time> parse_http_date(std::string_view text) {
  constexpr std::string_view shape = "___, __ ___ ____ __:__:__ GMT";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != '_' && shape[i] != text[i]) return std::nullopt;
  }
  const auto weekday = std::find(weekdays.begin(), weekdays.end(), text.substr(0, 3));
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (weekday == weekdays.end() || month == months.end() || !day || !year || !hour || !minute ||
      !second) {
    return std::nullopt;
  }
  const auto month_number = static_cast<unsigned>(month - months.begin()) + 1;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(month_number),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  // 60 is a leap second.
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace certherd::http

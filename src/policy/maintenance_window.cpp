#include "policy/maintenance_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::minutes;

constexpr minutes day_length = 24h;
constexpr int week_days = 7;
constexpr minutes week_length = week_days * day_length;

constexpr std::array<std::string_view, week_days> day_names = {"mon", "tue", "wed", "thu",
                                                               "fri", "sat", "sun"};

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Takes what stands in front of the separator off the text; all of it where there is none.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

std::optional<int> parse_day(std::string_view text) {
  std::string small(trimmed(text));
  for (auto& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto* const found = std::ranges::find(day_names, small);
  if (found == day_names.end()) return std::nullopt;
  return static_cast<int>(found - day_names.begin());
}

/// "sat,sun", or "fri-mon"; nothing when it is not of that form.
std::optional<std::vector<int>> parse_days(std::string_view text) {
  std::vector<int> days;
  bool more = true;
  while (more) {
    more = text.contains(',');
    auto part = take(text, ',');
    const bool is_range = part.contains('-');
    const auto first = parse_day(take(part, '-'));
    const auto last = is_range ? parse_day(part) : first;
    if (!first || !last) return std::nullopt;
    for (int day = *first; true; day = (day + 1) % week_days) {
      days.push_back(day);
      if (day == *last) break;
    }
  }
  return days;
}

/// "02:00"; "24:00" is the end of a day.
std::optional<minutes> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [text](std::size_t place) { return text[place] - '0'; };
  for (const std::size_t place : {0U, 1U, 3U, 4U}) {
    if (digit(place) < 0 || digit(place) > 9) return std::nullopt;
  }
  if (digit(3) > 5) return std::nullopt;
  const minutes time =
      std::chrono::hours(digit(0) * 10 + digit(1)) + minutes(digit(3) * 10 + digit(4));
  if (time > day_length) return std::nullopt;
  return time;
}

}  // namespace

Result<Time> hold_end(std::string_view hold) {
  if (hold.empty()) return Time::min();
  if (hold == "yes") return Time::max();
  if (const auto moment = parse_time(hold)) return *moment;
  if (const auto day = parse_time(std::string(hold) + "T00:00:00Z")) return *day;
  return fail(Error::Kind::misconfigured, "",
              fmt::format("\"{}\" is neither yes nor the moment at which it ends, such as "
                          "2026-12-24 or 2026-12-24T12:00:00Z",
                          hold));
}

bool is_held(const Domain& domain, Time now) {
  return hold_end(domain.hold).value_or(Time::min()) > now;
}

Result<MaintenanceWindow> MaintenanceWindow::parse(std::string_view text) {
  MaintenanceWindow window;
  bool more = !trimmed(text).empty();
  while (more) {
    more = text.contains(';');
    const auto part = trimmed(take(text, ';'));
    const auto space = part.find_last_of(blanks);
    auto times = part.substr(space == std::string_view::npos ? 0 : space + 1);
    const auto days =
        parse_days(space == std::string_view::npos ? "mon-sun" : part.substr(0, space));
    const auto begin = parse_minute(take(times, '-'));
    const auto end = parse_minute(times);
    if (!days || !begin || !end || *begin == day_length) {
      return fail(
          Error::Kind::misconfigured, "",
          fmt::format("\"{}\" is no span of time: write the days and the times in UTC, such "
                      "as \"sat,sun 02:00-05:00\", or \"22:00-04:00\" for every day, and "
                      "a semicolon between several",
                      part));
    }
    if (*begin == *end) {
      return fail(Error::Kind::misconfigured, "",
                  fmt::format("\"{}\" ends when it begins: the whole day is 00:00-24:00", part));
    }
    for (const int day : *days) window.add(day, *begin, *end);
  }
  return window;
}

void MaintenanceWindow::add(int day, minutes begin, minutes end) {
  const minutes first = day * day_length + begin;
  const minutes last = (end < begin ? day + 1 : day) * day_length + end;
  spans_.push_back({.begin = first, .end = std::min(last, week_length)});
  if (last > week_length) spans_.push_back({.begin = 0min, .end = last - week_length});
}

Time MaintenanceWindow::next(Time time) const {
  if (spans_.empty()) return time;
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::days since_monday(std::chrono::weekday(day).iso_encoding() - 1);
  const Time monday = day - since_monday;
  const Duration place = time - monday;
  // At the latest in a week, by the span that was over when this one began.
  Duration wait = Duration::max();
  for (const auto& span : spans_) {
    if (span.begin <= place && place < span.end) return time;
    const Duration begin = span.begin > place ? span.begin : span.begin + week_length;
    wait = std::min(wait, begin - place);
  }
  return time + wait;
}

Time Opening::from(Time time) const {
  const Time begin = std::max(time, held_until_);
  if (begin == Time::max()) return begin;
  const Time opens = window_.next(begin);
  return opens <= latest_ ? opens : begin;
}

std::string Opening::words(Time time) const {
  const Time begin = from(time);
  if (begin <= time) return {};
  if (begin == Time::max()) return "a hold without an end";
  if (begin == held_until_) return fmt::format("a hold until {}", format_time(begin));
  return fmt::format("its maintenance window, which opens {}", format_time(begin));
}

}  // namespace certherd::policy

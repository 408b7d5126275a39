#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace certherd {
namespace {

using namespace std::chrono_literals;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes fixed-width fields off the front of a text; one miss makes all that follows fail.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) ok_ = false;
    for (std::size_t i = 0; ok_ && i < digits; ++i) {
      ok_ = is_digit(rest_[i]);
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return value;
  }

  char any_of(std::string_view characters) {
    if (!ok_ || rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      ok_ = false;
      return '\0';
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  /// A point and at least one digit, where there is a point.
  Duration fraction() {
    if (!ok_ || rest_.empty() || rest_.front() != '.') return 0us;
    rest_.remove_prefix(1);
    if (rest_.empty() || !is_digit(rest_.front())) ok_ = false;
    Duration value = 0us;
    Duration unit = 100ms;
    while (!rest_.empty() && is_digit(rest_.front())) {
      value += unit * (rest_.front() - '0');
      unit /= 10;
      rest_.remove_prefix(1);
    }
    return value;
  }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// RFC 3339 section 5.6, which also allows lower-case letters and a space for the T.
std::optional<Time> parse_time(std::string_view text) {
  Scanner scan(text);
  const std::chrono::year year(scan.number(4));
  scan.any_of("-");
  const std::chrono::month month(static_cast<unsigned>(scan.number(2)));
  scan.any_of("-");
  const std::chrono::day day(static_cast<unsigned>(scan.number(2)));
  scan.any_of("Tt ");
  const int hour = scan.number(2);
  scan.any_of(":");
  const int minute = scan.number(2);
  scan.any_of(":");
  const int second = scan.number(2);
  const Duration fraction = scan.fraction();

  std::chrono::minutes offset = 0min;
  const char zone = scan.any_of("Zz+-");
  if (zone == '+' || zone == '-') {
    const int hours = scan.number(2);
    scan.any_of(":");
    const int minutes = scan.number(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (zone == '-') offset = -offset;
  }
  if (!scan.ok() || !scan.at_end()) return std::nullopt;

  const std::chrono::year_month_day date(year, month, day);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto whole = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                     std::chrono::minutes(minute) + std::chrono::seconds(second) - offset;
  // A leap second only ever ends a UTC day; we count it as the first one of the next.
  if (second == 60 && whole != std::chrono::floor<std::chrono::days>(whole)) return std::nullopt;
  return Time(whole) + fraction;
}

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Duration>, 5> units = {{
      {"ms", 1ms},
      {"s", 1s},
      {"m", 1min},
      {"h", 1h},
      {"d", 24h},
  }};
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 0) return std::nullopt;

  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const auto& [name, unit] : units) {
    if (suffix != name) continue;
    if (count > Duration::max() / unit) return std::nullopt;
    return count * unit;
  }
  return std::nullopt;
}

std::string format_duration(Duration duration) {
  if (duration < 0us) {
    // The smallest value has no positive counterpart.
    return "-" + format_duration(-std::max(duration, -Duration::max()));
  }
  if (duration < 1s) return fmt::format("{}ms", duration / 1ms);
  if (duration < 1min) return fmt::format("{}s", duration / 1s);
  if (duration < 1h) return fmt::format("{}m{:02}s", duration / 1min, duration % 1min / 1s);
  // Two days are still worth telling in hours: "1d" could be nearly two.
  if (duration < 48h) return fmt::format("{}h{:02}m", duration / 1h, duration % 1h / 1min);
  return fmt::format("{}d", duration / 24h);
}

}  // namespace certherd

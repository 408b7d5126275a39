#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace certherd {

using Duration = std::chrono::microseconds;

/// Wall time in UTC, to the microsecond: what the store keeps and certificates speak of.
using Time = std::chrono::sys_time<Duration>;

/// RFC 3339 in UTC to the second, such as 2026-11-23T12:00:00Z.
std::string format_time(Time time);

/// Reads RFC 3339, with any offset and fraction (digits beyond microseconds are dropped).
/// Nothing when the text is not of that form or no such date exists.
std::optional<Time> parse_time(std::string_view text);

/// Reads "90s", "3m", "6h", "30d" or "250ms". Nothing when it is not of that form or negative.
std::optional<Duration> parse_duration(std::string_view text);

/// A span for people: "250ms", "12s", "3m05s", "6h12m", "61d".
std::string format_duration(Duration duration);

/// Microseconds since 1970, as the store keeps times.
constexpr std::int64_t to_micros(Time time) { return time.time_since_epoch().count(); }
constexpr Time from_micros(std::int64_t micros) { return Time(Duration(micros)); }

}  // namespace certherd

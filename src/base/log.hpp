#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace certherd::log {

enum class Level { debug, info, warning, error };

/// What is below `level` is dropped. Lines go to stderr. The default is `info`.
void set_level(Level level);
bool enabled(Level level);

/// A line for people, the default; or a JSON object with the members at, level, message, and domain
/// where the line begins with the one that it is about.
enum class Format { text, json };

void set_format(Format format);
Format format();

/// Writes one line; line breaks inside it are escaped, so that outside text cannot forge a line.
/// `domain` is the one that it is about, if that is known; the line names it all the same.
void write(Level level, std::string_view line, std::string_view domain = {});

/// The text with control characters spelled out: a terminal would act on them.
std::string escaped(std::string_view line);

/// Called around each line, so that a live progress line can step aside. Null takes it away.
void set_progress_guard(void (*before)(), void (*after)());

/// The domain that a line is about: its first argument, where that is one and the line begins so.
inline std::string_view domain_of(fmt::string_view /*format*/) { return {}; }
template <typename First, typename... Rest>
std::string_view domain_of(fmt::string_view format, const First& first, const Rest&... /*rest*/) {
  if constexpr (requires { First::names_a_domain; }) {
    if (std::string_view(format.data(), format.size()).starts_with("{}: ")) return first.text();
  }
  return {};
}

template <typename... Args>
void debug(fmt::format_string<const Args&...> format, const Args&... args) {
  if (!enabled(Level::debug)) return;
  write(Level::debug, fmt::format(format, args...), domain_of(format, args...));
}
template <typename... Args>
void info(fmt::format_string<const Args&...> format, const Args&... args) {
  if (!enabled(Level::info)) return;
  write(Level::info, fmt::format(format, args...), domain_of(format, args...));
}
template <typename... Args>
void warning(fmt::format_string<const Args&...> format, const Args&... args) {
  if (!enabled(Level::warning)) return;
  write(Level::warning, fmt::format(format, args...), domain_of(format, args...));
}
template <typename... Args>
void error(fmt::format_string<const Args&...> format, const Args&... args) {
  if (!enabled(Level::error)) return;
  write(Level::error, fmt::format(format, args...), domain_of(format, args...));
}

}  // namespace certherd::log

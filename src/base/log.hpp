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

/// Writes one line; line breaks inside it are escaped, so that outside text cannot forge a line.
void write(Level level, std::string_view line);

/// The text with control characters spelled out: a terminal would act on them.
std::string escaped(std::string_view line);

/// Called around each line, so that a live progress line can step aside. Null takes it away.
void set_progress_guard(void (*before)(), void (*after)());

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::warning)) {
    write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace certherd::log

#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace certherd::log {
namespace {

std::atomic<Level> threshold = Level::info;

/// Everything that a line needs while it is written.
struct Output {
  std::mutex mutex;
  void (*before)() = nullptr;
  void (*after)() = nullptr;
  spdlog::logger logger{"certherd", std::make_shared<spdlog::sinks::stderr_sink_st>()};

  Output() {
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%SZ %l %v", spdlog::pattern_time_type::utc));
  }
};

Output& output() {
  // Never destroyed: threads may still log while the program ends.
  static Output& instance = *new Output;
  return instance;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

}  // namespace

// C0 and C1; a line break, too, would let outside text forge a line.
std::string escaped(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto c = static_cast<unsigned char>(line[i]);
    const auto next = i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : '\0';
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\t') {
      text += "\\t";
    } else if (is_control(c)) {
      text += fmt::format("\\x{:02x}", c);
    } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {  // C1 in UTF-8
      text += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      text += line[i];
    }
  }
  return text;
}

void set_level(Level level) { threshold = level; }

bool enabled(Level level) { return level >= threshold.load(); }

void write(Level level, std::string_view line) {
  if (!enabled(level)) return;
  const std::string text = escaped(line);
  Output& out = output();
  const std::scoped_lock lock(out.mutex);
  if (out.before != nullptr) out.before();
  out.logger.log(spdlog_level(level), spdlog::string_view_t(text));
  if (out.after != nullptr) out.after();
}

void set_progress_guard(void (*before)(), void (*after)()) {
  Output& out = output();
  const std::scoped_lock lock(out.mutex);
  out.before = before;
  out.after = after;
}

}  // namespace certherd::log

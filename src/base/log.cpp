#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/utf8.hpp"

namespace certherd::log {
namespace {

std::atomic<Level> threshold = Level::info;

/// Everything that a line needs while it is written.
struct Output {
  std::mutex mutex;
  void (*before)() = nullptr;
  void (*after)() = nullptr;
  Format format = Format::text;
  spdlog::logger logger{"certherd", std::make_shared<spdlog::sinks::stderr_sink_st>()};

  Output() {
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
    write_as(Format::text);
  }

  void write_as(Format wanted) {
    format = wanted;
    const auto* const pattern = format == Format::json
                                    ? R"({"at":"%Y-%m-%dT%H:%M:%SZ","level":"%l",%v})"
                                    : "%Y-%m-%dT%H:%M:%SZ %l %v";
    logger.set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
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

/// Whether a control character of C1 stands there in UTF-8.
bool is_c1(std::string_view text) {
  const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0;
  return text.starts_with('\xc2') && second >= 0x80 && second < 0xa0;
}

/// The octets of the character with which a text begins; 0 when it is not UTF-8.
std::size_t first_character(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (is_utf8(text.substr(0, size))) return size;
  }
  return 0;
}

/// As a string of JSON (RFC 8259 section 7). What is not UTF-8 becomes U+FFFD; DEL and C1 are
/// spelled out, too, since a terminal would act on them.
std::string json_string(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    auto size = first_character(text);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += text.front();
    } else if (is_control(c)) {
      json += fmt::format("\\u{:04x}", c);
    } else if (is_c1(text)) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[1]));
    } else if (size == 0) {
      json += "\\ufffd";
      size = 1;
    } else {
      json += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return json + '"';
}

std::string json_members(std::string_view line, std::string_view domain) {
  auto members = "\"message\":" + json_string(line);
  if (!domain.empty()) members += ",\"domain\":" + json_string(domain);
  return members;
}

}  // namespace

// C0 and C1; a line break, too, would let outside text forge a line.
std::string escaped(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto c = static_cast<unsigned char>(line[i]);
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\t') {
      text += "\\t";
    } else if (is_control(c)) {
      text += fmt::format("\\x{:02x}", c);
    } else if (is_c1(line.substr(i))) {
      text += fmt::format("\\u{:04x}", static_cast<unsigned char>(line[++i]));
    } else {
      text += line[i];
    }
  }
  return text;
}

void set_level(Level level) { threshold = level; }

bool enabled(Level level) { return level >= threshold.load(); }

void set_format(Format format) {
  Output& out = output();
  const std::scoped_lock lock(out.mutex);
  out.write_as(format);
}

Format format() {
  Output& out = output();
  const std::scoped_lock lock(out.mutex);
  return out.format;
}

void write(Level level, std::string_view line, std::string_view domain) {
  if (!enabled(level)) return;
  Output& out = output();
  const std::scoped_lock lock(out.mutex);
  const auto text = out.format == Format::json ? json_members(line, domain) : escaped(line);
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

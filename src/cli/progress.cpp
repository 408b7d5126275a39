#include "cli/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "base/log.hpp"

namespace certherd::cli {
namespace {

using namespace std::chrono_literals;

// The one line of this terminal, so that log lines can step around it.
std::string& shown_line() {
  static std::string line;
  return line;
}

void wipe_line() { fmt::print(stderr, "\r\x1b[K"); }
void redraw_line() {
  fmt::print(stderr, "\r{}\x1b[K", shown_line());
  (void)std::fflush(stderr);
}

}  // namespace

std::string progress_text(const fleet::Progress& progress, Duration elapsed) {
  std::string text = fmt::format("{}/{} done", progress.finished, progress.total);
  const auto add = [&text](int count, std::string_view what) {
    if (count > 0) text += fmt::format(" · {} {}", count, what);
  };
  add(progress.issued, "issued");
  add(progress.stored, "stored");
  add(progress.installed, "installed");
  add(progress.served, "served");
  add(progress.current, "current");
  add(progress.deferred, "deferred");
  add(progress.failed, "failed");
  return text + " · " + format_duration(std::chrono::floor<std::chrono::seconds>(elapsed));
}

ProgressDisplay::ProgressDisplay(runtime::Clock& clock, ProgressText text, bool quiet)
    : clock_(clock),
      text_(std::move(text)),
      quiet_(quiet),
      live_(isatty(STDERR_FILENO) != 0 && log::format() == log::Format::text),
      started_(clock.now()) {
  if (live_ && !quiet_) log::set_progress_guard(&wipe_line, &redraw_line);
}

ProgressDisplay::~ProgressDisplay() {
  if (!live_ || quiet_) return;
  log::set_progress_guard(nullptr, nullptr);
  draw();
  fmt::print(stderr, "\n");
}

void ProgressDisplay::draw() {
  shown_line() = text_(clock_.now() - started_);
  redraw_line();
}

Task<void> ProgressDisplay::run() {
  while (!quiet_) {
    if (live_) {
      draw();
      co_await clock_.sleep_for(200ms);
    } else {
      co_await clock_.sleep_for(5s);
      log::info("{}", text_(clock_.now() - started_));
    }
  }
}

}  // namespace certherd::cli

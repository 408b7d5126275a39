#pragma once

#include <functional>
#include <string>

#include "fleet/executor.hpp"
#include "runtime/clock.hpp"

namespace certherd::cli {

/// "57/100 done · 60 issued · 60 stored · 58 installed · 57 served · 12s".
std::string progress_text(const fleet::Progress& progress, Duration elapsed);

/// How far the work is, for a person, `elapsed` after its start.
using ProgressText = std::function<std::string(Duration elapsed)>;

/// Shows how far long work is: a live line on a terminal, a log line every few seconds elsewhere.
/// Runs until it is cancelled.
class ProgressDisplay {
 public:
  ProgressDisplay(runtime::Clock& clock, ProgressText text, bool quiet);
  ~ProgressDisplay();

  Task<void> run();

 private:
  void draw();

  runtime::Clock& clock_;
  ProgressText text_;
  bool quiet_;
  bool live_;
  Time started_;
};

}  // namespace certherd::cli

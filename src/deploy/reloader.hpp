#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::deploy {

/// Runs a reload command once for all who ask for it together. Used on the loop only; stop()
/// before it ends.
class Reloader {
 public:
  struct Options {
    std::vector<std::string> command;
    Duration timeout;
    Duration gather;  ///< how long a reload waits for others who want one
  };
  Reloader(runtime::EventLoop& loop, Options options);

  /// The outcome of a reload that begins after this call: who asks while one runs gets the next.
  /// Errors: misconfigured (it cannot be started, or its exit status is not 0), deadline,
  /// transient (stopped).
  Task<Status> reload();

  /// Ends what runs; who still waits gets `transient`, and so does who asks later.
  Task<void> stop();

 private:
  struct Round {
    bool over = false;
    Status status;
  };

  Task<void> run_rounds();
  Task<Status> run_command();
  void finish(Round& round, Status status);

  runtime::EventLoop& loop_;
  Options options_;
  std::shared_ptr<Round> gathering_;  // shared with those who wait for it: they may be cancelled
  std::shared_ptr<Round> reloading_;
  bool running_ = false;
  bool stopped_ = false;
  runtime::Wakeup round_over_;
  runtime::TaskGroup tasks_;
};

}  // namespace certherd::deploy

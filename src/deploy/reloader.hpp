#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::deploy {

/// Runs a reload command once for all who ask for it together, and never while somebody changes
/// what it reads: a server that is told to reload opens a chain and its key one after the other.
/// Used on the loop only; stop() before it ends.
class Reloader {
 public:
  /// The right to change files; reloads wait until it is given back.
  class Change {
   public:
    explicit Change(Reloader& reloader);
    ~Change();
    Change(Change&& other) noexcept : reloader_(std::exchange(other.reloader_, nullptr)) {}
    Change& operator=(Change&&) = delete;

   private:
    Reloader* reloader_;
  };

  struct Options {
    std::vector<std::string> command;
    std::set<std::string> withheld;  ///< variables of our environment that it does not get
    Duration timeout;
    /// How long a reload waits at least for others who want one. Slow reloads wait longer: as
    /// long as the one before took, so that they never take up most of the time.
    Duration gather;
  };
  Reloader(runtime::EventLoop& loop, Options options);

  /// Waits while a reload is running or about to.
  Task<Change> begin_change();

  /// Ends the change and gives the outcome of a reload that begins afterwards. Errors:
  /// misconfigured (it cannot be started, or its exit status is not 0), deadline, transient
  /// (stopped).
  Task<Status> reload(Change change);

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
  bool closed_ = false;  ///< a reload is running or about to: no change may begin
  int changes_ = 0;      ///< under way
  Duration last_took_{};
  bool stopped_ = false;
  runtime::Wakeup round_over_;
  runtime::Wakeup opened_;
  runtime::Wakeup changes_over_;
  runtime::TaskGroup tasks_;
};

}  // namespace certherd::deploy

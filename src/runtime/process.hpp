#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

struct Command {
  std::vector<std::string> arguments;  ///< program (looked up in PATH) and its arguments; no shell
  std::map<std::string, std::string> environment;  ///< added to ours
  std::set<std::string> withheld = {};             ///< variables of ours that it does not get
  std::filesystem::path log_file;  ///< both outputs are appended here; empty: see run_command
  bool errors_apart = false;       ///< run_command gives standard error by itself
};

struct CommandResult {
  int exit_status = 0;  ///< 128 + signal when a signal ended it
  std::string output;   ///< the last 64 KiB of both outputs together, or of standard output alone
  std::string errors;   ///< those of standard error, where they are wanted apart
};

/// Runs a command to its end. Errors: misconfigured when it cannot be started, deadline when it
/// was still running at `deadline` (it is then killed). A non-zero exit status is no error.
Task<Result<CommandResult>> run_command(EventLoop* loop, Command command, Time deadline);

/// A server that runs beside us. Its process group is ended with this object, and by the kernel
/// when we die without a word (PR_SET_PDEATHSIG).
class Child {
 public:
  /// Errors: misconfigured when it cannot be started.
  static Result<std::unique_ptr<Child>> start(EventLoop& loop, const Command& command);
  virtual ~Child() = default;

  virtual pid_t pid() const = 0;

  /// The exit status once it has ended, as in CommandResult; nothing while it runs.
  virtual std::optional<int> exit_status() = 0;

  /// SIGTERM, then SIGKILL after `patience`; returns when it is gone.
  virtual Task<void> stop(Duration patience) = 0;
};

}  // namespace certherd::runtime

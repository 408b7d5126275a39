#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/process.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// A process that we started, at the head of a process group of its own. Its end leaves a zombie
/// behind until this object ends, so that neither number can meanwhile be anybody else's.
/// What run_command and Child are made of; not for other rooms.
class Subprocess {
 public:
  /// Starts it on the calling thread, with whose end the kernel kills it. Its outputs go to
  /// `output` and `errors` (borrowed, may be the same), its input is empty. Errors: misconfigured.
  static Result<std::unique_ptr<Subprocess>> start(const boost::asio::any_io_executor& executor,
                                                   const Command& command, int output, int errors);
  ~Subprocess();  ///< kills the group, unless it was let go
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }

  /// As in CommandResult; nothing while it runs.
  std::optional<int> exit_status() const;

  /// Returns when it has ended.
  Task<void> ended();

  void signal_group(int signal) const;

  /// What it left running may go on after this object.
  void let_group_live() { group_may_live_ = true; }

 private:
  Subprocess(pid_t pid, boost::asio::posix::stream_descriptor handle)
      : pid_(pid), handle_(std::move(handle)) {}

  pid_t pid_;
  boost::asio::posix::stream_descriptor handle_;  // a pidfd: readable once the process has ended
  bool group_may_live_ = false;
};

/// Opens the file to which outputs are appended, or what swallows them when `path` is empty.
/// Errors: misconfigured.
Result<Descriptor> open_output(const std::filesystem::path& path);

}  // namespace certherd::runtime

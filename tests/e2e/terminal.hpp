#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/folder.hpp"
#include "base/time.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::e2e {

/// A program on a terminal of its own, as a person sees it. Killed with this object.
class Terminal {
 public:
  struct Options {
    std::vector<std::string> arguments;  ///< the program, looked up in PATH, and its arguments
    std::filesystem::path folder;
    std::map<std::string, std::string> environment = {};
    unsigned short columns = 80;
  };

  Terminal(runtime::EventLoop& loop, const Options& options);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  pid_t pid() const { return pid_; }
  void type(std::string_view keys) const;

  /// Takes the terminal away, as a closed window does.
  void hang_up();

  /// All that was shown so far, line ends as "\n".
  std::string shown();

  /// Waits until `text` was shown; a failure of the test when that takes too long.
  void await(std::string_view text);

  /// Awaits the end; 128 + signal when a signal ended it. A failure of the test when it takes too
  /// long.
  int wait();

 private:
  void read();

  runtime::EventLoop& loop_;
  pid_t pid_ = -1;
  std::optional<Descriptor> terminal_;
  std::string shown_;
};

}  // namespace certherd::e2e

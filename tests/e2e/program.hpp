#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/temporary_folder.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/process.hpp"

namespace certherd::e2e {

/// The program under test.
std::filesystem::path program();

/// How the program is called.
struct Call {
  std::vector<std::string> arguments;
  std::filesystem::path folder;  ///< where it runs; empty: here
  std::map<std::string, std::string> environment = {};
  std::string input = {};             ///< what it reads from its standard input
  std::filesystem::path output = {};  ///< where its standard output goes instead
  std::filesystem::path errors = {};  ///< where its standard error goes instead
};

/// What a run of it came to.
struct Ended {
  int status = -1;  ///< 128 + signal when a signal ended it
  std::string out;
  std::string err;

  /// What stands on stdout; a failure of the test when that is not exactly one JSON document.
  boost::json::value json() const;
};

/// The program as a running process. Killed with this object.
class Program {
 public:
  Program(runtime::EventLoop& loop, const Call& call);

  pid_t pid() const { return child_->pid(); }
  bool running() { return !child_->exit_status(); }
  void send(int signal) const;
  /// What it has said on stderr so far.
  std::string errors() const;

  /// Awaits its end; a failure of the test when it takes longer than `within`.
  Ended wait(Duration within = std::chrono::minutes(2));

 private:
  runtime::EventLoop& loop_;
  fakes::TemporaryFolder streams_;
  std::unique_ptr<runtime::Child> child_;
};

/// Waits until `condition` holds, which is looked at every few milliseconds.
bool eventually(runtime::EventLoop& loop, Duration within, std::function<bool()> condition);

/// Command lines of the processes of this machine that have `text` in theirs.
std::vector<std::string> processes_with(std::string_view text);

/// The whole file; empty when there is none.
std::string content_of(const std::filesystem::path& file);

void write_file(const std::filesystem::path& file, std::string_view text);

}  // namespace certherd::e2e

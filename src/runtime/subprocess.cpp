#include "runtime/subprocess.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

namespace asio = boost::asio;

tl::unexpected<Error> cannot_start(const std::string& program, int error_number) {
  std::string why = std::strerror(error_number);
  if (error_number == ENOENT) why = "there is no such program";
  return fail(Error::Kind::misconfigured, "start " + program, std::move(why));
}

/// What execvpe wants: pointers into strings that live as long as this does.
class ArgumentBlock {
 public:
  explicit ArgumentBlock(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (auto& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }

  char* const* data() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    const bool passed_on = !command.environment.contains(name) && !command.withheld.contains(name);
    if (passed_on) merged.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) {
    std::string entry = name;
    entry.append("=").append(value);
    merged.push_back(std::move(entry));
  }
  return merged;
}

/// The child's way to exec. Between fork and exec only async-signal-safe calls are allowed: other
/// threads may have held any lock at the fork. Comes back only when exec failed.
void become(char* const* arguments, char* const* environment, pid_t parent, int input, int output,
            int errors) {
  if (setpgid(0, 0) != 0) return;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (getppid() != parent) _exit(127);  // the parent ended before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);  // exec keeps what is ignored
  if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
      dup2(errors, STDERR_FILENO) < 0) {
    return;
  }
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return;
  execvpe(arguments[0], arguments, environment);
}

int exit_status_of(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

}  // namespace

Result<Descriptor> open_output(const std::filesystem::path& path) {
  const auto& file = path.empty() ? std::filesystem::path("/dev/null") : path;
  Descriptor opened(open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (opened.get() >= 0) return opened;
  return fail(Error::Kind::misconfigured, "open " + file.string(), std::strerror(errno));
}

Result<std::unique_ptr<Subprocess>> Subprocess::start(const asio::any_io_executor& executor,
                                                      const Command& command, int output,
                                                      int errors) {
  if (command.arguments.empty()) {
    return fail(Error::Kind::misconfigured, "start a command", "the command is empty");
  }
  const std::string& program = command.arguments.front();
  ArgumentBlock arguments(command.arguments);
  ArgumentBlock environment(merged_environment(command));
  const Descriptor input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return cannot_start(program, errno);
  const Descriptor verdict(ends[0]);
  Descriptor telling(ends[1]);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    become(arguments.data(), environment.data(), parent, input.get(), output, errors);
    const int error_number = errno;
    [[maybe_unused]] const auto told = write(ends[1], &error_number, sizeof error_number);
    _exit(127);
  }
  if (pid < 0) return cannot_start(program, errno);

  // Exec closes the pipe without a word; until then this takes as long as a fork does.
  telling.close();
  int error_number = 0;
  while (read(verdict.get(), &error_number, sizeof error_number) < 0 && errno == EINTR) {
  }
  // Not by pidfd_open(): glibc 2.36 declares it without C linkage.
  const int handle = error_number == 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
  if (handle < 0) {
    if (error_number == 0) error_number = errno;
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return cannot_start(program, error_number);
  }
  asio::posix::stream_descriptor watched(executor, handle);
  return std::unique_ptr<Subprocess>(new Subprocess(pid, std::move(watched)));
}

Subprocess::~Subprocess() {
  if (!group_may_live_ || !exit_status()) signal_group(SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> Subprocess::exit_status() const {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    return std::nullopt;
  }
  if (info.si_pid == 0) return std::nullopt;
  return exit_status_of(info);
}

Task<void> Subprocess::ended() {
  co_await cancellation_point();
  co_await handle_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

void Subprocess::signal_group(int signal) const { kill(-pid_, signal); }

}  // namespace certherd::runtime

#include "terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "program.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;

constexpr Duration patience = 30s;

[[noreturn]] void become(const Terminal::Options& options) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  setenv("CERTHERD_CONFIG", "", 1);  // whatever the tester's shell has set
  setenv("TERM", "dumb", 1);         // no cursor movements in what is shown
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  arguments.reserve(options.arguments.size() + 1);
  for (const auto& argument : options.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

Terminal::Terminal(runtime::EventLoop& loop, const Options& options) : loop_(loop) {
  const winsize size{.ws_row = 24, .ws_col = options.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  pid_ = forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("there is no terminal to be had");
  if (pid_ == 0) become(options);
  terminal_.emplace(terminal);
  (void)fcntl(terminal, F_SETFL, O_NONBLOCK);
  (void)fcntl(terminal, F_SETFD, FD_CLOEXEC);
}

Terminal::~Terminal() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Terminal::type(std::string_view keys) const {
  EXPECT_EQ(write(terminal_->get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

void Terminal::hang_up() {
  read();
  terminal_.reset();
}

void Terminal::read() {
  if (!terminal_) return;
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t count = ::read(terminal_->get(), part.data(), part.size());
    if (count <= 0) return;  // nothing more for now, or EIO at the end
    for (const char c : std::string_view(part.data(), static_cast<std::size_t>(count))) {
      if (c != '\r') shown_ += c;
    }
  }
}

std::string Terminal::shown() {
  read();
  return shown_;
}

void Terminal::await(std::string_view text) {
  const bool came = eventually(loop_, patience, [this, text] {
    read();
    return shown_.find(text) != std::string::npos;
  });
  EXPECT_TRUE(came) << "no \"" << text << "\" in: " << shown_;
}

int Terminal::wait() {
  int status = 0;
  const bool over = eventually(loop_, patience, [this, &status] {
    read();
    return waitpid(pid_, &status, WNOHANG) == pid_;
  });
  read();
  EXPECT_TRUE(over) << "still running: " << shown_;
  if (!over) return -1;
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace certherd::e2e

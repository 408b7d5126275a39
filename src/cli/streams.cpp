#include "cli/streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

namespace certherd::cli {
namespace {

/// Why nothing more was written; 0 while it is.
int output_failure = 0;
int error_failure = 0;

// What stdio calls to write: it is told that all is well, since fmt would throw otherwise.
ssize_t write_or_drop(int descriptor, int& failure, const char* text, std::size_t size) {
  std::size_t done = 0;
  while (failure == 0 && done < size) {
    const ssize_t count = ::write(descriptor, text + done, size - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      failure = errno;
    }
  }
  return static_cast<ssize_t>(size);
}

ssize_t write_output(void* /*unused*/, const char* text, std::size_t size) {
  return write_or_drop(STDOUT_FILENO, output_failure, text, size);
}

ssize_t write_errors(void* /*unused*/, const char* text, std::size_t size) {
  return write_or_drop(STDERR_FILENO, error_failure, text, size);
}

FILE* guarded(cookie_write_function_t* write, int buffering) {
  FILE* const stream = fopencookie(nullptr, "w", {nullptr, write, nullptr, nullptr});
  if (stream == nullptr) throw std::system_error(errno, std::generic_category(), "open a stream");
  (void)std::setvbuf(stream, nullptr, buffering, BUFSIZ);
  return stream;
}

/// Opened for reading, so that a write to it fails as it would have.
void open_if_closed(int descriptor) {
  if (fcntl(descriptor, F_GETFD) >= 0) return;
  const int opened = ::open("/dev/null", O_RDONLY);
  if (opened >= 0 && opened != descriptor) {
    dup2(opened, descriptor);
    close(opened);
  }
}

}  // namespace

void guard_streams() {
  // A reader that goes away is told by write(), not by a signal that ends us half way.
  (void)std::signal(SIGPIPE, SIG_IGN);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    open_if_closed(descriptor);
  }
  stdout = guarded(&write_output, isatty(STDOUT_FILENO) != 0 ? _IOLBF : _IOFBF);
  stderr = guarded(&write_errors, _IONBF);
}

std::string close_output() {
  (void)std::fflush(stdout);
  if (output_failure == 0 || output_failure == EPIPE) return {};
  return std::generic_category().message(output_failure);
}

}  // namespace certherd::cli

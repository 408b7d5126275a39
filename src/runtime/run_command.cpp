#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

#include "runtime/process.hpp"
#include "runtime/subprocess.hpp"
#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

constexpr std::size_t kept_output = std::size_t{64} << 10U;

/// The last kept_output bytes of a stream.
class Tail {
 public:
  void add(std::string_view text) {
    text_ += text;
    // Cut only now and then: each cut moves the whole text.
    if (text_.size() > 2 * kept_output) cut();
  }

  std::string take() {
    cut();
    return std::move(text_);
  }

 private:
  void cut() {
    if (text_.size() > kept_output) text_.erase(0, text_.size() - kept_output);
  }

  std::string text_;
};

Task<void> read_on(stream_descriptor* pipe, Tail* tail) {
  std::array<char, 8192> buffer{};
  boost::system::error_code error;
  while (!error) {
    const std::size_t count = co_await pipe->async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    tail->add({buffer.data(), count});
  }
}

/// Takes what was written before the end, without waiting for the end of the stream: something
/// that the command left running may keep that open, and write for ever.
void read_rest(stream_descriptor& pipe, Tail& tail) {
  std::array<char, 8192> buffer{};
  boost::system::error_code error;
  for (std::size_t total = 0; total < 4 * kept_output;) {
    const std::size_t count = pipe.read_some(asio::buffer(buffer), error);
    if (error || count == 0) return;
    tail.add({buffer.data(), count});
    total += count;
  }
}

/// Gives the end to write to.
Result<Descriptor> open_pipe(stream_descriptor& reading) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Error::Kind::transient, "open a pipe", std::strerror(errno));
  }
  reading.assign(ends[0]);
  reading.non_blocking(true);
  return Descriptor(ends[1]);
}

/// Awaits the end of the process; kills its group when it is late or when we are cancelled.
Task<bool> ended_by(Clock* clock, Time deadline, Subprocess* process) {
  bool in_time = false;
  std::exception_ptr thrown;
  try {
    in_time = co_await finished_by(clock, deadline, process->ended());
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!in_time) {
    process->signal_group(SIGKILL);
    // A killed process ends at once, unless the kernel itself holds it.
    co_await shielded(clock, std::chrono::seconds(5), process->ended());
  }
  if (thrown) std::rethrow_exception(thrown);
  co_return in_time;
}

}  // namespace

Task<Result<CommandResult>> run_command(EventLoop* loop, Command command, Time deadline) {
  co_await cancellation_point();
  stream_descriptor reading(loop->context());
  Result<Descriptor> output =
      command.log_file.empty() ? open_pipe(reading) : open_output(command.log_file);
  if (!output) co_return fail(std::move(output.error()));
  auto process = Subprocess::start(loop->context().get_executor(), command, output->get());
  output->close();
  if (!process) co_return fail(std::move(process.error()));

  CommandResult result;
  Tail tail;
  TaskGroup reader(*loop);
  if (reading.is_open()) reader.spawn(read_on(&reading, &tail));
  bool in_time = false;
  std::exception_ptr thrown;
  try {
    in_time = co_await ended_by(&loop->clock(), deadline, process->get());
  } catch (...) {
    thrown = std::current_exception();
  }
  reader.cancel();
  co_await reader.join();
  if (thrown) std::rethrow_exception(thrown);
  if (!in_time) {
    co_return fail(Error::Kind::deadline, "run " + command.arguments.front(),
                   "it was still running and was killed");
  }
  (*process)->let_group_live();
  if (reading.is_open()) read_rest(reading, tail);
  result.exit_status = (*process)->exit_status().value_or(-1);
  result.output = tail.take();
  co_return result;
}

}  // namespace certherd::runtime

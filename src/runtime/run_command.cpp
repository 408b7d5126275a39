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

/// Our end of a pipe, and what came out of it.
struct Output {
  explicit Output(asio::io_context& context) : pipe(context) {}
  stream_descriptor pipe;
  Tail tail;
};

Task<void> read_on(Output* output) {
  if (!output->pipe.is_open()) co_return;
  std::array<char, 8192> buffer{};
  boost::system::error_code error;
  while (!error) {
    const std::size_t count = co_await output->pipe.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    output->tail.add({buffer.data(), count});
  }
}

/// Takes what was written before the end, without waiting for the end of the stream: something
/// that the command left running may keep that open, and write for ever.
std::string take_all(Output& output) {
  std::array<char, 8192> buffer{};
  boost::system::error_code error;
  for (std::size_t total = 0; output.pipe.is_open() && total < 4 * kept_output;) {
    const std::size_t count = output.pipe.read_some(asio::buffer(buffer), error);
    if (error || count == 0) break;
    output.tail.add({buffer.data(), count});
    total += count;
  }
  return output.tail.take();
}

/// Gives the end to write to.
Result<Descriptor> open_pipe(Output& output) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Error::Kind::transient, "open a pipe", std::strerror(errno));
  }
  output.pipe.assign(ends[0]);
  output.pipe.non_blocking(true);
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
  Output both(loop->context());  // or standard output alone
  Output apart(loop->context());
  auto output = command.log_file.empty() ? open_pipe(both) : open_output(command.log_file);
  if (!output) co_return fail(std::move(output.error()));
  auto errors = command.errors_apart ? open_pipe(apart) : Result<Descriptor>(Descriptor());
  if (!errors) co_return fail(std::move(errors.error()));
  auto process = Subprocess::start(loop->context().get_executor(), command, output->get(),
                                   command.errors_apart ? errors->get() : output->get());
  output->close();
  errors->close();
  if (!process) co_return fail(std::move(process.error()));

  CommandResult result;
  TaskGroup readers(*loop);
  readers.spawn(read_on(&both));
  readers.spawn(read_on(&apart));
  bool in_time = false;
  std::exception_ptr thrown;
  try {
    in_time = co_await ended_by(&loop->clock(), deadline, process->get());
  } catch (...) {
    thrown = std::current_exception();
  }
  readers.cancel();
  co_await readers.join();
  if (thrown) std::rethrow_exception(thrown);
  if (!in_time) {
    co_return fail(Error::Kind::deadline, "run " + command.arguments.front(),
                   "it was still running and was killed");
  }
  (*process)->let_group_live();
  result.exit_status = (*process)->exit_status().value_or(-1);
  result.output = take_all(both);
  result.errors = take_all(apart);
  co_return result;
}

}  // namespace certherd::runtime

#include <csignal>
#include <exception>
#include <utility>

#include "runtime/process.hpp"
#include "runtime/subprocess.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

class RunningChild final : public Child {
 public:
  RunningChild(Clock& clock, std::unique_ptr<Subprocess> process)
      : clock_(clock), process_(std::move(process)) {}

  pid_t pid() const override { return process_->pid(); }
  std::optional<int> exit_status() override { return process_->exit_status(); }

  Task<void> stop(Duration patience) override {
    if (process_->exit_status()) co_return;
    std::exception_ptr thrown;
    bool gone = false;
    process_->signal_group(SIGTERM);
    try {
      gone = co_await finished_by(&clock_, clock_.now() + patience, process_->ended());
    } catch (...) {
      thrown = std::current_exception();
    }
    if (!gone) {
      process_->signal_group(SIGKILL);
      co_await shielded(&clock_, std::chrono::seconds(5), process_->ended());
    }
    if (thrown) std::rethrow_exception(thrown);
  }

 private:
  Clock& clock_;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace

Result<std::unique_ptr<Child>> Child::start(EventLoop& loop, const Command& command) {
  auto output = open_output(command.log_file);
  if (!output) return fail(std::move(output.error()));
  auto process =
      Subprocess::start(loop.context().get_executor(), command, output->get(), output->get());
  if (!process) return fail(std::move(process.error()));
  return std::make_unique<RunningChild>(loop.clock(), std::move(*process));
}

}  // namespace certherd::runtime

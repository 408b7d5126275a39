#include "runtime/main_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>
#include <utility>

#include "runtime/root.hpp"

namespace certherd::runtime {

MainTask::MainTask(boost::asio::io_context& context, Task<void> task)
    : context_(context), end_(std::make_shared<End>()) {
  context_.restart();
  boost::asio::co_spawn(context_, as_root(std::move(task)),
                        [end = end_](std::exception_ptr thrown) {
                          end->done = true;
                          end->thrown = std::move(thrown);
                        });
}

void MainTask::finish() {
  context_.poll();
  if (end_->thrown) std::rethrow_exception(end_->thrown);
  if (!context_.stopped()) {
    throw std::logic_error("the main task is over, but other work still waits on the loop");
  }
}

}  // namespace certherd::runtime

#pragma once

#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>

#include "runtime/task.hpp"

namespace certherd::runtime {

/// The task for which a loop runs. Not for other rooms.
class MainTask {
 public:
  /// Starts `task` on a loop that may have run before.
  MainTask(boost::asio::io_context& context, Task<void> task);

  bool done() const { return end_->done; }

  /// After done(): lets finished work be put away, then rethrows what the task threw, else throws
  /// std::logic_error when something still waits on the loop.
  void finish();

 private:
  struct End {
    bool done = false;
    std::exception_ptr thrown;
  };

  boost::asio::io_context& context_;
  std::shared_ptr<End> end_;  // shared with the completion handler, which an early exit leaves
};

}  // namespace certherd::runtime

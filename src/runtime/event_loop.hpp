#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/clock.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// The one loop thread of a process: an io_context and its clock.
class EventLoop {
 public:
  virtual ~EventLoop() = default;

  virtual boost::asio::io_context& context() = 0;
  virtual Clock& clock() = 0;

  /// Runs the loop on the calling thread until `main` is over and gives its result; rethrows
  /// what it threw. Every task started meanwhile must have been joined by then: work that is
  /// left over throws std::logic_error. May be called again afterwards.
  virtual void run(Task<void> main) = 0;

  template <typename T>
  T run(Task<T> main) {
    std::optional<T> value;
    run(keep(std::move(main), &value));
    return std::move(*value);
  }

 private:
  template <typename T>
  static Task<void> keep(Task<T> task, std::optional<T>* value) {
    value->emplace(co_await std::move(task));
  }
};

/// The program's loop, on the system's clock.
std::unique_ptr<EventLoop> make_event_loop();

}  // namespace certherd::runtime

#pragma once

#include <utility>

#include "runtime/event_loop.hpp"
#include "runtime/wrong_clock.hpp"

namespace certherd::sim {

/// The loop of a world as the program has it, with a clock of its own.
class ProgramLoop final : public runtime::EventLoop {
 public:
  using runtime::EventLoop::run;

  explicit ProgramLoop(runtime::EventLoop& world) : world_(world), clock_(world.clock()) {}

  boost::asio::io_context& context() override { return world_.context(); }
  runtime::WrongClock& clock() override { return clock_; }
  void run(Task<void> main) override { world_.run(std::move(main)); }

 private:
  runtime::EventLoop& world_;
  runtime::WrongClock clock_;
};

}  // namespace certherd::sim

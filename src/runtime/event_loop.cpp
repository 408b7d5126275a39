#include "runtime/event_loop.hpp"

#include <utility>

#include "runtime/main_task.hpp"
#include "runtime/real_clock.hpp"

namespace certherd::runtime {
namespace {

class RealLoop final : public EventLoop {
 public:
  boost::asio::io_context& context() override { return context_; }
  Clock& clock() override { return clock_; }

  void run(Task<void> task) override {
    MainTask main(context_, std::move(task));
    while (!main.done()) context_.run_one();
    main.finish();
  }

 private:
  boost::asio::io_context context_{1};  // one thread runs it: a hint that spares wake-ups
  RealClock clock_{context_};
};

}  // namespace

std::unique_ptr<EventLoop> make_event_loop() { return std::make_unique<RealLoop>(); }

}  // namespace certherd::runtime

#include "runtime/virtual_loop.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "runtime/main_task.hpp"
#include "runtime/parking_lot.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Time start) : now_(start) {}

  Time now() const override { return now_; }

  Task<void> sleep_until(Time when) override {
    if (when <= now_) return cancellation_point();
    return alarms_.park(alarms_.ticket(when));
  }

  std::unique_ptr<Alarm> alarm_at(Time when, std::move_only_function<void()> ring) override {
    return alarms_.alarm(alarms_.ticket(when), std::move(ring));
  }

  void freeze(Duration duration) { now_ += duration; }

  /// Jumps to the earliest alarm and lets it go off; false when none is set.
  bool jump() {
    const auto next = alarms_.first();
    if (!next) return false;
    now_ = std::max(now_, next->first);
    alarms_.wake(*next);
    return true;
  }

 private:
  Time now_;
  ParkingLot alarms_;
};

class Loop final : public VirtualLoop {
 public:
  explicit Loop(Time start) : clock_(start) {}

  boost::asio::io_context& context() override { return context_; }
  Clock& clock() override { return clock_; }
  void freeze(Duration duration) override { clock_.freeze(duration); }

  void run(Task<void> task) override {
    MainTask main(context_, std::move(task));
    for (context_.poll(); !main.done(); context_.poll()) {
      if (!clock_.jump()) {
        throw std::logic_error("the main task waits, but nothing is left that could wake it");
      }
    }
    main.finish();
  }

 private:
  boost::asio::io_context context_;
  VirtualClock clock_;  // after the context: the coroutines it holds are destroyed through that
};

}  // namespace

std::unique_ptr<VirtualLoop> make_virtual_loop(Time start) { return std::make_unique<Loop>(start); }

}  // namespace certherd::runtime

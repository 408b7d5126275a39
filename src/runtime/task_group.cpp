#include "runtime/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <list>
#include <utility>

#include "runtime/parking_lot.hpp"
#include "runtime/root.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {

namespace asio = boost::asio;

struct TaskGroup::State {
  using Signals = std::list<asio::cancellation_signal>;

  explicit State(asio::io_context::executor_type on) : executor(std::move(on)) {}

  asio::io_context::executor_type executor;
  Signals running;  // one per task
  bool cancelled = false;
  std::exception_ptr defect;
  ParkingLot joining;
};

namespace {

// A task never runs inside spawn(): its spawner has not yet taken note of it then.
Task<void> begin_later(Task<void> task) {
  co_await asio::post(asio::use_awaitable);
  co_await cancellation_point();
  co_await std::move(task);
}

}  // namespace

TaskGroup::TaskGroup(EventLoop& loop)
    : state_(std::make_shared<State>(loop.context().get_executor())) {}

TaskGroup::~TaskGroup() {
  if (state_->running.empty()) return;
  std::fputs("defect: a task group was destroyed before its tasks were joined\n", stderr);
  std::terminate();
}

void TaskGroup::spawn(Task<void> task) {
  /// Takes the task off the list when it has ended, or was destroyed with the loop.
  class Member {
   public:
    explicit Member(std::shared_ptr<State> state)
        : state_(std::move(state)), at_(state_->running.emplace(state_->running.end())) {}
    Member(Member&&) noexcept = default;
    Member& operator=(Member&&) = delete;
    ~Member() { leave(); }

    asio::cancellation_signal& signal() { return *at_; }

    void operator()(const std::exception_ptr& thrown) {
      if (thrown && !is_cancellation(thrown) && !state_->defect) state_->defect = thrown;
      leave();
    }

   private:
    void leave() {
      const auto state = std::exchange(state_, nullptr);
      if (!state) return;
      state->running.erase(at_);
      if (state->running.empty()) state->joining.wake_all();
    }

    std::shared_ptr<State> state_;
    State::Signals::iterator at_;
  };

  Member member(state_);
  auto& signal = member.signal();
  asio::co_spawn(state_->executor, as_root(begin_later(std::move(task))),
                 asio::bind_cancellation_slot(signal.slot(), std::move(member)));
  if (state_->cancelled) signal.emit(asio::cancellation_type::terminal);
}

void TaskGroup::cancel() {
  state_->cancelled = true;
  for (auto& signal : state_->running) signal.emit(asio::cancellation_type::terminal);
}

Task<void> TaskGroup::join() {
  State* state = state_.get();  // not shared: the state holds this coroutine while it waits
  while (!state->running.empty()) {
    co_await state->joining.park_through(state->joining.ticket());
  }
  if (state->defect) std::rethrow_exception(std::exchange(state->defect, nullptr));
}

std::size_t TaskGroup::size() const { return state_->running.size(); }

}  // namespace certherd::runtime

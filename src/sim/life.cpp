#include "sim/life.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include "runtime/task_group.hpp"

namespace certherd::sim {

Life::Life(World& world, std::function<void()> begins, std::function<void()> killed)
    : world_(world),
      begins_(std::move(begins)),
      killed_by_(std::move(killed)),
      changed_(world.loop()) {
  for (auto* line : world_.lines()) {
    line->set_kill([this] {
      killed_ = true;
      changed_.notify_all();
    });
  }
}

Task<void> Life::live_until(Time when) {
  while (world_.now() < when && !ended_) {
    co_await live_once(when);
    if (!killed_) continue;
    if (killed_by_) killed_by_();
    constexpr std::uint64_t longest_pause = 300;
    const auto pause = world_.chance().uniform(1, longest_pause);
    co_await world_.loop().clock().sleep_for(std::chrono::seconds(pause));
  }
}

void Life::drain() {
  drained_ = true;
  if (process_ != nullptr) process_->drain();
}

void Life::end() {
  ended_ = true;
  drain();
}

Task<void> Life::live_once(Time until) {
  killed_ = false;
  drained_ = false;
  over_ = false;
  if (begins_) begins_();
  Process process(world_);
  process_ = &process;
  runtime::TaskGroup group(world_.loop());
  group.spawn(work(&process));
  while (!killed_ && !over_ && world_.now() < until) co_await changed_.wait_until(until);
  if (!killed_ && !over_) drain();
  while (!killed_ && !over_) co_await changed_.wait();
  process_ = nullptr;
  if (killed_) group.cancel();
  std::exception_ptr ended;
  try {
    co_await group.join();
  } catch (...) {
    ended = std::current_exception();  // nothing can be awaited in here
  }
  co_await process.stop();
  if (ended) std::rethrow_exception(ended);
  if (killed_) co_return;
  if (!status_) throw std::runtime_error("the service ended: " + status_.error().message());
  if (!drained_) throw std::runtime_error("the service ended by itself");
}

Task<void> Life::work(Process* process) {
  status_ = co_await process->run();
  over_ = true;
  changed_.notify_all();
}

}  // namespace certherd::sim

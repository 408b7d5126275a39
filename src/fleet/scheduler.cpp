#include "fleet/scheduler.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;

// Results come in swarms; the inventory is read once for all that come within it.
constexpr Duration shortest_pause = 1s;
// Reading the inventory of a large fleet may not take up more than this part of the time.
constexpr int pause_for_each_read = 10;
constexpr Duration pause_after_failure = 5s;

Executor::Options with_news(Executor::Options options, std::function<void()> finished) {
  options.serves = true;
  options.finished = std::move(finished);
  return options;
}

}  // namespace

Scheduler::Scheduler(Ports& ports, Options options)
    : ports_(ports),
      options_(std::move(options)),
      executor_(ports, with_news(options_.executor, [this] { look_again(); })),
      renewals_(ports, [this] { look_again(); }),
      observer_(ports, options_.observer),
      alarms_(*ports.store, options_.subscriptions, options_.alarms),
      changed_(*ports.loop) {}

Task<Status> Scheduler::run() {
  runtime::TaskGroup background(*ports_.loop);
  background.spawn(plan_again_and_again());
  background.spawn(renewals_.run());
  background.spawn(observer_.run());
  Status status;
  std::exception_ptr thrown;
  try {
    status = co_await executor_.run();
  } catch (...) {
    thrown = std::current_exception();  // nothing can be awaited in here
  }
  background.cancel();
  co_await background.join();
  if (thrown) std::rethrow_exception(thrown);
  co_return status;
}

Task<void> Scheduler::plan_again_and_again() {
  while (true) {
    look_again_ = false;
    const Time begin = now();
    const auto planned = co_await plan();
    const Duration took = now() - begin;
    if (planned) {
      if (options_.turned) options_.turned();
    } else {
      log::warning("{}", planned.error().message());
    }
    const Duration shortest = planned ? shortest_pause : pause_after_failure;
    co_await ports_.clock().sleep_for(std::max(shortest, took * pause_for_each_read));
    const Time latest = std::min(next_due_, now() + options_.longest_pause);
    while (!look_again_ && now() < latest) co_await changed_.wait_until(latest);
  }
}

Task<Status> Scheduler::plan() {
  auto rows = co_await ports_.store->domains();
  if (!rows) co_return fail(std::move(rows.error()).during("read the inventory"));
  renewals_.review(*rows);
  observer_.review(*rows);
  co_await review_alarms(&*rows);
  const auto domains =
      std::ranges::count_if(*rows, [](const auto& row) { return row.domain.enabled; });
  auto next = co_await executor_.admit_due(std::move(*rows));
  if (!next) co_return fail(std::move(next.error()));
  next_due_ = *next;
  if (!std::exchange(told_, true)) {
    log::info("keeping the certificates of {} domain{}", domains, domains == 1 ? "" : "s");
  }
  co_return Status{};
}

Task<void> Scheduler::review_alarms(const std::vector<store::DomainRow>* rows) {
  auto changed = co_await alarms_.review(rows, &observer_.seen(), unusable_cas(ports_), now());
  if (!changed) {
    log::warning("looking for alarms: {}", changed.error().message());
  } else if (*changed > 0 && options_.alarmed) {
    options_.alarmed();
  }
}

void Scheduler::look_again() {
  look_again_ = true;
  changed_.notify_all();
}

}  // namespace certherd::fleet

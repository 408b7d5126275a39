#include "fleet/scheduler.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;

// Results come in swarms; the inventory is read once for all that come within it.
constexpr Duration shortest_pause = 1s;
// Reading the inventory of a large fleet may not take up more than this part of the time.
constexpr int pause_for_each_read = 10;
constexpr Duration pause_after_failure = 5s;
// How often the account at a CA that cannot be used is asked for.
constexpr Duration open_cas_every = 1min;

Executor::Options with_news(Executor::Options options, std::function<void(DomainId)> finished) {
  options.serves = true;
  options.finished = std::move(finished);
  return options;
}

}  // namespace

Scheduler::Scheduler(Ports& ports, Options options)
    : ports_(ports),
      options_(std::move(options)),
      executor_(ports, with_news(options_.executor, [this](DomainId domain) { finished(domain); })),
      renewals_(ports, [this] { look_again(); }),
      observer_(ports, options_.observer),
      alarms_(*ports.store, options_.subscriptions, options_.alarms),
      changed_(*ports.loop) {}

Task<Status> Scheduler::run() {
  runtime::TaskGroup background(*ports_.loop);
  background.spawn(plan_again_and_again());
  background.spawn(renewals_.run());
  background.spawn(observer_.run());
  if (options_.open_ca) background.spawn(open_cas_again_and_again());
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
  if (options_.open_ca) {
    auto missing = missing_cas(*rows);
    co_await open_cas(std::move(missing));
  }
  renewals_.review(*rows);
  observer_.review(*rows, executor_.at_work());
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

std::vector<CaName> Scheduler::missing_cas(const std::vector<store::DomainRow>& rows) const {
  std::set<CaName> missing;
  for (const auto& row : rows) {
    if (!row.domain.enabled) continue;
    for (const auto& ca : cas_of(row.domain, ports_.defaults)) {
      if (!ports_.cas.contains(ca)) missing.insert(ca);
    }
  }
  return {missing.begin(), missing.end()};
}

Task<void> Scheduler::open_cas(std::vector<CaName> cas) {
  for (auto& ca : cas) co_await options_.open_ca(std::move(ca));
}

Task<void> Scheduler::open_cas_again_and_again() {
  while (true) {
    co_await ports_.clock().sleep_for(open_cas_every);
    std::vector<CaName> unusable;
    for (const auto& [ca, port] : ports_.cas) {
      if (port.unusable) unusable.push_back(ca);
    }
    if (unusable.empty()) continue;
    co_await open_cas(std::move(unusable));
    look_again();
  }
}

Task<void> Scheduler::review_alarms(const std::vector<store::DomainRow>* rows) {
  auto changed = co_await alarms_.review(rows, &observer_.seen(), unusable_cas(ports_), now());
  if (!changed) {
    log::warning("looking for alarms: {}", changed.error().message());
  } else if (*changed > 0 && options_.alarmed) {
    options_.alarmed();
  }
}

void Scheduler::finished(DomainId domain) {
  observer_.look_again(domain);
  look_again();
}

void Scheduler::look_again() {
  look_again_ = true;
  changed_.notify_all();
}

}  // namespace certherd::fleet

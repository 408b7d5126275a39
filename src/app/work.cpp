#include "app/work.hpp"

#include <algorithm>

#include "app/dead_requests.hpp"
#include "app/lease.hpp"
#include "app/process_identity.hpp"
#include "base/log.hpp"
#include "fleet/report.hpp"

namespace certherd::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration follow_every = 500ms;
// Looking for the results of a large fleet may not take up more than this part of the time.
constexpr int pause_for_each_look = 10;

}  // namespace

Work::Work(App& app) : app_(app), owner_(process_identity()) {}
Work::~Work() = default;

void Work::interrupt() {
  interrupted_ = true;
  if (executor_) executor_->drain();
}

fleet::Progress Work::progress() const {
  if (executor_) return executor_->progress();
  fleet::Progress progress;
  progress.total = total_;
  progress.finished = finished_;
  return progress;
}

Task<Result<std::vector<boost::json::object>>> Work::carry_out(std::vector<WorkRequest> requests) {
  auto& clock = app_.loop().clock();
  auto& store = app_.store();
  total_ = static_cast<int>(requests.size());
  batch_ = fmt::format("{}/{}", owner_, to_micros(clock.now()));
  for (auto& request : requests) {
    request.batch = batch_;
    request.owner = owner_;
    request.requested_at = clock.now();
  }
  if (auto submitted = co_await store.submit(std::move(requests)); !submitted) {
    co_return fail(std::move(submitted.error()));
  }

  std::string told;
  Status status;
  while (!interrupted_) {
    auto lease = co_await store.acquire_lease(owner_, lease_ttl, &is_dead);
    if (!lease) {
      status = fail(std::move(lease.error()));
      break;
    }
    if (lease->owner == owner_) {
      status = co_await execute();
      auto released = co_await store.release_lease(owner_);
      if (status && !released) status = std::move(released);
      break;
    }
    if (std::exchange(told, lease->owner) != lease->owner) {
      log::info("{} executes for this store: following it", describe_process(lease->owner));
    }
    const Time asked = clock.now();
    auto open = co_await results();
    if (!open) co_return open;
    if (finished_ == total_) co_return open;
    const Duration took = clock.now() - asked;
    co_await clock.sleep_for(std::max(follow_every, took * pause_for_each_look));
  }
  // What we no longer wait for must not surprise anybody later.
  auto withdrawn = co_await store.withdraw_requests(owner_);
  if (!status) co_return fail(std::move(status.error()));
  if (!withdrawn) co_return fail(std::move(withdrawn.error()));
  co_return co_await results();
}

Task<Status> Work::execute() {
  if (auto dropped = co_await drop_requests_of_the_dead(&app_.store()); !dropped) co_return dropped;
  if (auto started = co_await app_.start(); !started) {
    co_await app_.stop();
    co_return started;
  }
  fleet::Executor::Options options;
  options.owner = owner_;
  options.lease_ttl = lease_ttl;
  executor_ = std::make_unique<fleet::Executor>(app_.ports(), std::move(options));
  if (interrupted_) executor_->drain();
  auto status = co_await executor_->run();
  co_await app_.stop();
  co_return status;
}

Task<Result<std::vector<boost::json::object>>> Work::results() {
  auto rows = co_await app_.store().batch(batch_);
  if (!rows) co_return fail(std::move(rows.error()));
  std::vector<boost::json::object> results;
  for (const auto& row : *rows) {
    if (!row.done_at) continue;
    auto report = fleet::parse_report(row.result);
    if (!report) co_return fail(std::move(report.error()));
    results.push_back(std::move(*report));
  }
  finished_ = static_cast<int>(results.size());
  co_return results;
}

}  // namespace certherd::app

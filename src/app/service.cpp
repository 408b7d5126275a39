#include "app/service.hpp"

#include "app/dead_requests.hpp"
#include "app/inventory_feed.hpp"
#include "app/lease.hpp"
#include "app/notifiers.hpp"
#include "app/process_identity.hpp"
#include "base/log.hpp"
#include "notify/delivery.hpp"
#include "runtime/task_group.hpp"

namespace certherd::app {

Service::Service(runtime::EventLoop& loop, Config config)
    : loop_(loop), file_(config.file), next_(std::move(config)) {}

Service::~Service() = default;

void Service::drain() {
  draining_ = true;
  manager_.stopping();
  if (scheduler_ != nullptr) scheduler_->drain();
}

void Service::reload() {
  if (draining_) return;
  auto config = load_config(file_);
  if (!config) {
    log::error("the config is left as it was: {}", config.error().detail);
    for (const auto& cause : config.error().causes) log::error("{}", cause.message());
    return;
  }
  log::info("going over to the config as it is now");
  manager_.reloading();
  next_ = std::move(*config);
  if (scheduler_ != nullptr) scheduler_->drain();
}

Task<Status> Service::run() {
  Status status;
  while (next_ && status && !draining_) {
    auto config = std::move(*next_);
    next_.reset();
    ready_ = false;
    status = co_await run_with(std::move(config));
  }
  co_return status;
}

Task<Status> Service::run_with(Config config) {
  auto app = App::open(std::move(config), loop_);
  if (!app) co_return fail(std::move(app.error()));
  auto& store = (*app)->store();
  const auto owner = process_identity();
  auto lease = co_await store.acquire_lease(owner, lease_ttl, &is_dead);
  if (!lease) co_return fail(std::move(lease.error()));
  if (lease->owner != owner) {
    co_return fail(Error::Kind::conflict, "run",
                   fmt::format("{} executes for this store already: end it first",
                               describe_process(lease->owner)));
  }
  auto status = co_await execute(app->get());
  co_await (*app)->stop();
  auto released = co_await store.release_lease(owner);
  if (status && !released) status = std::move(released);
  co_return status;
}

Task<Status> Service::execute(App* app) {
  if (auto dropped = co_await drop_requests_of_the_dead(&app->store()); !dropped) {
    co_return dropped;
  }
  if (auto started = co_await app->start(); !started) co_return started;

  fleet::Scheduler::Options options;
  options.executor.owner = process_identity();
  options.executor.lease_ttl = lease_ttl;
  const auto& probe = app->config().probe;
  options.observer.every = probe.every;
  options.observer.timeout = probe.timeout;
  options.observer.warn_before = std::chrono::days(probe.warn_days);
  options.open_ca = [app](CaName ca) { return app->open_ca(std::move(ca)); };
  options.alarms.warn_before = options.observer.warn_before;
  const auto notifiers = open_notifiers(app->config(), loop_, app->offload());
  notify::Delivery delivery(loop_, app->store(), notifiers.by_name());
  options.subscriptions = notifiers.subscriptions;
  options.alarmed = [&delivery] { delivery.wake(); };
  options.turned = [this] {
    if (!std::exchange(ready_, true)) manager_.ready("keeping certificates");
    manager_.alive();
  };
  options.clock_was_set_back = [this, app] {
    if (!next_) next_ = app->config();
    scheduler_->drain();
  };
  fleet::Scheduler scheduler(app->ports(), std::move(options));
  scheduler_ = &scheduler;
  // Asked for while the systems outside were being opened.
  if (draining_ || next_) scheduler.drain();
  InventoryFeeds feeds(*app, [&scheduler] { scheduler.look_again(); });
  runtime::TaskGroup background(loop_);
  background.spawn(feeds.run());
  background.spawn(delivery.run());
  std::exception_ptr thrown;
  Status status;
  try {
    status = co_await scheduler.run();
  } catch (...) {
    thrown = std::current_exception();  // nothing can be awaited in here
  }
  background.cancel();
  co_await background.join();
  scheduler_ = nullptr;
  if (thrown) std::rethrow_exception(thrown);
  co_return status;
}

}  // namespace certherd::app

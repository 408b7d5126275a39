#include "app/lease.hpp"

#include <exception>

#include "app/process_identity.hpp"
#include "base/log.hpp"
#include "runtime/task_group.hpp"

namespace certherd::app {
namespace {

Task<void> keep_lease(App* app, std::string owner) {
  while (true) {
    co_await app->loop().clock().sleep_for(lease_ttl / 3);
    auto lease = co_await app->store().acquire_lease(owner, lease_ttl, nullptr);
    if (lease && lease->owner != owner) {
      log::warning("{} has begun to execute for this store", describe_process(lease->owner));
      co_return;
    }
  }
}

}  // namespace

Task<Status> alone(App* app, Task<void> work) {
  const auto owner = process_identity();
  auto lease = co_await app->store().acquire_lease(owner, lease_ttl, &is_dead);
  if (!lease) co_return fail(std::move(lease.error()));
  if (lease->owner != owner) {
    co_return fail(Error::Kind::conflict, "wait for the executor",
                   fmt::format("{} executes for this store, and what it has under way relies on "
                               "what this would change: run it again when that has ended",
                               describe_process(lease->owner)));
  }
  // It may have changed while another process had the lease.
  if (auto keys = app->reopen_seal_keys(); !keys) co_return keys;
  runtime::TaskGroup background(app->loop());
  background.spawn(keep_lease(app, owner));
  std::exception_ptr thrown;
  try {
    co_await std::move(work);
  } catch (...) {
    thrown = std::current_exception();  // nothing can be awaited in here
  }
  background.cancel();
  co_await background.join();
  if (thrown) std::rethrow_exception(thrown);
  auto released = co_await app->store().release_lease(owner);
  if (!released) log::warning("the lease is left to run out: {}", released.error().message());
  co_return Status{};
}

}  // namespace certherd::app

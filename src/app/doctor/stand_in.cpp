#include "app/doctor/stand_in.hpp"

#include <utility>

#include "app/lease.hpp"
#include "app/process_identity.hpp"
#include "base/log.hpp"

namespace certherd::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration look_every = 1s;

}  // namespace

StandIn::StandIn(App& app) : app_(app), owner_(process_identity()), keeper_(app.loop()) {}
StandIn::~StandIn() = default;

Task<Status> StandIn::begin(bool stays) {
  auto lease = co_await app_.store().acquire_lease(owner_, lease_ttl, &is_dead);
  if (!lease) co_return fail(std::move(lease.error()));
  if (lease->owner != owner_) {
    executor_ = describe_process(lease->owner);
    co_return Status();
  }
  holds_lease_ = true;
  started_ = true;
  if (auto started = co_await app_.start_dns(); !started) {
    co_await give_up();
    co_return started;
  }
  answers_ = true;
  keeper_.spawn(keep(stays));
  co_return Status();
}

Task<void> StandIn::keep(bool stays) {
  auto& clock = app_.loop().clock();
  Time prolonged = clock.now();
  while (true) {
    co_await clock.sleep_for(look_every);
    if (!stays && co_await wanted_by_others()) break;
    if (clock.now() < prolonged + lease_ttl / 3) continue;
    prolonged = clock.now();
    const auto lease = co_await app_.store().acquire_lease(owner_, lease_ttl, nullptr);
    if (!lease || lease->owner == owner_) continue;
    holds_lease_ = false;
    break;
  }
  log::info("another process works now: it answers for the responders from here on");
  answers_ = false;
  // Who was told to stay has work under way with what would go; end() puts it away.
  if (!stays) co_await give_up();
}

Task<bool> StandIn::wanted_by_others() {
  const auto requests = co_await app_.store().open_requests(0);
  co_return requests && !requests->empty();
}

Task<void> StandIn::give_up() {
  answers_ = false;
  co_await app_.stop_dns();
  started_ = false;
  // If this fails the lease runs out by itself, or is taken from a dead process.
  if (std::exchange(holds_lease_, false)) (void)co_await app_.store().release_lease(owner_);
}

Task<void> StandIn::end() {
  keeper_.cancel();
  co_await keeper_.join();
  if (started_ || holds_lease_) co_await give_up();
}

}  // namespace certherd::app

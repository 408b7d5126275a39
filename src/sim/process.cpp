#include "sim/process.hpp"

#include <functional>
#include <utility>

#include "dns/change_batcher.hpp"
#include "fleet/order_search.hpp"
#include "fleet/scheduler.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;

const std::string owner = "simulation";

// What happens every few seconds in the program would make the virtual years long; nothing of it
// does anything where no other process is.
constexpr Duration seldom = 6h;

fleet::Scheduler::Options options(const Scenario& scenario) {
  fleet::Scheduler::Options options;
  options.executor.owner = owner;
  options.executor.request_poll = seldom;
  options.executor.lease_ttl = 24h;
  options.executor.sweep_every = seldom;
  options.executor.running = std::max(256, scenario.max_in_flight);
  options.observer.every = scenario.probe_every;
  options.alarms.read_anew = 24h;
  options.longest_pause = seldom;
  options.look_at_clock_every = 1h;
  // A kill loses what is not kept, and it is asked again.
  options.renewals.keep_every = 24h;
  return options;
}

dns::ChangeBatcher::Options batching(const World& world) {
  dns::ChangeBatcher::Options options;
  options.dns = world.dns_name();
  options.gather = 1s;
  return options;
}

}  // namespace

struct Process::Parts {
  Parts(World& world, std::function<void()> clock_was_set_back)
      : batcher(world.program_loop(), world.provider(), world.store(), batching(world)),
        search(world.program_loop(), *world.ports().cas.begin()->second.client, world.store()) {
    world.ports().dns[world.dns_name()] = {.provider = &world.provider(), .batcher = &batcher};
    world.ports().cas.begin()->second.order_search = &search;
    auto chosen = options(world.scenario());
    chosen.clock_was_set_back = std::move(clock_was_set_back);
    scheduler = std::make_unique<fleet::Scheduler>(world.ports(), std::move(chosen));
  }

  dns::ChangeBatcher batcher;
  fleet::OrderSearch search;
  std::unique_ptr<fleet::Scheduler> scheduler;
};

Process::Process(World& world) : world_(world) { begin(); }
Process::~Process() = default;

void Process::begin() {
  parts_ = std::make_unique<Parts>(world_, [this] {
    begin_anew_ = true;
    parts_->scheduler->drain();
  });
}

Task<Status> Process::run() {
  auto lease = co_await world_.store().acquire_lease(owner, 24h, nullptr);
  if (!lease) co_return fail(std::move(lease.error()));
  while (true) {
    auto status = co_await parts_->scheduler->run();
    // As app::Service does.
    if (!status || draining_ || !std::exchange(begin_anew_, false)) co_return status;
    co_await parts_->batcher.stop();
    begin();
  }
}

Task<void> Process::stop() { return parts_->batcher.stop(); }

void Process::drain() {
  draining_ = true;
  parts_->scheduler->drain();
}

}  // namespace certherd::sim

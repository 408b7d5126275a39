#include "sim/mishaps.hpp"

#include <algorithm>

#include "runtime/together.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

}  // namespace

Duration Mishaps::between(Duration least, Duration most) {
  return Duration(static_cast<std::int64_t>(world_.chance().uniform(
      static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count()))));
}

Task<void> Mishaps::run() {
  std::vector<Task<void>> all;
  all.push_back(break_lines());
  all.push_back(break_sites());
  all.push_back(change_inventory());
  all.push_back(freeze());
  all.push_back(set_clock());
  co_await runtime::together(std::move(all));
}

Task<void> Mishaps::break_lines() {
  auto& clock = world_.loop().clock();
  while (true) {
    co_await clock.sleep_for(between(days(5), days(25)));
    const auto since = world_.now();
    const auto until = since + between(20min, 36h);
    const auto lines = world_.lines();
    const auto which = world_.chance().uniform(0, lines.size());
    if (which < lines.size()) {
      lines[which]->set_down_until(until);
    } else {
      world_.probe().be_blind_until(until);
    }
    outages_ += 1;
    co_await clock.sleep_until(until);
    promises_.note_outage(since);
  }
}

Task<void> Mishaps::break_sites() {
  auto& clock = world_.loop().clock();
  runtime::TaskGroup broken(world_.loop());
  std::exception_ptr ended;
  try {
    while (true) {
      // Of a hundred sites, one every four days or so.
      const auto often = Duration(days(400)) / static_cast<int>(world_.sites().size());
      co_await clock.sleep_for(between(often / 2, often * 3 / 2));
      const auto index = world_.chance().uniform(0, world_.sites().size() - 1);
      if (world_.sites()[index].broken) continue;
      const auto kinds = world_.scenario().delegated ? 2U : 3U;
      const auto kind = static_cast<Kind>(world_.chance().uniform(0, kinds));
      broken_sites_ += 1;
      broken.spawn(break_one(index, kind, between(1h, days(30))));
    }
  } catch (...) {
    ended = std::current_exception();  // nothing can be awaited in here
  }
  broken.cancel();
  co_await broken.join();
  std::rethrow_exception(ended);
}

Task<void> Mishaps::break_one(std::size_t index, Kind kind, Duration span) {
  auto& site = world_.sites()[index];
  const auto challenge = site.name.challenge_name();
  site.broken = true;
  switch (kind) {
    case Kind::lapsed:
      world_.sight().set_lost(challenge, true);
      break;
    case Kind::caa:
      world_.ca().refuse(site.name);
      break;
    case Kind::cname:
      world_.sight().lead(challenge, Fqdn::literal("challenge.cdn.test"));
      break;
    case Kind::moved:
      world_.move_zone(site);
      promises_.plant_again(index);
      break;
  }
  co_await world_.loop().clock().sleep_for(span);
  world_.sight().set_lost(challenge, false);
  world_.sight().lead(challenge, std::nullopt);
  world_.ca().pardon(site.name);
  if (kind == Kind::moved) {
    // Somebody tells the inventory.
    auto told =
        co_await change(index, [&site](Domain& domain) { domain.zone_id = ZoneId(site.zone); });
    while (!told) {
      co_await world_.loop().clock().sleep_for(1min);
      told =
          co_await change(index, [&site](Domain& domain) { domain.zone_id = ZoneId(site.zone); });
    }
  }
  site.broken = false;
  site.recovers_from = world_.now();
}

Task<Status> Mishaps::change(std::size_t index, std::function<void(Domain&)> edit) {
  auto row = co_await world_.store().domain(world_.sites()[index].name);
  if (!row) co_return fail(std::move(row.error()));
  store::InventoryChange change;
  change.changed.push_back(row->domain);
  edit(change.changed.back());
  co_return co_await world_.store().change_inventory(std::move(change));
}

Task<void> Mishaps::change_inventory() {
  auto& clock = world_.loop().clock();
  while (true) {
    co_await clock.sleep_for(between(days(3), days(12)));
    const auto index = world_.chance().uniform(0, world_.sites().size() - 1);
    auto& site = world_.sites()[index];
    if (site.broken) continue;
    changes_ += 1;
    promises_.expect_another(site);
    const auto what = world_.chance().uniform(0, 2);
    if (what == 0) {
      auto owned = co_await change(index, [](Domain& domain) { domain.owner += "+"; });
      if (!owned) changes_ -= 1;
    } else if (what == 1) {
      auto named = co_await change(index, [](Domain& domain) {
        if (domain.names.empty()) {
          domain.names = {Fqdn::literal("*." + domain.name.text())};
        } else {
          domain.names.clear();
        }
      });
      if (!named) changes_ -= 1;
    } else {
      // It leaves the inventory, and comes back after a while.
      auto row = co_await world_.store().domain(site.name);
      if (!row) continue;
      site.broken = true;
      store::InventoryChange leave;
      leave.removed.push_back(row->domain);
      auto left = co_await world_.store().change_inventory(std::move(leave));
      if (left) {
        co_await clock.sleep_for(between(1h, days(4)));
        auto domain = row->domain;
        domain.id = {};
        domain.revision = 0;
        std::vector<Domain> back = {std::move(domain)};
        auto added = co_await world_.store().add_domains(std::move(back), {});
        if (added) {
          auto again = co_await world_.store().domain(site.name);
          if (again) site.id = again->domain.id;
        }
      }
      promises_.expect_another(site);
      site.broken = false;
      site.recovers_from = world_.now();
    }
  }
}

Task<void> Mishaps::freeze() {
  auto& clock = world_.loop().clock();
  while (true) {
    co_await clock.sleep_for(between(days(20), days(60)));
    const auto since = world_.now();
    world_.loop().freeze(between(10min, days(3)));
    freezes_ += 1;
    promises_.note_outage(since);
  }
}

// It is set right after a while: set back where it was ahead.
Task<void> Mishaps::set_clock() {
  auto& clock = world_.program_loop().clock();
  while (true) {
    co_await world_.loop().clock().sleep_for(between(days(40), days(120)));
    const auto since = world_.now();
    const bool ahead = world_.chance().uniform(0, 2) > 0;
    // A CA dates its certificates an hour back, for clients whose clock is slow.
    clock.set_error(ahead ? between(10min, days(30)) : -between(2min, 50min));
    promises_.note_clock();
    wrong_clocks_ += 1;
    co_await world_.loop().clock().sleep_for(between(5min, 8h));
    clock.set_error({});
    promises_.note_clock();
    promises_.note_outage(since);
  }
}

}  // namespace certherd::sim

// The program's clock is ahead for some hours, and is then set back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/task_group.hpp"
#include "sim/life.hpp"
#include "sim/world.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::Contains;
using testing::HasSubstr;

Scenario scenario() {
  auto scenario = Scenario::named("first-import").value();
  scenario.domains = 2;
  return scenario;
}

/// Somebody sets the clock, sets it right, and gives the last domain another name.
Task<void> set_clock_and_change(World* world) {
  auto& time = world->loop().clock();
  co_await time.sleep_for(2h);
  world->program_loop().clock().set_error(days(20));
  co_await time.sleep_for(14h);  // for all that looks at it every few hours
  world->program_loop().clock().set_error({});
  co_await time.sleep_for(2h);
  auto row = co_await world->store().domain(world->sites().back().name);
  store::InventoryChange change;
  change.changed = {row->domain};
  change.changed.front().names = {Fqdn::literal("*." + row->domain.name.text())};
  (void)co_await world->store().change_inventory(std::move(change));
}

Task<void> live(World* world, Life* life, Duration span) {
  co_await world->found();
  runtime::TaskGroup outside(world->loop());
  outside.spawn(set_clock_and_change(world));
  co_await life->live_until(world->now() + span);
  outside.cancel();
  co_await outside.join();
}

TEST(WrongClock, HoldsUpNothingOnceItIsSetBack) {
  World world(scenario());
  int processes = 0;
  Life life(world, [&processes] { processes += 1; }, nullptr);
  world.loop().run(live(&world, &life, 40h));
  EXPECT_EQ(processes, 1) << "it begins anew by itself";
  for (const auto& site : world.sites()) EXPECT_NE(world.target().leaf(site.name), nullptr);
  const auto& last = world.sites().back();
  ASSERT_NE(world.target().leaf(last.name), nullptr);
  EXPECT_THAT(world.target().leaf(last.name)->names, Contains("*." + last.name.text()));
  EXPECT_EQ(world.ca().certificates_issued(), 3) << "none for the sake of the clock alone";
}

// The program looks once an hour here whether its clock was set back: this is over before.
Task<void> set_clock_for_a_while(World* world) {
  auto& time = world->loop().clock();
  co_await time.sleep_for(10s);  // no certificate has been issued yet
  world->program_loop().clock().set_error(days(30));
  co_await time.sleep_for(50min);
  world->program_loop().clock().set_error({});
}

Task<void> live_with_that(World* world, Life* life) {
  co_await world->found();
  runtime::TaskGroup outside(world->loop());
  outside.spawn(set_clock_for_a_while(world));
  co_await life->live_until(world->now() + 40h);
  outside.cancel();
  co_await outside.join();
}

TEST(WrongClock, BetweenTwoLooksAtItHoldsUpNothing) {
  World world(scenario());
  Life life(world, nullptr, nullptr);
  world.loop().run(live_with_that(&world, &life));
  for (const auto& site : world.sites()) EXPECT_NE(world.target().leaf(site.name), nullptr);
}

TEST(WrongClock, ThatIsFarAheadMakesNoCertificateLookOld) {
  World world(scenario());
  Life life(world, nullptr, nullptr);
  world.loop().run(world.found());
  world.loop().run(life.live_until(world.now() + 40h));
  ASSERT_EQ(world.ca().certificates_issued(), 2);
  world.program_loop().clock().set_error(days(70));
  world.loop().run(life.live_until(world.now() + days(3)));
  EXPECT_EQ(world.ca().certificates_issued(), 2) << "by the CA's clock they are new";
  auto row = world.loop().run(world.store().domain(world.sites().back().name));
  ASSERT_TRUE(row && row->domain.last_error);
  EXPECT_THAT(row->domain.last_error->message(), HasSubstr("the clock of this machine says "));
  EXPECT_THAT(row->domain.last_error->message(), HasSubstr(", 70d ahead of the CA's: "));
}

// By that clock each new certificate ends soon, so the limits of the CA are used up; and that they
// are is written down for a day that is far away.
TEST(WrongClock, ThatIsFarAheadKeepsNothingFromBeingRenewedWhenItIsRight) {
  World world(scenario());
  Life life(world, nullptr, nullptr);
  world.loop().run(world.found());
  world.program_loop().clock().set_error(days(85));
  world.loop().run(life.live_until(world.now() + 2h));
  world.program_loop().clock().set_error({});
  world.loop().run(life.live_until(world.now() + days(80)));
  for (const auto& site : world.sites()) {
    const auto* leaf = world.target().leaf(site.name);
    ASSERT_NE(leaf, nullptr);
    EXPECT_GT(leaf->not_after, world.now() + days(20)) << "it was renewed when it was due";
  }
}

}  // namespace
}  // namespace certherd::sim

// A domain whose hosted zone is another one than the inventory says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/life.hpp"
#include "sim/world.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class MovedZone : public testing::Test {
 protected:
  static Scenario scenario() {
    auto scenario = Scenario::named("first-import").value();
    scenario.store = Scenario::Keeping::sqlite;
    scenario.domains = 1;
    scenario.delegated = false;
    return scenario;
  }
  void live_for(Duration span) { world.loop().run(life.live_until(world.now() + span)); }
  Site& site() { return world.sites().front(); }
  Domain domain() { return world.loop().run(world.store().domain(site().name))->domain; }
  std::vector<TxtRecord> ledger() {
    return *world.loop().run(world.store().entries(world.dns_name()));
  }

  World world{scenario()};
  Life life{world, nullptr, nullptr};
};

TEST_F(MovedZone, IsTakenFromTheInventoryOnceThatSaysIt) {
  world.loop().run(world.found());
  world.move_zone(site());
  live_for(6h);
  EXPECT_EQ(world.target().leaf(site().name), nullptr);
  EXPECT_EQ(domain().last_error->kind, Error::Kind::not_found);

  store::InventoryChange change;
  change.changed = {domain()};
  change.changed.front().zone_id = ZoneId(site().zone);
  ASSERT_TRUE(world.loop().run(world.store().change_inventory(std::move(change))));
  live_for(12h);
  EXPECT_NE(world.target().leaf(site().name), nullptr)
      << "its issuance is not bound to the old one";
  EXPECT_THAT(ledger(), IsEmpty()) << "nor is what would have stood there";
}

TEST_F(MovedZone, TakesWhatStoodThereAlong) {
  world.loop().run(world.found());
  // It is killed when its value stands there, and its zone is gone when the next process comes.
  const auto strike = std::make_shared<Strike>();
  strike->kind = Strike::Kind::kills_after;
  constexpr int behind_the_change = 6;
  strike->at = behind_the_change;
  for (auto* line : world.lines()) line->set_strike(strike);
  live_for(20s);
  ASSERT_THAT(ledger(), SizeIs(testing::Ge(1U)));
  world.move_zone(site());
  live_for(2h);
  store::InventoryChange change;
  change.changed = {domain()};
  change.changed.front().zone_id = ZoneId(site().zone);
  ASSERT_TRUE(world.loop().run(world.store().change_inventory(std::move(change))));
  live_for(2 * 24h);
  EXPECT_THAT(ledger(), IsEmpty());
  EXPECT_NE(world.target().leaf(site().name), nullptr);
}

}  // namespace
}  // namespace certherd::sim

// Each path of the program, broken off at its first exchange with the outside, at its second, and
// so on until it passes untouched; each time the next run has to bring everything to its end.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>

#include "sim/life.hpp"
#include "sim/promises.hpp"
#include "sim/world.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::IsEmpty;
using Kind = Strike::Kind;

enum class Path { issue, renew, replace_recalled, change_names };

/// One domain, apex and wildcard, to which one thing happens.
class Swept {
 public:
  Swept(Path path, Kind kind, int at)
      : path_(path),
        world_(scenario(path)),
        promises_(world_),
        life_(world_, nullptr, [this] { promises_.note_kill(); }) {
    strike_->kind = kind;
    strike_->at = at;
  }

  /// Whether the strike came.
  bool run() {
    world_.loop().run(live());
    return strike_->struck();
  }

  World& world() { return world_; }
  const Promises& promises() const { return promises_; }
  std::vector<TxtRecord> ledger() {
    return *world_.loop().run(world_.store().entries(world_.dns_name()));
  }
  std::vector<Issuance> active() { return *world_.loop().run(world_.store().active_issuances()); }

 private:
  static Scenario scenario(Path path) {
    auto scenario = Scenario::named("steady").value();
    scenario.store = Scenario::Keeping::sqlite;
    scenario.domains = 1;
    scenario.wildcards = 1;
    scenario.delegated = false;
    scenario.established = path != Path::issue;
    return scenario;
  }

  Task<void> live() {
    co_await world_.found();
    promises_.plant_foreign_values();
    if (path_ == Path::renew) {
      // Its time comes while nobody is there.
      co_await world_.loop().clock().sleep_for(days(55));
    }
    if (path_ == Path::replace_recalled) world_.ca().recall(1, "https://ca.test/incident");
    if (path_ == Path::change_names) co_await leave_out_the_wildcard();
    for (auto* line : world_.lines()) {
      line->set_strike(strike_);
      line->set_drain([this] { life_.drain(); });
    }
    // A day holds every pause after a failure but the last.
    co_await life_.live_until(world_.now() + days(2));
    co_await promises_.look_at_the_end();
  }

  Task<void> leave_out_the_wildcard() {
    auto& site = world_.sites().front();
    auto row = co_await world_.store().domain(site.name);
    store::InventoryChange change;
    change.changed.push_back(row->domain);
    change.changed.back().names.clear();
    auto changed = co_await world_.store().change_inventory(std::move(change));
    EXPECT_TRUE(changed);
    promises_.expect_another(site);
  }

  Path path_;
  World world_;
  Promises promises_;
  Life life_;
  std::shared_ptr<Strike> strike_ = std::make_shared<Strike>();
};

class FaultSweep : public testing::TestWithParam<std::tuple<Path, Kind>> {};

TEST_P(FaultSweep, ReachesTheRightStateWhereverItIsStruck) {
  const auto [path, kind] = GetParam();
  constexpr int far_too_many = 500;
  int at = 1;
  for (; at < far_too_many; ++at) {
    Swept swept(path, kind, at);
    const bool struck = swept.run();
    const auto where = fmt::format("struck at exchange {}", at);
    EXPECT_THAT(swept.promises().broken(), IsEmpty()) << where;
    EXPECT_THAT(swept.active(), IsEmpty()) << where;
    EXPECT_THAT(swept.ledger(), IsEmpty()) << where;
    EXPECT_EQ(swept.world().route53().zones().txt_value_count(), 1U)
        << where << ": the foreign one";
    EXPECT_EQ(swept.world().ca().certificates_issued(), path == Path::issue ? 1 : 2) << where;
    const auto* leaf = swept.world().target().leaf(swept.world().sites().front().name);
    ASSERT_NE(leaf, nullptr) << where;
    EXPECT_EQ(leaf->names.size(), path == Path::change_names ? 1U : 2U) << where;
    if (!struck || HasFailure()) break;
  }
  EXPECT_GT(at, 15) << "there is more to an issuance";
  EXPECT_LT(at, far_too_many);
  std::cout << fmt::format("{} exchanges\n", at - 1);
}

std::string name_of(const testing::TestParamInfo<FaultSweep::ParamType>& info) {
  constexpr std::array paths = {"Issue", "Renew", "ReplaceRecalled", "ChangeNames"};
  constexpr std::array kinds = {"BrokenBefore", "BrokenAfter", "KilledBefore", "KilledAfter",
                                "Drained"};
  return fmt::format("{}{}", paths.at(static_cast<std::size_t>(std::get<0>(info.param))),
                     kinds.at(static_cast<std::size_t>(std::get<1>(info.param))));
}

INSTANTIATE_TEST_SUITE_P(
    Paths, FaultSweep,
    testing::Combine(testing::Values(Path::issue, Path::renew, Path::replace_recalled,
                                     Path::change_names),
                     testing::Values(Kind::breaks_before, Kind::breaks_after, Kind::kills_before,
                                     Kind::kills_after, Kind::drains)),
    name_of);

}  // namespace
}  // namespace certherd::sim

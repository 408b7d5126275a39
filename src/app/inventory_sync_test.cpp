#include "app/inventory_sync.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

store::DomainRow present(Columns columns) {
  store::DomainRow row;
  row.domain = *domain_of(columns);
  row.domain.id = DomainId{7};
  row.domain.revision = 3;
  return row;
}

std::vector<InventoryRow> file(std::string_view text) { return read_inventory(text)->rows; }

std::vector<std::string> told(const std::vector<ColumnChange>& columns) {
  std::vector<std::string> texts;
  for (const auto& [column, from, to] : columns) texts.push_back(column + ":" + from + ">" + to);
  return texts;
}

TEST(Sync, AddsChangesAndDisables) {
  const auto plan = plan_sync(
      {present({{"domain", "a.example"}, {"owner", "web"}, {"team", "7"}}),
       present({{"domain", "b.example"}, {"owner", "web"}}), present({{"domain", "c.example"}}),
       present({{"domain", "d.example"}, {"enabled", "no"}})},
      file("domain,owner\na.example,ops\nb.example,web\nnew.example,\n"), true);
  ASSERT_EQ(plan.added.size(), 1U);
  EXPECT_EQ(plan.added.front().name.text(), "new.example");
  ASSERT_EQ(plan.changed.size(), 1U);
  EXPECT_EQ(plan.changed.front().after.metadata.at("team"), "7");
  EXPECT_EQ(plan.changed.front().after.revision, 3);
  EXPECT_THAT(told(plan.changed.front().columns), ElementsAre("owner:web>ops"));
  ASSERT_EQ(plan.disabled.size(), 1U);
  EXPECT_EQ(plan.disabled.front().after.name.text(), "c.example");
  EXPECT_EQ(plan.unchanged, 2U);
  EXPECT_EQ(plan.touched(), 2U);

  const auto change = to_change(plan, Time{});
  EXPECT_EQ(change.added.size(), 1U);
  ASSERT_EQ(change.changed.size(), 2U);
  EXPECT_FALSE(change.changed.back().enabled);
  EXPECT_EQ(change.events.size(), 3U);
  EXPECT_EQ(change.events[1].detail.at("owner"), "web → ops");
}

TEST(Sync, WithoutPruneWhatIsMissingStays) {
  const auto plan =
      plan_sync({present({{"domain", "a.example"}})}, file("domain\nb.example\n"), false);
  EXPECT_THAT(plan.disabled, IsEmpty());
  EXPECT_EQ(plan.unchanged, 1U);
}

TEST(Sync, WithTheFileThatItCameFromNothingChanges) {
  const auto row = present({{"domain", "a.example"}, {"names", "b.example"}, {"team", "a, \"b\""}});
  EXPECT_TRUE(plan_sync({row}, file(write_csv({row.domain})), true).empty());
}

TEST(Sync, AColumnWithoutTextClears) {
  const auto plan = plan_sync({present({{"domain", "a.example"}, {"team", "7"}})},
                              file("domain,team\na.example,\n"), false);
  EXPECT_THAT(told(plan.changed.front().columns), ElementsAre("team:7>"));
}

TEST(Sync, TellsWhatStaysDisabled) {
  const auto row = present({{"domain", "a.example"}, {"enabled", "no"}});
  EXPECT_EQ(plan_sync({row}, file("domain\na.example\n"), true).stay_disabled.size(), 1U);
  const auto enabled = plan_sync({row}, file("domain,enabled\na.example,yes\n"), true);
  EXPECT_THAT(enabled.stay_disabled, IsEmpty());
  EXPECT_TRUE(enabled.changed.front().after.enabled);
}

TEST(Sync, ATenthMayBeTouchedAndOneInAnyCase) {
  const auto allowance = [](int domains) {
    SyncPlan plan;
    plan.before = static_cast<std::size_t>(domains);
    return plan.allowance();
  };
  EXPECT_EQ(allowance(0), 1U);
  EXPECT_EQ(allowance(5), 1U);
  EXPECT_EQ(allowance(19), 1U);
  EXPECT_EQ(allowance(20), 2U);
  EXPECT_EQ(allowance(100'000), 10'000U);
}

}  // namespace
}  // namespace certherd::app

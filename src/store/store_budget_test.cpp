#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using namespace std::chrono_literals;

const runtime::Allowance calls{.name = "calls/1", .per_second = 4, .burst = 1};
const runtime::Allowance others{.name = "calls/2", .per_second = 4, .burst = 1};

class BudgetStore : public StoreTest {
 protected:
  Duration wait_for(const runtime::Allowance& allowance, double units = 1) {
    const auto from = run(store->take(allowance, units));
    EXPECT_TRUE(from) << from.error().message();
    return *from - store.clock().now();
  }
};

TEST_F(BudgetStore, GivesOutEachUnitOnce) {
  EXPECT_EQ(wait_for(calls), 0ms);
  EXPECT_EQ(wait_for(calls), 250ms);
  EXPECT_EQ(wait_for(calls, 2), 750ms);
  EXPECT_EQ(wait_for(calls), 1000ms);
}

TEST_F(BudgetStore, KeepsAllowancesApart) {
  EXPECT_EQ(wait_for(calls), 0ms);
  EXPECT_EQ(wait_for(others), 0ms);
  EXPECT_EQ(wait_for(calls), 250ms);
}

}  // namespace
}  // namespace certherd::store

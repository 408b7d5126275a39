#include "policy/ca_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const CaName a("a");
const CaName b("b");
const CaName c("c");

TEST(CaChoice, GoesOverAfterSoManyFailuresAndComesRound) {
  EXPECT_THAT(cas_by_turn({a, b, c}, 0, 3), ElementsAre(a, b, c));
  EXPECT_THAT(cas_by_turn({a, b, c}, 2, 3), ElementsAre(a, b, c));
  EXPECT_THAT(cas_by_turn({a, b, c}, 3, 3), ElementsAre(b, c, a));
  EXPECT_THAT(cas_by_turn({a, b, c}, 8, 3), ElementsAre(c, a, b));
  EXPECT_THAT(cas_by_turn({a, b, c}, 9, 3), ElementsAre(a, b, c));
}

TEST(CaChoice, WithOneThereIsNoChoice) {
  EXPECT_THAT(cas_by_turn({a}, 17, 3), ElementsAre(a));
  EXPECT_THAT(cas_by_turn({}, 17, 3), IsEmpty());
}

}  // namespace
}  // namespace certherd::policy

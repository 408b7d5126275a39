#include "runtime/set_backs.hpp"

#include <gtest/gtest.h>

namespace certherd::runtime {
namespace {

using namespace std::chrono_literals;

const Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;

TEST(SetBacks, AreNoneAsLongAsTimeGoesOn) {
  SetBacks set_backs;
  for (const auto time : {noon, noon + 1s, noon + std::chrono::days(30)}) set_backs.note(time);
  EXPECT_EQ(set_backs.total(), 0s);
}

TEST(SetBacks, TellByHowMuch) {
  SetBacks set_backs;
  set_backs.note(noon + std::chrono::days(30));
  set_backs.note(noon);
  EXPECT_EQ(set_backs.total(), std::chrono::days(30));
  set_backs.note(noon + 1h);
  EXPECT_EQ(set_backs.total(), std::chrono::days(30)) << "it goes on from there";
  set_backs.note(noon);
  EXPECT_EQ(set_backs.total(), std::chrono::days(30) + 1h);
}

TEST(SetBacks, OfAMomentAreNone) {
  SetBacks set_backs;
  set_backs.note(noon);
  set_backs.note(noon - SetBacks::tolerated);
  EXPECT_EQ(set_backs.total(), 0s);
  set_backs.note(noon - SetBacks::tolerated - 1s);
  EXPECT_EQ(set_backs.total(), SetBacks::tolerated + 1s) << "also in several small steps";
}

}  // namespace
}  // namespace certherd::runtime

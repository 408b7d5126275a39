#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>

#include "end_to_end.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class TwoProcesses : public OnStage {
 protected:
  void SetUp() override {
    set_stage(
        {.domains = 8, .environment = {{"PEBBLE_VA_NOSLEEP", "0"}, {"PEBBLE_VA_SLEEPTIME", "2"}}});
    // One after another, so that the last ones are not begun when the second process comes.
    configure("max_in_flight = ", "max_in_flight = 2 # ");
    add_inventory();
    first_ = start({"--json", "run", "--once"});
    ASSERT_TRUE(eventually(loop(), 1min, [this] {
      return !read_pebble_log(pebble_log()).placed.empty();
    })) << first_->errors();
    second_ = start({"--json", "issue", "site-0008.fleet.test"});
    ASSERT_TRUE(eventually(loop(), 1min, [this] {
      return !second_->running() || second_->errors().find("following it") != std::string::npos;
    })) << second_->errors();
  }

  void expect_issued_by_second() {
    const auto ended = second_->wait();
    EXPECT_EQ(ended.status, 0) << ended.err;
    const auto document = ended.json();
    const auto& result = document.at("results").at(0);
    EXPECT_EQ(result.at("domain").as_string(), "site-0008.fleet.test");
    EXPECT_EQ(result.at("outcome").as_string(), "issued") << result;
    EXPECT_EQ(result.at("served"), true);
  }

  std::unique_ptr<Program> first_;
  std::unique_ptr<Program> second_;
};

TEST_F(TwoProcesses, TheSecondFollowsTheFirstToItsResult) {
  EXPECT_THAT(second_->errors(), HasSubstr(std::to_string(first_->pid())));
  expect_issued_by_second();
  const auto ended = first_->wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.json().at("summary").at("issued"), 8);
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 8U);
}

TEST_F(TwoProcesses, TheSecondTakesOverWhenTheFirstIsKilled) {
  first_->send(SIGKILL);
  (void)first_->wait();
  expect_issued_by_second();
  EXPECT_EQ(run({"run", "--once"}).status, 0);
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 8U);
}

TEST_F(TwoProcesses, TheSecondTakesOverWhenTheFirstIsInterrupted) {
  first_->send(SIGINT);
  const auto ended = first_->wait();
  EXPECT_EQ(ended.status, 130) << ended.err;
  expect_issued_by_second();
  EXPECT_EQ(run({"run", "--once"}).status, 0);
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 8U);
}

}  // namespace
}  // namespace certherd::e2e

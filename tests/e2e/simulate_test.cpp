// certherd simulate, as a person uses it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "cli/context.hpp"
#include "program.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class Simulate : public testing::Test {
 protected:
  Program start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "simulate");
    return {*loop_, {.arguments = std::move(arguments), .folder = folder_.path()}};
  }
  Ended run(std::vector<std::string> arguments) { return start(std::move(arguments)).wait(); }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  fakes::TemporaryFolder folder_;
};

TEST_F(Simulate, TheSameSeedGivesTheSameRun) {
  const std::vector<std::string> chaos = {"--scenario", "chaos", "--domains", "5",
                                          "--days",     "30",    "--json",    "--seed"};
  const auto log_of = [&](const std::string& seed) {
    auto arguments = chaos;
    arguments.push_back(seed);
    const auto ended = run(std::move(arguments));
    EXPECT_EQ(ended.status, cli::all_done) << ended.err;
    return ended.json().at("log_sha256").as_string();
  };
  EXPECT_EQ(log_of("1"), log_of("1"));
  EXPECT_NE(log_of("1"), log_of("2"));
}

TEST_F(Simulate, CtrlCTellsWhatCameOfItSoFar) {
  const auto log = folder_.path() / "events";
  auto program = start(
      {"--scenario", "first-import", "--domains", "200", "--days", "3650", "--log", log.string()});
  ASSERT_TRUE(eventually(*loop_, 1min, [&] { return !content_of(log).empty(); }))
      << program.errors();
  program.send(SIGINT);
  const auto ended = program.wait();
  EXPECT_EQ(ended.status, cli::interrupted);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("interrupted on day"), HasSubstr("certificates issued")));
}

TEST_F(Simulate, SaysWhichScenariosThereAre) {
  const auto ended = run({"--scenario", "doom"});
  EXPECT_NE(ended.status, cli::all_done);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("doom"), HasSubstr("mass-revocation")));
}

}  // namespace
}  // namespace certherd::e2e

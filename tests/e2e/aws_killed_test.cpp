#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>
#include <random>

#include "aws_stage.hpp"
#include "seed.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::SizeIs;

constexpr int zones = 4;
constexpr int domains = 12;
constexpr int kills = 10;
constexpr int killed = 128 + SIGKILL;

class KilledOnAws : public OnAwsStage {
 protected:
  void make_fleet() {
    std::vector<HostedZone> wanted;
    for (int i = 0; i < zones; ++i) wanted.push_back({.name = fmt::format("zone-{}.test", i)});
    const auto ids = make_zones(wanted);
    std::string inventory = "domain,names\n";
    for (int i = 0; i < domains; ++i) {
      inventory += fmt::format("site-{0}.zone-{1}.test,*.site-{0}.zone-{1}.test\n", i, i % zones);
    }
    for (int i = 0; i < zones; ++i) {
      const auto name = fmt::format("_acme-challenge.site-{0}.zone-{0}.test", i);
      foreign_[name] = {"\"of somebody else\""};
      put({{ids[static_cast<std::size_t>(i)], name, "TXT", {"\"of somebody else\""}}});
    }
    const auto added = run({"domain", "import", "-"}, inventory);
    ASSERT_EQ(added.status, 0) << added.err;
  }

  /// Whether there was something left to be killed.
  bool kill_a_run_after(Duration delay) {
    auto program = start({"issue", "--all"});
    loop().run(loop().clock().sleep_for(delay));
    const bool running = program->running();
    program->send(SIGKILL);
    const auto ended = program->wait();
    EXPECT_EQ(ended.status, running ? killed : 0) << ended.err;
    return running;
  }

  /// One set at least of each domain, whose parts fit, is AWSCURRENT or AWSPREVIOUS throughout.
  void expect_a_complete_set_each() {
    const auto held = secrets();
    EXPECT_THAT(held, SizeIs(domains));
    for (const auto& [name, secret] : held) {
      EXPECT_FALSE(secret.at("sets").as_object().empty()) << name << ": " << secret;
      EXPECT_TRUE(secret.at("faults").as_array().empty()) << name << ": " << secret;
      if (secret.at("current").is_null()) ++torn_;
    }
  }

  Texts foreign_;
  int torn_ = 0;
};

TEST_F(KilledOnAws, TenTimesEachDomainAlwaysHasACompleteSet) {
  set_aws_stage();
  make_fleet();
  ASSERT_FALSE(HasFailure());
  const auto first = run({"issue", "--all"});
  ASSERT_EQ(first.status, 0) << first.err;
  expect_a_complete_set_each();

  std::mt19937_64 random(seed_of_this_run());
  std::uniform_int_distribution<int> delay(50, 3000);
  for (int count = 0; count < kills && !HasFailure();) {
    if (kill_a_run_after(delay(random) * 1ms)) ++count;
    expect_a_complete_set_each();
  }
  fmt::print("{} domains were met between two sets\n", torn_);

  const auto last = run({"--json", "issue", "--all"});
  ASSERT_EQ(last.status, 0) << last.err;
  torn_ = 0;
  expect_a_complete_set_each();
  EXPECT_EQ(torn_, 0) << "their secrets are not AWSCURRENT in one version";
  // A write that was under way when its process was killed may come true after the next one has
  // looked: then a later one finds it in the ledger.
  for (int later = 0; later < 3 && texts() != foreign_; ++later) {
    const auto swept = run({"run", "--once"});
    ASSERT_EQ(swept.status, 0) << swept.err;
  }
  EXPECT_EQ(texts(), foreign_) << last.err;
}

TEST_F(KilledOnAws, WhatWasLeftInAZoneIsSweptAtTheNextStart) {
  set_aws_stage();
  ASSERT_FALSE(HasFailure());
  const auto ids = make_zones({{.name = "slow.test"}, {.name = "well.test"}});
  // One of its name servers is nobody, so that the value is written and then waited for.
  put({{ids[1], "here.well.test", "A", {"127.0.0.1"}},
       {ids[1], "nobody.well.test", "A", {"127.0.0.3"}},
       {ids[0], "slow.test", "NS", {"here.well.test", "nobody.well.test"}},
       {ids[0], "_acme-challenge.slow.test", "TXT", {"\"of somebody else\""}}});
  ASSERT_EQ(run({"domain", "add", "slow.test"}).status, 0);
  const Texts foreign = texts();

  auto program = start({"issue", "slow.test"});
  while (program->running() && texts() == foreign) {
  }
  program->send(SIGKILL);
  EXPECT_EQ(program->wait().status, killed);
  EXPECT_THAT(texts().at("_acme-challenge.slow.test"), SizeIs(2));

  // Retiring ends the issuance that waits, which is why nobody needs its value any more.
  const auto removed = run({"domain", "remove", "--retire", "slow.test"});
  EXPECT_EQ(removed.status, 0) << removed.err;
  EXPECT_EQ(texts(), foreign);
}

}  // namespace
}  // namespace certherd::e2e

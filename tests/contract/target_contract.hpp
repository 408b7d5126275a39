#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "deploy/target.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::contract {

/// A target under test with all that it lives on.
class TargetSetup {
 public:
  virtual ~TargetSetup() = default;
  virtual runtime::EventLoop& loop() = 0;
  virtual deploy::Target& target() = 0;
};

struct TargetCase {
  std::string name;
  std::function<std::unique_ptr<TargetSetup>()> make;
};

/// What every target promises. A program that includes this says which ones by
/// INSTANTIATE_TEST_SUITE_P(..., TargetContract, ...).
class TargetContract : public testing::TestWithParam<TargetCase> {
 protected:
  void TearDown() override { setup_->loop().run(target().stop()); }

  static Material material(const std::string& version) {
    return {"csr " + version, Secret<std::string>("key " + version), "chain " + version};
  }

  template <typename T>
  T run(Task<T> task) {
    return setup_->loop().run(std::move(task));
  }

  Result<deploy::Receipt> install(const std::string& domain, const std::string& version) {
    return run(target().install(Fqdn::literal(domain), material(version), version));
  }
  std::string observed(const std::string& domain) {
    const auto version = run(target().observe(Fqdn::literal(domain)));
    if (!version) return version.error().message();
    return *version ? (*version)->version_key : "none";
  }

  deploy::Target& target() { return setup_->target(); }

  std::unique_ptr<TargetSetup> setup_ = GetParam().make();
};

TEST_P(TargetContract, ObservesWhatWasInstalled) {
  EXPECT_EQ(observed("example.com"), "none");
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->outcome, Installed::installed);
  EXPECT_EQ(receipt->domain, Fqdn::literal("example.com"));
  EXPECT_EQ(receipt->version_key, "01");
  EXPECT_EQ(observed("example.com"), "01");
}

TEST_P(TargetContract, TheSameVersionAgainIsUnchanged) {
  ASSERT_TRUE(install("example.com", "01"));
  const auto again = install("example.com", "01");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::unchanged);
  EXPECT_EQ(again->version_key, "01");
}

TEST_P(TargetContract, ANewVersionTakesThePlaceOfTheOld) {
  ASSERT_TRUE(install("example.com", "01"));
  const auto second = install("example.com", "02");
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->outcome, Installed::installed);
  EXPECT_EQ(observed("example.com"), "02");
}

TEST_P(TargetContract, RefusesAnotherContentUnderTheSameVersion) {
  ASSERT_TRUE(install("example.com", "01"));
  const auto second = run(target().install(Fqdn::literal("example.com"), material("02"), "01"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::rejected);
  EXPECT_EQ(observed("example.com"), "01");
}

TEST_P(TargetContract, KeepsAWildcardApartFromItsParent) {
  ASSERT_TRUE(install("*.example.com", "01"));
  ASSERT_TRUE(install("example.com", "02"));
  EXPECT_EQ(observed("*.example.com"), "01");
  EXPECT_EQ(observed("example.com"), "02");
}

TEST_P(TargetContract, RetireTakesOffThatDomainOnly) {
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt);
  ASSERT_TRUE(install("example.net", "02"));

  EXPECT_TRUE(run(target().retire(*receipt)));
  EXPECT_EQ(observed("example.com"), "none");
  EXPECT_EQ(observed("example.net"), "02");
}

TEST_P(TargetContract, RetiringTwiceIsHarmless) {
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt);
  EXPECT_TRUE(run(target().retire(*receipt)));
  EXPECT_TRUE(run(target().retire(*receipt)));
}

TEST_P(TargetContract, RetiringAnEarlierReceiptLeavesTheNewerVersion) {
  const auto earlier = install("example.com", "01");
  ASSERT_TRUE(earlier);
  ASSERT_TRUE(install("example.com", "02"));
  EXPECT_TRUE(run(target().retire(*earlier)));
  EXPECT_EQ(observed("example.com"), "02");
}

TEST_P(TargetContract, CanBeInstalledAgainAfterRetiring) {
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt);
  ASSERT_TRUE(run(target().retire(*receipt)));
  const auto again = install("example.com", "01");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::installed);
  EXPECT_EQ(observed("example.com"), "01");
}

TEST_P(TargetContract, CheckChangesNothing) {
  EXPECT_TRUE(run(target().check()));
  EXPECT_EQ(observed("example.com"), "none");
}

}  // namespace certherd::contract

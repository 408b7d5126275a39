#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "deploy/target.hpp"
#include "fakes/issued_material.hpp"
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
  bool tells_versions = true;     ///< otherwise observe() says only whether something is there
  bool compares_contents = true;  ///< otherwise the same serial is the same version
};

/// What every target promises. A program that includes this says which ones by
/// INSTANTIATE_TEST_SUITE_P(..., TargetContract, ...).
class TargetContract : public testing::TestWithParam<TargetCase> {
 protected:
  std::unique_ptr<TargetSetup> setup_ = GetParam().make();

  void TearDown() override { setup_->loop().run(target().stop()); }

  /// A real certificate, whose serial is the version; the same one each time. Each begins at a time
  /// of its own, since some targets tell versions by that.
  const Material& material(const std::string& domain, const std::string& version) {
    auto& issued = issued_[{domain, version}];
    if (issued.fullchain.empty()) {
      const auto serial = std::stoull(version, nullptr, 16);
      issuer_.set_now(begin_ + std::chrono::seconds(serial));
      issued = issuer_.issue({domain}, serial);
    }
    return issued;
  }

  template <typename T>
  T run(Task<T> task) {
    return setup_->loop().run(std::move(task));
  }

  Result<deploy::Receipt> install(const std::string& domain, const std::string& version) {
    return run(target().install(Fqdn::literal(domain), material(domain, version), version));
  }
  std::string observed(const std::string& domain) {
    const auto version = run(target().observe(Fqdn::literal(domain)));
    if (!version) return version.error().message();
    return *version ? (*version)->version_key : "none";
  }

  /// What observed() gives for that version.
  std::string shown(const std::string& version) const {
    return GetParam().tells_versions ? version : std::string();
  }

  deploy::Target& target() { return setup_->target(); }

  const Time begin_ = std::chrono::floor<std::chrono::seconds>(setup_->loop().clock().now());
  fakes::Issuer issuer_{begin_};
  std::map<std::pair<std::string, std::string>, Material> issued_;
};

TEST_P(TargetContract, ObservesWhatWasInstalled) {
  EXPECT_EQ(observed("example.com"), "none");
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->outcome, Installed::installed);
  EXPECT_EQ(receipt->domain, Fqdn::literal("example.com"));
  EXPECT_EQ(receipt->version_key, "01");
  EXPECT_EQ(observed("example.com"), shown("01"));
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
  EXPECT_EQ(observed("example.com"), shown("02"));
}

TEST_P(TargetContract, NeverTakesAnotherContentUnderTheSameVersion) {
  ASSERT_TRUE(install("example.com", "01"));
  const auto second =
      run(target().install(Fqdn::literal("example.com"), material("example.com", "02"), "01"));
  if (GetParam().compares_contents) {
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Error::Kind::rejected);
  } else {
    ASSERT_TRUE(second);
    EXPECT_EQ(second->outcome, Installed::unchanged);
  }
  EXPECT_EQ(observed("example.com"), shown("01"));
}

TEST_P(TargetContract, KeepsAWildcardApartFromItsParent) {
  ASSERT_TRUE(install("*.example.com", "01"));
  ASSERT_TRUE(install("example.com", "02"));
  EXPECT_EQ(observed("*.example.com"), shown("01"));
  EXPECT_EQ(observed("example.com"), shown("02"));
}

TEST_P(TargetContract, RetireTakesOffThatDomainOnly) {
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt);
  ASSERT_TRUE(install("example.net", "02"));

  EXPECT_TRUE(run(target().retire(*receipt)));
  EXPECT_EQ(observed("example.com"), "none");
  EXPECT_EQ(observed("example.net"), shown("02"));
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
  // Who cannot tell versions apart takes off what is there.
  EXPECT_EQ(observed("example.com"), GetParam().tells_versions ? "02" : "none");
}

TEST_P(TargetContract, CleaningUpLeavesTheVersionThatIsServed) {
  ASSERT_TRUE(install("example.com", "01"));
  const auto second = install("example.com", "02");
  ASSERT_TRUE(second) << second.error().message();
  for (int i = 0; i < 2; ++i) {
    const auto cleaned = run(target().clean_up(*second));
    EXPECT_TRUE(cleaned) << cleaned.error().message();
    EXPECT_EQ(observed("example.com"), shown("02"));
  }
  const auto again = install("example.com", "02");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::unchanged);
}

TEST_P(TargetContract, CanBeInstalledAgainAfterRetiring) {
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt);
  ASSERT_TRUE(run(target().retire(*receipt)));
  const auto again = install("example.com", "01");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::installed);
  EXPECT_EQ(observed("example.com"), shown("01"));
}

TEST_P(TargetContract, CheckChangesNothing) {
  EXPECT_TRUE(run(target().check()));
  EXPECT_EQ(observed("example.com"), "none");
}

}  // namespace certherd::contract

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "runtime/event_loop.hpp"
#include "runtime/task_group.hpp"
#include "vault/vault.hpp"

namespace certherd::contract {

/// A vault under test with all that it lives on.
class VaultSetup {
 public:
  virtual ~VaultSetup() = default;
  virtual runtime::EventLoop& loop() = 0;
  virtual vault::Vault& vault() = 0;
};

struct VaultCase {
  std::string name;
  std::function<std::unique_ptr<VaultSetup>()> make;
};

/// What every vault promises. A program that includes this says which ones by
/// INSTANTIATE_TEST_SUITE_P(..., VaultContract, ...).
class VaultContract : public testing::TestWithParam<VaultCase> {
 protected:
  static Material material(const std::string& version) {
    // Some length, so that a version takes time to write.
    const std::string body(20'000, version.empty() ? '-' : version.back());
    return {"csr " + version + body, Secret<std::string>("key " + version + body),
            "chain " + version + body};
  }

  static vault::Version named(const std::string& version) {
    return {.key = version, .not_after = Time(std::chrono::days(20'000)), .owner = "web"};
  }

  /// Which version the material is of; "mixture" when its parts disagree.
  static std::string version_of(const Material& found, const std::string& expected_part) {
    const auto expected = material(expected_part);
    const bool same = found.csr == expected.csr && found.fullchain == expected.fullchain &&
                      found.private_key.reveal() == expected.private_key.reveal();
    return same ? expected_part : "mixture";
  }

  template <typename T>
  T run(Task<T> task) {
    return setup_->loop().run(std::move(task));
  }

  Result<VaultReferences> store(const std::string& domain, const std::string& version) {
    return run(vault().store(Fqdn::literal(domain), material(version), named(version)));
  }
  Result<Material> load(const std::string& domain) {
    return run(vault().load(Fqdn::literal(domain)));
  }
  std::string current(const std::string& domain) {
    const auto described = run(vault().describe(Fqdn::literal(domain)));
    if (!described) return described.error().message();
    return *described ? (*described)->version_key : "none";
  }

  vault::Vault& vault() { return setup_->vault(); }

  static Task<void> store_in_turn(vault::Vault* vault, bool* over) {
    for (int turn = 0; turn < 60; ++turn) {
      const auto version = std::to_string(turn % 9);
      auto content = material(version);
      auto stored =
          co_await vault->store(Fqdn::literal("example.com"), std::move(content), named(version));
      EXPECT_TRUE(stored) << stored.error().message();
    }
    *over = true;
  }

  static Task<void> load_until(vault::Vault* vault, const bool* over) {
    constexpr int most = 2000;  // a vault that never suspends would never let the writer go on
    for (int turn = 0; turn < most && !*over; ++turn) {
      const auto found = co_await vault->load(Fqdn::literal("example.com"));
      EXPECT_TRUE(found) << found.error().message();
      if (found) EXPECT_NE(version_of(*found, std::string(1, found->csr.at(4))), "mixture");
    }
  }

  static Task<void> store_and_load_together(runtime::EventLoop* loop, vault::Vault* vault) {
    runtime::TaskGroup tasks(*loop);
    bool over = false;
    tasks.spawn(store_in_turn(vault, &over));
    tasks.spawn(load_until(vault, &over));
    tasks.spawn(load_until(vault, &over));
    co_await tasks.join();
  }

  std::unique_ptr<VaultSetup> setup_ = GetParam().make();
};

TEST_P(VaultContract, LoadsWhatWasStored) {
  const auto references = store("example.com", "01");
  ASSERT_TRUE(references) << references.error().message();
  EXPECT_FALSE(references->csr.empty());
  EXPECT_FALSE(references->private_key.empty());
  EXPECT_FALSE(references->fullchain.empty());

  const auto found = load("example.com");
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(version_of(*found, "01"), "01");
}

TEST_P(VaultContract, DescribesTheCurrentVersion) {
  EXPECT_EQ(current("example.com"), "none");
  const auto references = store("example.com", "01");
  ASSERT_TRUE(references);

  const auto described = run(vault().describe(Fqdn::literal("example.com")));
  ASSERT_TRUE(described && *described);
  EXPECT_EQ((*described)->version_key, "01");
  EXPECT_EQ((*described)->references, *references);
}

TEST_P(VaultContract, KnowsNothingOfADomainThatWasNeverStored) {
  ASSERT_TRUE(store("example.com", "01"));
  const auto found = load("example.net");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, Error::Kind::not_found);
}

TEST_P(VaultContract, StoringTheSameVersionAgainChangesNothing) {
  const auto first = store("example.com", "01");
  const auto second = store("example.com", "01");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(current("example.com"), "01");
}

TEST_P(VaultContract, ANewVersionBecomesCurrent) {
  ASSERT_TRUE(store("example.com", "01"));
  ASSERT_TRUE(store("example.com", "02"));
  EXPECT_EQ(current("example.com"), "02");
  EXPECT_EQ(version_of(*load("example.com"), "02"), "02");
}

TEST_P(VaultContract, AnEarlierVersionCanBecomeCurrentAgain) {
  ASSERT_TRUE(store("example.com", "01"));
  ASSERT_TRUE(store("example.com", "02"));
  ASSERT_TRUE(store("example.com", "01"));
  EXPECT_EQ(current("example.com"), "01");
  EXPECT_EQ(version_of(*load("example.com"), "01"), "01");
}

TEST_P(VaultContract, RefusesAnotherContentUnderTheSameVersion) {
  ASSERT_TRUE(store("example.com", "01"));
  const auto second = run(vault().store(Fqdn::literal("example.com"), material("02"), named("01")));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::rejected);
  EXPECT_EQ(version_of(*load("example.com"), "01"), "01");
}

TEST_P(VaultContract, KeepsAWildcardApartFromItsParent) {
  ASSERT_TRUE(store("*.example.com", "01"));
  ASSERT_TRUE(store("example.com", "02"));
  EXPECT_EQ(version_of(*load("*.example.com"), "01"), "01");
  EXPECT_EQ(version_of(*load("example.com"), "02"), "02");
}

TEST_P(VaultContract, ReadersNeverSeeAMixtureOfVersions) {
  ASSERT_TRUE(store("example.com", "8"));
  setup_->loop().run(store_and_load_together(&setup_->loop(), &vault()));
}

TEST_P(VaultContract, CheckLeavesNothingBehind) {
  EXPECT_TRUE(run(vault().check()));
  EXPECT_EQ(current("example.com"), "none");
}

}  // namespace certherd::contract

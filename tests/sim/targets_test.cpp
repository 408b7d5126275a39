// Several targets for each domain, what is left there of earlier certificates, and the keys that
// all of them take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "crypto/x509.hpp"
#include "fleet_simulation.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = WorkRequest::Kind;

constexpr int domains = 8;
const TargetName edge("edge");
const TargetName second("second");

Error error_of(Error::Kind kind) {
  Error error;
  error.kind = kind;
  error.detail = "the second one is away";
  return error;
}

/// A fleet on two targets, of which the probe looks at the first.
class Targets : public testing::Test {
 protected:
  Targets() {
    fleet.use_fresh_keys();
    fleet.ports().targets[second] = &other;
    fleet.ports().defaults.targets = {edge, second};
  }

  std::set<std::string> keys() {
    std::set<std::string> found;
    for (int i = 0; i < domains; ++i) {
      found.insert(
          crypto::read_chain(fleet.target().served(fleet.name(i))->fullchain)->front().public_key);
    }
    return found;
  }

  FleetSimulation fleet{7, domains};
  sim::FakeTarget other;
};

TEST_F(Targets, EachIsInstalledOnByItself) {
  other.fail_next_install(error_of(Error::Kind::denied));
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.outcomes("issued"), domains - 1);
  EXPECT_EQ(fleet.outcomes("failed"), 1);
  EXPECT_EQ(fleet.target().installs(), domains);
  EXPECT_EQ(other.installs(), domains - 1);
  int missing = 0;
  for (const auto& row : fleet.domains()) {
    EXPECT_EQ(row.certificate->targets.at(edge), Installed::installed);
    if (row.certificate->targets.at(second) != Installed::failed) continue;
    ++missing;
    EXPECT_THAT(row.domain.last_error->message(), HasSubstr("install on second"));
  }
  EXPECT_EQ(missing, 1);

  // Later: the one that failed is tried again, and neither the CA nor the other target is asked.
  fleet.loop().run(fleet.loop().clock().sleep_for(10min));
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(other.installs(), domains);
  EXPECT_EQ(fleet.target().installs(), domains);
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
}

TEST_F(Targets, OneThatIsAwayForAMomentDoesNotMakeTheOthersInstallAgain) {
  for (int i = 0; i < 5; ++i) other.fail_next_install(error_of(Error::Kind::transient));
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.outcomes("issued"), domains);
  for (const auto& row : fleet.domains()) {
    // Asked again it would have said that nothing has changed.
    EXPECT_EQ(row.certificate->targets.at(edge), Installed::installed);
    EXPECT_EQ(row.certificate->targets.at(second), Installed::installed);
  }
}

TEST_F(Targets, WhatEarlierCertificatesLeftIsRemovedAfterTheProof) {
  fleet.do_for_all(Kind::issue);
  // Not seen served, so nothing of the former certificate may go.
  fleet.ports().defaults.prove_within = 20s;
  fleet.probe().be_blind_until(fleet.loop().clock().now() + 1h);
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.outcomes("failed"), domains);
  EXPECT_EQ(fleet.target().leftovers(), domains);
  EXPECT_EQ(other.leftovers(), domains);

  fleet.loop().run(fleet.loop().clock().sleep_for(2h));
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(fleet.outcomes("issued"), domains);
  EXPECT_EQ(fleet.target().leftovers(), 0);
  EXPECT_EQ(other.leftovers(), 0);
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);
}

TEST_F(Targets, WhatCannotBeRemovedYetIsTriedAgainLater) {
  fleet.do_for_all(Kind::issue);
  other.fail_next_clean_up(error_of(Error::Kind::conflict));
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.outcomes("issued"), domains - 1);
  EXPECT_EQ(other.leftovers(), 1);
  EXPECT_EQ(fleet.target().leftovers(), 0);
  for (const auto& row : fleet.domains()) EXPECT_EQ(row.certificate->served, true);

  fleet.loop().run(fleet.loop().clock().sleep_for(10min));
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(other.leftovers(), 0);
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);
}

TEST_F(Targets, DeployCleansUpToo) {
  fleet.do_for_all(Kind::issue);
  for (int i = 0; i < domains; ++i) {
    Material material;
    material.fullchain = "somebody else's";
    ASSERT_TRUE(fleet.loop().run(other.install(fleet.name(i), std::move(material), "00")));
  }
  EXPECT_EQ(other.leftovers(), domains);
  fleet.do_for_all(Kind::deploy);
  EXPECT_EQ(fleet.outcomes("current"), domains);
  EXPECT_EQ(other.leftovers(), 0);
}

class KilledTargets : public Targets, public testing::WithParamInterface<int> {};

TEST_P(KilledTargets, LeaveNothingBehind) {
  fleet.do_for_all(Kind::issue);
  fleet.do_for_all(Kind::issue, {}, GetParam() * 150ms);
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.target().leftovers(), 0);
  EXPECT_EQ(other.leftovers(), 0);
  for (int i = 0; i < domains; ++i) {
    EXPECT_EQ(other.served(fleet.name(i))->fullchain,
              fleet.target().served(fleet.name(i))->fullchain);
  }
}
INSTANTIATE_TEST_SUITE_P(Moments, KilledTargets, testing::Values(25, 28, 31, 34, 37));

TEST_F(Targets, AKeyIsKeptWhenItIsToBe) {
  fleet.ports().defaults.key = KeyChoice{.keep = true};
  fleet.do_for_all(Kind::issue);
  const auto first = keys();
  EXPECT_EQ(first.size(), static_cast<std::size_t>(domains));
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(keys(), first);
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);

  // One that was compromised is never used again.
  WorkRequest::Arguments because;
  because.reason = RevocationReason::key_compromise;
  fleet.do_for_all(Kind::revoke, because);
  fleet.do_for_all(Kind::issue);
  for (const auto& key : keys()) EXPECT_FALSE(first.contains(key));
}

TEST_F(Targets, AKeySuitsAllOfThem) {
  fleet.ports().accepts[edge].keys = {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa_2048};
  fleet.ports().accepts[second].keys = {KeyType::ecdsa_p384};
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.outcomes("issued"), domains);
  const auto material = fleet.loop().run(fleet.vault().load(fleet.name(0)));
  EXPECT_EQ(crypto::PrivateKey::from_pem(material->private_key)->type(), KeyType::ecdsa_p384);

  fleet.ports().accepts[second].keys = {KeyType::rsa_4096};
  fleet.do_for_all(Kind::issue);
  EXPECT_EQ(fleet.outcomes("failed"), domains);
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);  // no order was spent
}

TEST_F(Targets, WhatATargetDoesNotTakeIsNotSentThere) {
  fleet.do_for_all(Kind::issue);
  // As if the target were another one since.
  fleet.ports().accepts[second].keys = {KeyType::rsa_2048};
  const int installs = other.installs();
  for (int i = 0; i < domains; ++i) other.lose(fleet.name(i));
  fleet.do_for_all(Kind::deploy);
  EXPECT_EQ(fleet.outcomes("failed"), domains);
  EXPECT_EQ(other.installs(), installs);
}

}  // namespace
}  // namespace certherd::sim

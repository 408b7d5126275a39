// What is done for a domain besides getting its certificate: revoke, deploy, retire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/x509.hpp"
#include "fleet_simulation.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = WorkRequest::Kind;

constexpr int domains = 8;

WorkRequest::Arguments because(RevocationReason reason) {
  WorkRequest::Arguments arguments;
  arguments.reason = reason;
  return arguments;
}

Error error_of(Error::Kind kind) {
  Error error;
  error.kind = kind;
  error.detail = "the edge is away";
  return error;
}

/// A fleet whose domains all have a certificate.
class Chores : public testing::Test {
 protected:
  Chores() { fleet.use_fresh_keys(); }

  void issue() {
    fleet.issue_all();
    ASSERT_EQ(fleet.outcomes("issued"), domains);
  }

  Certificate certificate(int index) {
    for (const auto& row : fleet.domains()) {
      if (row.domain.name == fleet.name(index)) return row.certificate.value();
    }
    return {};
  }

  std::string key_in_vault(const Fqdn& domain) {
    const auto material = fleet.loop().run(fleet.vault().load(domain));
    const auto key = crypto::PrivateKey::from_pem(material->private_key);
    const auto chain = crypto::read_chain(material->fullchain);
    EXPECT_EQ(key->public_key(), chain->front().public_key);
    return key->public_key();
  }

  bool compromised(const std::string& public_key) {
    return *fleet.loop().run(fleet.store().is_compromised(crypto::hash_of_key(public_key)));
  }

  int count(const std::string& event) {
    const auto events = fleet.events();
    return static_cast<int>(
        std::ranges::count(events, event, [](const Event& each) { return each.event; }));
  }

  FleetSimulation fleet{41, domains};
};

TEST_F(Chores, RevokesByTheAccount) {
  issue();
  fleet.do_for_all(Kind::revoke, because(RevocationReason::superseded));
  EXPECT_EQ(fleet.outcomes("current"), domains);
  for (const auto& row : fleet.domains()) {
    EXPECT_EQ(row.certificate->revocation_reason, RevocationReason::superseded);
    EXPECT_TRUE(row.certificate->revoked_at);
    EXPECT_EQ(fleet.ca().revoked(row.certificate->fingerprint), 4);
    EXPECT_FALSE(compromised(key_in_vault(row.domain.name)));
  }
  EXPECT_EQ(count("certificate.revoked"), domains);
  // Once more changes nothing.
  fleet.do_for_all(Kind::revoke, because(RevocationReason::superseded));
  EXPECT_EQ(count("certificate.revoked"), domains);
  EXPECT_EQ(count("revocation.begun"), domains);
}

TEST_F(Chores, ACompromisedKeyIsReplacedAtOnceInSpiteOfAnEarlierFailure) {
  issue();
  store::Changes pause;
  pause.outcome = store::Changes::Outcome{
      .failures = 4, .next_at = fleet.loop().clock().now() + 24h, .last_error = error_of({})};
  ASSERT_TRUE(fleet.loop().run(fleet.store().amend(certificate(3).domain_id, pause)));
  std::map<Fqdn, std::string> old_keys;
  for (const auto& row : fleet.domains()) {
    old_keys[row.domain.name] = key_in_vault(row.domain.name);
  }

  fleet.do_for_all(Kind::revoke, because(RevocationReason::key_compromise));
  fleet.do_for_all(Kind::renew);

  EXPECT_EQ(fleet.outcomes("issued"), domains);
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);
  for (const auto& row : fleet.domains()) {
    const auto& old_key = old_keys.at(row.domain.name);
    EXPECT_NE(key_in_vault(row.domain.name), old_key);
    EXPECT_TRUE(compromised(old_key));
    EXPECT_FALSE(row.certificate->revocation_reason);
    EXPECT_EQ(row.certificate->served, true);
  }
  for (const auto& event : fleet.events()) {
    if (event.event == "certificate.revoked") {
      EXPECT_EQ(event.detail.at("signed_by"), "certificate key");
    }
  }
}

TEST_F(Chores, AKeyThatIsDrawnAgainIsNotUsed) {
  fleet.use_one_key();
  issue();
  fleet.do_for_all(Kind::revoke, because(RevocationReason::key_compromise));
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
  EXPECT_EQ(fleet.outcomes("failed"), domains);
  EXPECT_THAT(fleet.domains().front().domain.last_error->detail, HasSubstr("random"));
}

TEST_F(Chores, WithoutTheKeyTheAccountRevokes) {
  issue();
  const auto first = certificate(0);
  fleet.do_for_all(Kind::issue);
  auto arguments = because(RevocationReason::key_compromise);
  arguments.serial = first.serial;
  fleet.do_for_all(Kind::revoke, arguments);  // all but one of them have no such certificate

  EXPECT_EQ(fleet.outcomes("failed"), domains - 1);
  EXPECT_EQ(fleet.ca().revoked(first.fingerprint), 1);
  const auto present = certificate(0);
  EXPECT_NE(present.serial, first.serial);
  EXPECT_FALSE(present.revocation_reason);
  const auto former =
      fleet.loop().run(fleet.store().certificate(first.domain_id, first.serial)).value();
  EXPECT_TRUE(former.revoked_at);
  EXPECT_TRUE(former.key_compromised());
  const auto events = fleet.events();
  const auto revoked = std::ranges::find(events, "certificate.revoked", &Event::event);
  ASSERT_NE(revoked, events.end());
  EXPECT_EQ(revoked->detail.at("signed_by"), "account");
}

TEST_F(Chores, WithoutAnAccountTheKeyRevokes) {
  issue();
  fleet.ports().cas.at(CaName("ca")).unusable = error_of(Error::Kind::denied);
  fleet.do_for_all(Kind::revoke, because(RevocationReason::cessation_of_operation));
  EXPECT_EQ(fleet.outcomes("current"), domains);
  EXPECT_EQ(fleet.ca().revoked(certificate(7).fingerprint), 5);
}

TEST_F(Chores, WhatTheCaWillNeverDoIsNotTriedByEachLaterRun) {
  issue();
  fleet.ca().take_reasons({0, 1, 4, 5});
  fleet.do_for_all(Kind::revoke, because(RevocationReason::affiliation_changed));
  EXPECT_EQ(fleet.outcomes("failed"), domains);
  EXPECT_FALSE(certificate(0).revocation_reason);
  const int calls = fleet.ca().calls();
  fleet.run_idle();
  EXPECT_EQ(fleet.ca().calls(), calls);
}

TEST_F(Chores, AnIssuanceEndsWhenItsCertificateIsRevoked) {
  for (int i = 0; i < domains; ++i) fleet.target().fail_next_install(error_of(Error::Kind::denied));
  fleet.issue_all();
  ASSERT_EQ(fleet.outcomes("failed"), domains);
  const auto before = certificate(5);

  fleet.do_for_all(Kind::revoke, because(RevocationReason::key_compromise));
  fleet.do_for_all(Kind::renew);

  EXPECT_EQ(fleet.outcomes("issued"), domains);
  EXPECT_NE(certificate(5).serial, before.serial);
  for (int i = 0; i < domains; ++i) {
    ASSERT_NE(fleet.target().served(fleet.name(i)), nullptr);
    const auto chain = crypto::read_chain(fleet.target().served(fleet.name(i))->fullchain);
    EXPECT_EQ(chain->front().serial, certificate(i).serial);
  }
}

TEST_F(Chores, AnIssuanceThatIsUnderWayBeginsAnewWhenItsCertificateIsRevoked) {
  // Nothing is seen served, so all of them wait for their proof when the revocation comes.
  fleet.probe().be_blind_until(fleet.loop().clock().now() + 25s);
  fleet.issue_all_and(Kind::revoke, because(RevocationReason::key_compromise), 20s);
  EXPECT_EQ(fleet.outcomes("current"), domains);
  EXPECT_EQ(fleet.outcomes("issued"), domains);
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);
  for (const auto& row : fleet.domains()) EXPECT_FALSE(row.certificate->revocation_reason);
}

TEST_F(Chores, DeployRestoresWhatATargetHasLost) {
  issue();
  for (const int index : {2, 3, 4}) fleet.target().lose(fleet.name(index));
  const int installs = fleet.target().installs();
  fleet.do_for_all(Kind::deploy);
  EXPECT_EQ(fleet.outcomes("current"), domains);
  EXPECT_EQ(fleet.target().installs(), installs + 3);
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
  for (int i = 0; i < domains; ++i) {
    ASSERT_NE(fleet.target().served(fleet.name(i)), nullptr);
    EXPECT_EQ(certificate(i).served, true);
  }
}

TEST_F(Chores, ARunDeploysToATargetThatWasAddedSince) {
  issue();
  sim::FakeTarget added;
  fleet.ports().targets[TargetName("added")] = &added;
  fleet.ports().defaults.targets.emplace_back("added");
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(fleet.outcomes("current"), domains);
  EXPECT_EQ(added.installs(), domains);
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
  const int events = count("certificate.installed");
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(fleet.outcomes("current"), domains);
  EXPECT_EQ(count("certificate.installed"), events);
}

TEST_F(Chores, DeployTriesATargetAgainThatIsAwayForAMoment) {
  issue();
  for (int i = 0; i < domains; ++i) fleet.target().lose(fleet.name(i));
  for (int i = 0; i < 5; ++i) fleet.target().fail_next_install(error_of(Error::Kind::transient));
  fleet.target().fail_next_install(error_of(Error::Kind::denied));
  fleet.do_for_all(Kind::deploy);
  EXPECT_EQ(fleet.outcomes("current"), domains - 1);
  EXPECT_EQ(fleet.outcomes("failed"), 1);
}

TEST_F(Chores, DeployRefusesWhatWasRevoked) {
  issue();
  fleet.do_for_all(Kind::revoke, because(RevocationReason::superseded));
  for (int i = 0; i < domains; ++i) fleet.target().lose(fleet.name(i));
  fleet.do_for_all(Kind::deploy);
  EXPECT_EQ(fleet.outcomes("failed"), domains);
  EXPECT_EQ(fleet.target().served(fleet.name(0)), nullptr);
}

TEST_F(Chores, DeployTakesNoOtherTargetThanTheDomainHas) {
  issue();
  WorkRequest::Arguments arguments;
  arguments.target = TargetName("elsewhere");
  fleet.do_for_all(Kind::deploy, arguments);
  EXPECT_EQ(fleet.outcomes("failed"), domains);
}

TEST_F(Chores, DeployWorksBetweenTheStepsOfARenewal) {
  issue();
  fleet.issue_all_and(Kind::deploy, {}, 3s);
  EXPECT_EQ(fleet.outcomes("issued"), domains);
  EXPECT_EQ(fleet.outcomes("current"), domains);
  for (int i = 0; i < domains; ++i) {
    const auto chain = crypto::read_chain(fleet.target().served(fleet.name(i))->fullchain);
    EXPECT_EQ(chain->front().serial, certificate(i).serial);
  }
}

TEST_F(Chores, RetireTakesTheDomainOffAndEndsItsIssuance) {
  issue();
  fleet.probe().be_blind_until(fleet.loop().clock().now() + 1h);
  fleet.ports().defaults.prove_within = 1s;
  fleet.do_for_all(Kind::issue);
  ASSERT_EQ(fleet.outcomes("failed"), domains);  // they wait for their proof
  fleet.target().fail_next_retire(error_of(Error::Kind::denied));

  fleet.do_for_all(Kind::retire);
  EXPECT_EQ(fleet.outcomes("current"), domains - 1);
  fleet.do_for_all(Kind::retire);

  for (const auto& row : fleet.domains()) {
    EXPECT_FALSE(row.working);
    EXPECT_TRUE(row.certificate->targets.empty());
    EXPECT_EQ(fleet.target().served(row.domain.name), nullptr);
  }
}

class KilledChores : public Chores, public testing::WithParamInterface<int> {};

TEST_P(KilledChores, WhatTheCaHasRevokedIsKnownAfterTheNextRun) {
  issue();
  std::map<Fqdn, std::string> keys;
  for (const auto& row : fleet.domains()) keys[row.domain.name] = key_in_vault(row.domain.name);
  fleet.ca().set_faults(5, 5);
  fleet.do_for_all(Kind::revoke, because(RevocationReason::key_compromise),
                   std::chrono::milliseconds(GetParam()));
  fleet.ca().set_faults(0, 0);
  fleet.run_idle();

  for (const auto& row : fleet.domains()) {
    const bool by_ca = fleet.ca().revoked(row.certificate->fingerprint).has_value();
    EXPECT_EQ(by_ca, row.certificate->revoked_at.has_value()) << row.domain.name.text();
    EXPECT_EQ(by_ca, compromised(keys.at(row.domain.name)));
    EXPECT_FALSE(row.certificate->revoking());
  }
  fleet.do_for_all(Kind::revoke, because(RevocationReason::key_compromise));
  fleet.do_for_all(Kind::renew);
  EXPECT_EQ(fleet.ca().certificates_issued(), 2 * domains);
  for (const auto& row : fleet.domains()) {
    EXPECT_NE(key_in_vault(row.domain.name), keys.at(row.domain.name));
  }
}

TEST_P(KilledChores, DeployAndRetireAreDoneByAskingAgain) {
  issue();
  const auto after = std::chrono::milliseconds(GetParam());
  fleet.do_for_all(Kind::retire, {}, after);
  fleet.do_for_all(Kind::retire);
  for (int i = 0; i < domains; ++i) EXPECT_EQ(fleet.target().served(fleet.name(i)), nullptr);

  fleet.do_for_all(Kind::deploy, {}, after);
  fleet.do_for_all(Kind::deploy);
  for (int i = 0; i < domains; ++i) {
    ASSERT_NE(fleet.target().served(fleet.name(i)), nullptr);
    EXPECT_EQ(certificate(i).served, true);
  }
  EXPECT_EQ(fleet.ca().certificates_issued(), domains);
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, KilledChores,
                         testing::Values(0, 10, 25, 50, 75, 100, 125, 150, 200, 300, 500, 1500));

}  // namespace
}  // namespace certherd::sim

// Certificates: current and former, revocations, keys that must not be used again.
#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CertificateStore : public StoreTest {
 protected:
  /// Has the domain get these, one after another.
  void issued(const std::string& name, const std::vector<std::string>& serials) {
    auto issuance = started(name, Step::store);
    for (const auto& serial : serials) {
      Changes changes;
      changes.certificate = some_certificate(serial);
      issuance.certificate = changes.certificate;
      issuance.fullchain = "chain of " + serial;
      auto committed = run(store->commit(issuance, std::move(changes)));
      ASSERT_TRUE(committed) << committed.error().message();
      issuance = std::move(*committed);
    }
  }

  Status amend(const std::string& name, Changes changes) {
    return run(store->amend(domain(name).domain.id, std::move(changes)));
  }

  Changes revoking(const std::string& name, const std::string& serial) {
    Changes changes;
    changes.amended = *run(store->certificate(domain(name).domain.id, Serial(serial)));
    changes.amended->revocation_reason = RevocationReason::superseded;
    return changes;
  }

  std::vector<std::string> begun() {
    std::vector<std::string> serials;
    auto certificates = run(store->revocations_begun());
    EXPECT_TRUE(certificates);
    for (const auto& each : *certificates) serials.push_back(each.serial.text());
    return serials;
  }
};

TEST_P(CertificateStore, WhatTheCaSaysOfTheRenewalBelongsToOneCertificate) {
  issued("a.example", {"01"});
  const auto id = domain("a.example").domain.id;
  EXPECT_EQ(domain("a.example").certificate->renewal, Renewal());
  Renewal renewal;
  renewal.poll_at = test_start + std::chrono::hours(6);
  ASSERT_TRUE(run(store->save_renewals({{id, Serial("01"), renewal}}, {})));
  EXPECT_EQ(domain("a.example").certificate->renewal, renewal);

  renewal.window = {.start = test_start,
                    .end = test_start + std::chrono::days(1),
                    .explanation_url = "https://ca.test/why"};
  renewal.at = test_start + std::chrono::hours(5);
  renewal.failures = 3;
  ASSERT_TRUE(run(store->save_renewals({{id, Serial("01"), renewal}},
                                       {some_event("renewal.window", "a.example")})));
  EXPECT_EQ(domain("a.example").certificate->renewal, renewal);
  EXPECT_EQ(run(store->events({})).value().back().event.event, "renewal.window");

  Changes next;
  next.certificate = some_certificate("02");
  ASSERT_TRUE(amend("a.example", std::move(next)));
  EXPECT_EQ(domain("a.example").certificate->serial, Serial("02"));
  EXPECT_EQ(domain("a.example").certificate->renewal, Renewal()) << "of the one before";
}

TEST_P(CertificateStore, ThoseOfSomeDomainsComeNewestFirst) {
  issued("a.example", {"01", "02"});
  issued("b.example", {"03", "04"});
  const auto serials = [this](const std::vector<DomainId>& domains) {
    std::vector<std::string> serials;
    const auto found = run(store->certificates_of(domains));
    EXPECT_TRUE(found);
    for (const auto& each : *found) {
      serials.push_back(each.domain.text() + " " + each.serial.text());
    }
    return serials;
  };
  const auto a = domain("a.example").domain.id;
  const auto b = domain("b.example").domain.id;

  EXPECT_THAT(serials({b, a}),
              ElementsAre("b.example 04", "b.example 03", "a.example 02", "a.example 01"));
  EXPECT_THAT(serials({DomainId{999}}), IsEmpty());
  EXPECT_THAT(serials({}), IsEmpty());
}

TEST_P(CertificateStore, AFormerOneIsFoundByItsSerialAndItsDomain) {
  issued("a.example", {"01", "02"});
  const auto id = domain("a.example").domain.id;

  const auto former = run(store->certificate(id, Serial("01")));

  ASSERT_TRUE(former) << former.error().message();
  EXPECT_EQ(former->domain.text(), "a.example");
  EXPECT_EQ(former->domain_id, id);
  EXPECT_EQ(domain("a.example").certificate->serial, Serial("02"));
  EXPECT_EQ(run(store->certificate(id, Serial("03"))).error().kind, Error::Kind::not_found);
  const auto other = domain("b.example").domain.id;
  EXPECT_EQ(run(store->certificate(other, Serial("01"))).error().kind, Error::Kind::not_found);
}

TEST_P(CertificateStore, AmendingAFormerOneLeavesThePresentOne) {
  issued("a.example", {"01", "02"});

  ASSERT_TRUE(amend("a.example", revoking("a.example", "01")));

  const auto id = domain("a.example").domain.id;
  EXPECT_EQ(run(store->certificate(id, Serial("01")))->revocation_reason,
            RevocationReason::superseded);
  EXPECT_EQ(domain("a.example").certificate->serial, Serial("02"));
  EXPECT_FALSE(domain("a.example").certificate->revocation_reason);
}

TEST_P(CertificateStore, ARevocationIsOpenUntilItIsConfirmed) {
  issued("a.example", {"01", "02"});
  issued("b.example", {"03"});
  EXPECT_THAT(begun(), IsEmpty());

  ASSERT_TRUE(amend("b.example", revoking("b.example", "03")));
  ASSERT_TRUE(amend("a.example", revoking("a.example", "01")));
  EXPECT_THAT(begun(), ElementsAre("01", "03"));

  auto confirmed = revoking("a.example", "01");
  confirmed.amended->revoked_at = test_start;
  ASSERT_TRUE(amend("a.example", std::move(confirmed)));
  EXPECT_THAT(begun(), ElementsAre("03"));
}

TEST_P(CertificateStore, AmendingOneThatIsNotThereWritesNothing) {
  issued("a.example", {"01"});
  auto changes = revoking("a.example", "01");
  changes.amended->serial = Serial("09");
  changes.events = {some_event("certificate.revoked", "a.example")};
  changes.compromised = KeyHash("aa");

  EXPECT_EQ(amend("a.example", std::move(changes)).error().kind, Error::Kind::not_found);

  EXPECT_THAT(event_names(), IsEmpty());
  EXPECT_FALSE(*run(store->is_compromised(KeyHash("aa"))));
}

TEST_P(CertificateStore, ACompromisedKeyIsRememberedOnce) {
  Changes changes;
  changes.compromised = KeyHash("aa");
  ASSERT_TRUE(amend("a.example", changes));
  ASSERT_TRUE(amend("b.example", changes));

  EXPECT_TRUE(*run(store->is_compromised(KeyHash("aa"))));
  EXPECT_FALSE(*run(store->is_compromised(KeyHash("bb"))));
}

TEST_P(CertificateStore, AChainIsKeptWithTheIssuanceThatGotIt) {
  issued("a.example", {"01"});
  const auto id = domain("a.example").domain.id;

  EXPECT_EQ(run(store->chain_of(id, Serial("01"))).value(), "chain of 01");
  const auto missing = run(store->chain_of(id, Serial("02")));
  EXPECT_EQ(missing.error().kind, Error::Kind::not_found);
  EXPECT_THAT(missing.error().detail, HasSubstr("02"));
}

TEST_P(CertificateStore, TheActiveIssuanceOfADomainIsFound) {
  const auto id = domain("a.example").domain.id;
  EXPECT_FALSE(run(store->active_issuance(id))->has_value());
  auto issuance = started("a.example");
  (void)started("b.example");
  EXPECT_EQ((*run(store->active_issuance(id)))->id, issuance.id);

  issuance.step = Step::failed;
  ASSERT_TRUE(run(store->commit(issuance, {})));

  EXPECT_FALSE(run(store->active_issuance(id))->has_value());
}

TEST_P(CertificateStore, OfADomainThatIsNotStoredNothingIsWritten) {
  const DomainId nobody{77};
  Changes changes;
  changes.certificate = some_certificate("01");
  changes.events = {some_event("certificate.found")};
  EXPECT_EQ(run(store->amend(nobody, changes)).error().kind, Error::Kind::conflict);
  EXPECT_EQ(run(store->save_renewals({{nobody, Serial("01"), {}}}, changes.events)).error().kind,
            Error::Kind::conflict);
  EXPECT_EQ(run(store->certificate(nobody, Serial("01"))).error().message(),
            "certificate 01: is none of this domain: see certherd cert list --all");
  EXPECT_EQ(run(store->chain_of(nobody, Serial("01"))).error().message(),
            "look for a chain: no issuance of the store holds certificate 01");
  EXPECT_FALSE(run(store->active_issuance(nobody))->has_value());
  EXPECT_THAT(event_names(), IsEmpty());

  changes.certificate.reset();
  EXPECT_TRUE(run(store->amend(nobody, changes))) << "what is no domain's may be told";
  EXPECT_THAT(event_names(), ElementsAre("certificate.found"));
}

TEST_P(CertificateStore, TheRenewalStandsApartFromTheCertificate) {
  issued("a.example", {"01", "02"});
  const auto id = domain("a.example").domain.id;
  Renewal renewal;
  renewal.failures = 3;
  ASSERT_TRUE(run(store->save_renewals({{id, Serial("01"), renewal}}, {})));
  EXPECT_EQ(domain("a.example").certificate->renewal, Renewal()) << "it is about the former one";

  ASSERT_TRUE(run(store->save_renewals({{id, Serial("02"), renewal}}, {})));
  EXPECT_EQ(domain("a.example").certificate->renewal, renewal);
  EXPECT_EQ(run(store->certificate(id, Serial("02")))->renewal, Renewal());
  EXPECT_EQ(run(store->certificates(false))->front().renewal, Renewal());

  Changes changes;
  changes.amended = *domain("a.example").certificate;
  changes.amended->served = false;
  changes.amended->renewal.failures = 9;
  ASSERT_TRUE(amend("a.example", std::move(changes)));
  EXPECT_EQ(domain("a.example").certificate->served, false);
  EXPECT_EQ(domain("a.example").certificate->renewal, renewal);
}

TEST_P(CertificateStore, OneMayTakeThePlaceOfAnotherThatIsAmendedWithIt) {
  issued("a.example", {"01"});
  auto changes = revoking("a.example", "01");
  changes.certificate = some_certificate("02");
  ASSERT_TRUE(amend("a.example", std::move(changes)));
  EXPECT_EQ(domain("a.example").certificate->serial, Serial("02"));
  EXPECT_THAT(begun(), ElementsAre("01"));

  Changes both;
  both.certificate = some_certificate("03");
  both.amended = some_certificate("03");
  both.amended->served = false;
  ASSERT_TRUE(amend("a.example", std::move(both)));
  EXPECT_EQ(domain("a.example").certificate->serial, Serial("03"));
  EXPECT_EQ(domain("a.example").certificate->served, false) << "what amends comes last";
}

CERTHERD_ON_EACH_STORE(CertificateStore);

}  // namespace
}  // namespace certherd::store

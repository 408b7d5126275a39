#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using IssuanceStore = StoreTest;

Changes with_event(const std::string& name) {
  Changes changes;
  changes.events = {some_event(name, "a.example")};
  return changes;
}

std::vector<std::string> serials(const std::vector<Certificate>& certificates) {
  std::vector<std::string> found;
  for (const auto& each : certificates) {
    found.push_back(each.domain.text() + " " + each.serial.text());
  }
  return found;
}

TEST_P(IssuanceStore, StartGivesItsNumberAndRevisionOne) {
  auto issuance = fresh_issuance("a.example");
  issuance.sealed_key = "sealed";
  issuance.order_url = OrderUrl("https://ca/o/1");
  issuance.account = AccountUrl("https://ca/account/1");
  issuance.account_key = "thumbprint";

  auto started = run(store->start(issuance, with_event("started")));

  ASSERT_TRUE(started);
  EXPECT_NE(started->id, IssuanceId{});
  EXPECT_EQ(started->revision, 1);
  auto read = run(store->issuance(started->id));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->domain.text(), "a.example");
  EXPECT_EQ(read->domain_id, issuance.domain_id);
  EXPECT_EQ(read->revision, 1);
  EXPECT_EQ(read->step, Step::create_key);
  EXPECT_EQ(read->created_at, issuance.created_at);
  EXPECT_EQ(read->next_at, issuance.next_at);
  EXPECT_EQ(read->sealed_key, "sealed");
  EXPECT_EQ(read->order_url, issuance.order_url);
  EXPECT_EQ(read->account, issuance.account);
  EXPECT_EQ(read->account_key, issuance.account_key);
  EXPECT_THAT(event_names(), ElementsAre("started"));
}

TEST_P(IssuanceStore, RefusesASecondActiveOneOfADomain) {
  started("a.example");

  auto second = run(store->start(fresh_issuance("a.example"), with_event("started")));

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::conflict);
  EXPECT_EQ(run(store->active_issuances())->size(), 1U);
  EXPECT_THAT(event_names(), IsEmpty());
}

TEST_P(IssuanceStore, StartsAnewOnceTheLastOneIsOver) {
  auto first = started("a.example");
  first.step = Step::failed;
  ASSERT_TRUE(run(store->commit(first, {})));

  const auto second = started("a.example");

  EXPECT_NE(second.id, first.id);
  auto active = run(store->active_issuances());
  ASSERT_EQ(active->size(), 1U);
  EXPECT_EQ(active->front().id, second.id);
}

TEST_P(IssuanceStore, KnowsNoIssuanceOfAnUnknownDomain) {
  Issuance issuance;
  issuance.domain_id = DomainId{77};
  EXPECT_EQ(run(store->start(issuance, {})).error().kind, Error::Kind::not_found);
}

TEST_P(IssuanceStore, CommitWritesTheNextRevision) {
  auto issuance = started("a.example");
  issuance.step = Step::new_order;
  issuance.csr = "csr";

  auto committed = run(store->commit(issuance, with_event("key.created")));

  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->revision, 2);
  EXPECT_EQ(committed->csr, "csr");
  auto read = run(store->issuance(issuance.id));
  EXPECT_EQ(read->revision, 2);
  EXPECT_EQ(read->step, Step::new_order);
  EXPECT_EQ(read->csr, "csr");
  EXPECT_THAT(event_names(), ElementsAre("key.created"));
}

TEST_P(IssuanceStore, CommitOfAnOldRevisionWritesNothingAtAll) {
  const auto first = started("a.example");
  ASSERT_TRUE(run(store->commit(first, {})));
  auto stale = first;
  stale.step = Step::finalize;
  Changes changes;
  changes.events = {some_event("order.finalized")};
  changes.certificate = some_certificate("01");
  changes.outcome = Changes::Outcome{.failures = 9, .next_at = {}, .last_error = {}};

  auto result = run(store->commit(stale, changes));

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Error::Kind::conflict);
  EXPECT_THAT(result.error().detail, HasSubstr("revision 2, step create_key"));
  EXPECT_EQ(run(store->issuance(first.id))->step, Step::create_key);
  EXPECT_THAT(event_names(), IsEmpty());
  EXPECT_THAT(*run(store->certificates(true)), IsEmpty());
  EXPECT_EQ(domain("a.example").domain.failures, 0);
}

TEST_P(IssuanceStore, SaysThatAnIssuanceIsMissing) {
  EXPECT_EQ(run(store->issuance(IssuanceId{5})).error().kind, Error::Kind::not_found);
  auto gone = fresh_issuance("a.example");
  gone.id = IssuanceId{5};
  EXPECT_EQ(run(store->commit(gone, {})).error().kind, Error::Kind::not_found);
}

TEST_P(IssuanceStore, CommitWritesTheOutcomeOfTheDomain) {
  auto issuance = started("a.example");
  issuance.step = Step::failed;
  Changes changes;
  changes.outcome = Changes::Outcome{.failures = 1,
                                     .next_at = test_start + std::chrono::minutes(1),
                                     .last_error = fail(Error::Kind::rejected, "x", "no").value()};
  ASSERT_TRUE(run(store->commit(issuance, changes)));

  auto row = domain("a.example").domain;
  EXPECT_EQ(row.failures, 1);
  EXPECT_EQ(row.next_at, changes.outcome->next_at);
  EXPECT_EQ(row.last_error, changes.outcome->last_error);
  EXPECT_EQ(domain("b.example").domain.failures, 0);

  changes.outcome = Changes::Outcome();
  ASSERT_TRUE(run(store->start(fresh_issuance("a.example"), changes)));
  row = domain("a.example").domain;
  EXPECT_EQ(row.failures, 0);
  EXPECT_EQ(row.next_at, std::nullopt);
  EXPECT_EQ(row.last_error, std::nullopt);
}

TEST_P(IssuanceStore, ListsActiveOnesByNumber) {
  const auto b = started("b.example");
  const auto a = started("a.example");

  auto active = run(store->active_issuances());

  ASSERT_EQ(active->size(), 2U);
  EXPECT_EQ((*active)[0].id, b.id);
  EXPECT_EQ((*active)[1].id, a.id);
}

TEST_P(IssuanceStore, TheNewestCertificateIsTheCurrentOne) {
  auto issuance = started("b.example");
  for (const auto* serial : {"01", "02"}) {
    Changes changes;
    changes.certificate = some_certificate(
        serial, test_start + (serial == std::string("02") ? std::chrono::hours(1) : Duration()));
    auto committed = run(store->commit(issuance, changes));
    ASSERT_TRUE(committed);
    issuance = std::move(*committed);
  }
  Changes of_another;
  of_another.certificate = some_certificate("03");
  ASSERT_TRUE(run(store->start(fresh_issuance("a.example"), of_another)));

  EXPECT_THAT(serials(*run(store->certificates(false))),
              ElementsAre("a.example 03", "b.example 02"));
  EXPECT_THAT(serials(*run(store->certificates(true))),
              ElementsAre("a.example 03", "b.example 02", "b.example 01"));
}

TEST_P(IssuanceStore, ACertificateIsUpdatedByItsSerial) {
  auto issuance = started("a.example");
  Changes changes;
  changes.certificate = some_certificate("01");
  issuance = *run(store->commit(issuance, changes));
  changes.certificate->served = false;
  changes.certificate->targets[TargetName("edge")] = Installed::failed;
  ASSERT_TRUE(run(store->commit(issuance, changes)));

  auto all = run(store->certificates(true));

  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().served, false);
  EXPECT_EQ(all->front().targets.at(TargetName("edge")), Installed::failed);
}

TEST_P(IssuanceStore, TellsWhichOrdersNobodyHolds) {
  auto over = fresh_issuance("a.example");
  over.order_url = OrderUrl("https://ca/o/1");
  over.step = Step::failed;
  ASSERT_TRUE(run(store->start(over, {})));
  auto active = started("a.example");
  active.order_url = OrderUrl("https://ca/o/2");
  ASSERT_TRUE(run(store->commit(active, {})));

  std::vector<OrderUrl> urls = {OrderUrl("https://ca/o/9"), OrderUrl("https://ca/o/1"),
                                OrderUrl("https://ca/o/2"), OrderUrl("https://ca/o/3")};
  auto unknown = run(store->unknown_orders(std::move(urls)));

  ASSERT_TRUE(unknown);
  EXPECT_THAT(*unknown, ElementsAre(OrderUrl("https://ca/o/9"), OrderUrl("https://ca/o/3")));
}

TEST_P(IssuanceStore, SaysInTheSameWordsWhatItRefuses) {
  const auto first = started("a.example");
  EXPECT_EQ(run(store->start(first, {})).error().message(),
            "start issuance of a.example: an issuance of this domain is under way already");
  auto unknown = first;
  unknown.domain_id = DomainId{77};
  EXPECT_EQ(run(store->start(unknown, {})).error().message(),
            "start issuance of a.example: the domain is not in the inventory");
  ASSERT_TRUE(run(store->commit(first, {})));
  EXPECT_EQ(run(store->commit(first, {})).error().message(),
            "commit issuance of a.example: another process went on with it: it is at revision 2, "
            "step create_key");
  unknown.id = IssuanceId{99};
  EXPECT_EQ(run(store->commit(unknown, {})).error().message(),
            "commit issuance of a.example: there is no such issuance");
  EXPECT_EQ(run(store->issuance(unknown.id)).error().message(),
            "issuance 99: there is no such issuance");
}

TEST_P(IssuanceStore, WhatFailsInPartIsNotWrittenAtAll) {
  Changes changes = with_event("started");
  changes.amended = some_certificate("01");
  changes.outcome = Changes::Outcome{.failures = 1, .next_at = {}, .last_error = {}};
  EXPECT_EQ(run(store->start(fresh_issuance("a.example"), changes)).error().message(),
            "start issuance of a.example: the domain has no certificate 01");
  const auto issuance = started("a.example");
  auto next = issuance;
  next.step = Step::done;
  EXPECT_EQ(run(store->commit(next, changes)).error().kind, Error::Kind::not_found);

  EXPECT_EQ(run(store->active_issuances())->size(), 1U);
  EXPECT_EQ(run(store->issuance(issuance.id))->revision, 1);
  EXPECT_EQ(domain("a.example").domain.failures, 0);
  EXPECT_THAT(event_names(), IsEmpty());
}

TEST_P(IssuanceStore, ACommitLeavesWhoseItIsAndWhenItBegan) {
  auto issuance = started("a.example");
  auto changed = issuance;
  changed.created_at += std::chrono::hours(1);
  changed.domain = Fqdn::literal("b.example");
  changed.certificate = some_certificate("01");
  changed.certificate->renewal.failures = 7;
  ASSERT_TRUE(run(store->commit(changed, {})));

  const auto read = run(store->issuance(issuance.id)).value();

  EXPECT_EQ(read.created_at, issuance.created_at);
  EXPECT_EQ(read.domain, issuance.domain);
  EXPECT_EQ(read.certificate->domain, issuance.domain);
  EXPECT_EQ(read.certificate->domain_id, issuance.domain_id);
  EXPECT_EQ(read.certificate->renewal, Renewal()) << "is no part of it";
}

TEST_P(IssuanceStore, OneThatIsOverIsNoHindranceAndDoesNotComeBack) {
  const auto active = started("a.example");
  auto over = started("a.example", Step::failed);
  over.step = Step::publish;
  EXPECT_EQ(run(store->commit(over, {})).error().kind, Error::Kind::conflict);

  EXPECT_EQ((*run(store->active_issuance(active.domain_id)))->id, active.id);
  EXPECT_EQ(run(store->issuance(over.id))->step, Step::failed);
}

TEST_P(IssuanceStore, CertificatesOfOneMomentComeInTheOrderInWhichTheyWereWritten) {
  auto issuance = started("a.example");
  for (const auto* serial : {"01", "03", "02"}) {
    Changes changes;
    changes.certificate = some_certificate(serial);
    issuance = run(store->commit(issuance, changes)).value();
  }
  Changes once_more;
  once_more.certificate = some_certificate("01");
  ASSERT_TRUE(run(store->commit(issuance, once_more)));

  EXPECT_THAT(serials(*run(store->certificates(true))),
              ElementsAre("a.example 02", "a.example 03", "a.example 01"));
  EXPECT_THAT(serials(*run(store->certificates(false))), ElementsAre("a.example 01"));
}

TEST_P(IssuanceStore, AnOrderIsHeldUnderItsLastUrl) {
  auto issuance = started("a.example");
  for (const auto* url : {"https://ca/o/1", "https://ca/o/2"}) {
    issuance.order_url = OrderUrl(url);
    issuance = run(store->commit(issuance, {})).value();
  }
  auto same = fresh_issuance("b.example");
  same.order_url = OrderUrl("https://ca/o/2");
  ASSERT_TRUE(run(store->start(same, {})));
  issuance.order_url = {};
  ASSERT_TRUE(run(store->commit(issuance, {})));

  std::vector<OrderUrl> urls = {OrderUrl("https://ca/o/1"), OrderUrl("https://ca/o/2")};
  EXPECT_THAT(run(store->unknown_orders(std::move(urls))).value(),
              ElementsAre(OrderUrl("https://ca/o/1")));
}

Reseal with(const std::string& suffix) {
  return [suffix](const SealedText& sealed) -> Result<std::string> {
    if (sealed.text == "bad") return fail(Error::Kind::misconfigured, "unseal", "no such key");
    return sealed.owner + suffix;
  };
}

TEST_P(IssuanceStore, ResealsAllAtOnceOrNothing) {
  Account account;
  account.ca = CaName("le");
  account.sealed_key = "key";
  account.next_key = {.type = KeyType::rsa_2048, .sealed = "next", .thumbprint = "t"};
  account = run(store->save_account(account, {})).value();
  auto issuance = fresh_issuance("a.example");
  issuance.sealed_key = "key";
  issuance = run(store->start(issuance, {})).value();
  (void)started("b.example");  // has no key

  EXPECT_EQ(run(store->reseal(with("!"), {some_event("resealed")})).value(), 3);
  EXPECT_EQ(run(store->account(account.ca)).value()->sealed_key, "le!");
  EXPECT_EQ(run(store->account(account.ca)).value()->next_key->sealed, "le!");
  EXPECT_EQ(run(store->issuance(issuance.id))->sealed_key, "a.example!");
  EXPECT_EQ(run(store->commit(issuance, {})).error().kind, Error::Kind::conflict);
  EXPECT_EQ(run(store->save_account(account, {})).error().kind, Error::Kind::conflict);
  EXPECT_EQ(run(store->reseal(with("!"), {})).value(), 0);
  EXPECT_EQ(run(store->issuance(issuance.id))->revision, 2);

  auto bad = fresh_issuance("b.example");
  bad.step = Step::failed;
  bad.sealed_key = "bad";
  ASSERT_TRUE(run(store->start(bad, {})));
  EXPECT_EQ(run(store->reseal(with("?"), {some_event("resealed")})).error().message(),
            "reseal: unseal: no such key");
  EXPECT_EQ(run(store->account(account.ca)).value()->sealed_key, "le!");
  EXPECT_EQ(run(store->issuance(issuance.id))->sealed_key, "a.example!");
  EXPECT_THAT(event_names(), ElementsAre("resealed"));
}

CERTHERD_ON_EACH_STORE(IssuanceStore);

}  // namespace
}  // namespace certherd::store

// Requests, the lease, the audit trail and accounts.
#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RequestStore : public StoreTest {
 protected:
  WorkRequest request(const std::string& name, const std::string& batch,
                      WorkRequest::Kind kind = WorkRequest::Kind::issue) {
    WorkRequest made;
    made.batch = batch;
    made.owner = "owner of " + batch;
    made.kind = kind;
    made.domain_id = domain(name).domain.id;
    made.domain = Fqdn::literal(name);
    made.requested_at = test_start;
    return made;
  }

  void submit(std::vector<WorkRequest> requests) {
    auto status = run(store->submit(std::move(requests)));
    ASSERT_TRUE(status) << status.error().message();
  }
};

TEST_P(RequestStore, GivesBackWhatWasSubmitted) {
  submit({request("b.example", "1"), request("a.example", "1", WorkRequest::Kind::renew),
          request("a.example", "2")});

  auto open = run(store->open_requests(0)).value();
  auto batch = run(store->batch("1")).value();

  ASSERT_EQ(open.size(), 3U);
  EXPECT_LT(open[0].id, open[1].id);
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].domain.text(), "b.example");
  EXPECT_EQ(batch[1].domain.text(), "a.example");
  EXPECT_EQ(batch[1].kind, WorkRequest::Kind::renew);
  EXPECT_EQ(batch[1].domain_id, domain("a.example").domain.id);
  EXPECT_EQ(batch[1].owner, "owner of 1");
  EXPECT_EQ(batch[1].requested_at, test_start);
  EXPECT_EQ(batch[1].done_at, std::nullopt);
}

TEST_P(RequestStore, KeepsWhatARequestSays) {
  auto revoke = request("a.example", "1", WorkRequest::Kind::revoke);
  revoke.arguments = {.target = {},
                      .serial = Serial("0a"),
                      .reason = RevocationReason::cessation_of_operation,
                      .by_key = true};
  auto deploy = request("b.example", "1", WorkRequest::Kind::deploy);
  deploy.arguments.target = TargetName("edge");
  submit({revoke, deploy, request("b.example", "1", WorkRequest::Kind::retire)});

  const auto batch = run(store->batch("1")).value();

  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch[0].kind, WorkRequest::Kind::revoke);
  EXPECT_EQ(batch[0].arguments, revoke.arguments);
  EXPECT_EQ(batch[1].kind, WorkRequest::Kind::deploy);
  EXPECT_EQ(batch[1].arguments, deploy.arguments);
  EXPECT_EQ(batch[2].kind, WorkRequest::Kind::retire);
  EXPECT_EQ(batch[2].arguments, WorkRequest::Arguments());
}

TEST_P(RequestStore, ReadsOnFromTheLastOne) {
  submit({request("b.example", "1"), request("a.example", "1")});
  const auto all = run(store->open_requests(0)).value();

  EXPECT_EQ(run(store->open_requests(all[0].id))->front().id, all[1].id);
  EXPECT_THAT(*run(store->open_requests(all[1].id)), IsEmpty());
}

TEST_P(RequestStore, AFinishedOneIsNoLongerOpen) {
  submit({request("a.example", "1")});
  const auto id = run(store->open_requests(0))->front().id;
  store.pass(std::chrono::seconds(5));

  ASSERT_TRUE(run(store->finish_request(id, "{\"outcome\":\"issued\"}")));
  ASSERT_TRUE(run(store->finish_request(id, "again")));

  EXPECT_THAT(*run(store->open_requests(0)), IsEmpty());
  auto batch = run(store->batch("1")).value();
  EXPECT_EQ(batch[0].done_at, test_start + std::chrono::seconds(5));
  EXPECT_EQ(batch[0].result, "{\"outcome\":\"issued\"}");
}

TEST_P(RequestStore, WithdrawsWhatIsOpenOfThatOwner) {
  submit({request("a.example", "1"), request("b.example", "1"), request("b.example", "2")});
  const auto first = run(store->open_requests(0))->front().id;
  ASSERT_TRUE(run(store->finish_request(first, "done")));

  ASSERT_TRUE(run(store->withdraw_requests("owner of 1")));

  EXPECT_EQ(run(store->batch("1"))->size(), 1U);
  EXPECT_EQ(run(store->open_requests(0))->size(), 1U);
}

TEST_P(RequestStore, ANumberIsNotGivenOutTwice) {
  submit({request("a.example", "1")});
  const auto withdrawn = run(store->open_requests(0))->front().id;
  ASSERT_TRUE(run(store->withdraw_requests("owner of 1")));
  submit({request("b.example", "2")});

  ASSERT_TRUE(run(store->finish_request(withdrawn, "late")));

  EXPECT_EQ(run(store->open_requests(0))->size(), 1U);
}

TEST_P(RequestStore, RefusesAnUnknownDomain) {
  auto unknown = request("a.example", "1");
  unknown.domain_id = DomainId{99};
  std::vector<WorkRequest> requests = {request("a.example", "1"), unknown};
  EXPECT_EQ(run(store->submit(std::move(requests))).error().kind, Error::Kind::conflict);
  EXPECT_THAT(*run(store->open_requests(0)), IsEmpty());
}

class LeaseStore : public StoreTest {
 protected:
  Lease acquire(const std::string& owner, bool (*dead)(const std::string&) = nullptr) {
    return run(store->acquire_lease(owner, std::chrono::minutes(1), dead)).value();
  }
};

TEST_P(LeaseStore, IsTakenWhenFreeAndProlongedByItsOwner) {
  EXPECT_EQ(acquire("one").owner, "one");
  store.pass(std::chrono::seconds(30));
  const auto lease = acquire("one");
  EXPECT_EQ(lease.owner, "one");
  EXPECT_EQ(lease.expires_at, test_start + std::chrono::seconds(90));
}

TEST_P(LeaseStore, StaysWithItsHolderUntilItExpires) {
  acquire("one");
  store.pass(std::chrono::seconds(59));
  const auto held = acquire("two");
  EXPECT_EQ(held.owner, "one");
  EXPECT_EQ(held.expires_at, test_start + std::chrono::minutes(1));

  store.pass(std::chrono::seconds(1));
  EXPECT_EQ(acquire("two").owner, "two");
  EXPECT_EQ(acquire("one").owner, "two");
}

TEST_P(LeaseStore, IsTakenAtOnceFromADeadHolder) {
  acquire("one");
  EXPECT_EQ(acquire("two", [](const std::string&) { return false; }).owner, "one");
  EXPECT_EQ(acquire("two", [](const std::string& owner) { return owner == "one"; }).owner, "two");
}

TEST_P(LeaseStore, IsGivenUpByItsOwnerOnly) {
  acquire("one");
  ASSERT_TRUE(run(store->release_lease("two")));
  EXPECT_EQ(acquire("two").owner, "one");
  ASSERT_TRUE(run(store->release_lease("one")));
  EXPECT_EQ(acquire("two").owner, "two");
}

class EventStore : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    std::vector<Event> events;
    for (int number = 1; number <= 4; ++number) {
      auto event = some_event("e" + std::to_string(number), number % 2 ? "a.example" : "b.example");
      event.at += std::chrono::seconds(number);
      event.detail = {{"serial", std::to_string(number)}, {"text", "\"x\"\n"}};
      events.push_back(std::move(event));
    }
    written = events;
    ASSERT_TRUE(run(store->append(std::move(events))));
  }

  std::vector<Event> written;
};

TEST_P(EventStore, GivesThemBackOldestFirst) {
  auto events = run(store->events({})).value();
  ASSERT_EQ(events.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(events[i].event, written[i]);
    if (i != 0) {
      EXPECT_LT(events[i - 1].number, events[i].number);
    }
  }
}

TEST_P(EventStore, ChoosesByDomainTimeAndNumber) {
  EventQuery query;
  query.domain = Fqdn::literal("a.example");
  EXPECT_THAT(event_names(query), ElementsAre("e1", "e3"));
  query.since = test_start + std::chrono::seconds(2);
  EXPECT_THAT(event_names(query), ElementsAre("e3"));

  query = {};
  query.since = test_start + std::chrono::seconds(2);
  EXPECT_THAT(event_names(query), ElementsAre("e2", "e3", "e4"));

  const auto all = run(store->events({})).value();
  query = {};
  query.after = all[2].number;
  EXPECT_THAT(event_names(query), ElementsAre("e4"));
}

TEST_P(EventStore, ALimitLeavesTheNewest) {
  EventQuery query;
  query.limit = 2;
  EXPECT_THAT(event_names(query), ElementsAre("e3", "e4"));
  query.domain = Fqdn::literal("a.example");
  query.limit = 1;
  EXPECT_THAT(event_names(query), ElementsAre("e3"));
}

using AccountStore = StoreTest;

TEST_P(AccountStore, IsKeptByCaAndReplaced) {
  EXPECT_FALSE(run(store->account(CaName("le")))->has_value());
  Account account;
  account.ca = CaName("le");
  account.directory = "https://ca/dir";
  account.key_type = KeyType::ed25519;
  account.sealed_key = "sealed";
  account.thumbprint = "thumb";
  account.contact = {"mailto:a@example.com"};
  account.created_at = test_start;
  auto saved = run(store->save_account(account, {some_event("account.key_created")}));
  ASSERT_TRUE(saved) << saved.error().message();
  account = *saved;
  account.url = AccountUrl("https://ca/acct/1");
  account.status = "valid";
  account.next_key = {.type = KeyType::rsa_2048, .sealed = "next", .thumbprint = "print"};
  ASSERT_TRUE(run(store->save_account(account, {some_event("account.registered")})));

  const auto read = run(store->account(CaName("le"))).value();

  ASSERT_TRUE(read);
  EXPECT_EQ(read->ca, account.ca);
  EXPECT_EQ(read->directory, account.directory);
  EXPECT_EQ(read->key_type, account.key_type);
  EXPECT_EQ(read->sealed_key, account.sealed_key);
  EXPECT_EQ(read->thumbprint, account.thumbprint);
  EXPECT_EQ(read->url, account.url);
  EXPECT_EQ(read->status, account.status);
  EXPECT_EQ(read->contact, account.contact);
  EXPECT_EQ(read->created_at, account.created_at);
  EXPECT_EQ(read->next_key, account.next_key);
  EXPECT_EQ(read->revision, 2);
  EXPECT_FALSE(run(store->account(CaName("other")))->has_value());
  EXPECT_THAT(event_names(), ElementsAre("account.key_created", "account.registered"));
}

// Otherwise a process with an old copy could put back a key that the CA takes no more.
TEST_P(AccountStore, IsNotWrittenOverWhatAnotherProcessWrote) {
  Account account;
  account.ca = CaName("le");
  account.key_type = KeyType::ecdsa_p256;
  account.sealed_key = "first";
  const auto first = run(store->save_account(account, {})).value();
  account.sealed_key = "a second first one";
  EXPECT_EQ(run(store->save_account(account, {})).error().kind, Error::Kind::conflict);

  auto changed = first;
  changed.sealed_key = "new";
  ASSERT_TRUE(run(store->save_account(changed, {})));
  auto stale = first;
  stale.contact = {"mailto:late@example.com"};
  EXPECT_EQ(run(store->save_account(stale, {some_event("late")})).error().kind,
            Error::Kind::conflict);

  EXPECT_EQ(run(store->account(CaName("le"))).value()->sealed_key, "new");
  EXPECT_THAT(event_names(), IsEmpty());
}

TEST_P(RequestStore, MayBeAboutADomainThatWasRemoved) {
  auto made = request("a.example", "1");
  InventoryChange change;
  change.removed = {domain("a.example").domain};
  ASSERT_TRUE(run(store->change_inventory(change)));
  made.domain = {};
  submit({made});
  EXPECT_EQ(run(store->open_requests(0))->front().domain, Fqdn::literal("a.example"));
  EXPECT_THAT(*run(store->batch("no such")), IsEmpty());
}

TEST_P(EventStore, BoundsThatReachBeyondAllAreNone) {
  EventQuery query;
  query.limit = 100;
  EXPECT_EQ(event_names(query).size(), 4U);
  query = {};
  query.after = 4;
  EXPECT_THAT(event_names(query), IsEmpty());
  query = {};
  query.domain = Fqdn();
  EXPECT_THAT(event_names(query), IsEmpty()) << "each is about a domain";
  query.limit = 1;
  query.domain = Fqdn::literal("b.example");
  query.after = 1;
  EXPECT_THAT(event_names(query), ElementsAre("e4"));
}

TEST_P(EventStore, ANumberIsGivenOutForWhatIsWrittenAlone) {
  Account stale;
  stale.revision = 5;
  EXPECT_FALSE(run(store->save_account(stale, {some_event("late")})));
  ASSERT_TRUE(run(store->append({some_event("e5")})));
  const auto events = run(store->events({})).value();
  EXPECT_EQ(events.front().number, 1);
  EXPECT_EQ(events.back().number, 5);
}

CERTHERD_ON_EACH_STORE(RequestStore);
CERTHERD_ON_EACH_STORE(LeaseStore);
CERTHERD_ON_EACH_STORE(EventStore);
CERTHERD_ON_EACH_STORE(AccountStore);

}  // namespace
}  // namespace certherd::store

// What of the inventory is new since an earlier reading.
#include "store/store_testing.hpp"
#include "store/touched.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class InventoryNewsOf : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    EXPECT_TRUE(look().all);
  }

  /// Since the last look.
  InventoryNews look() {
    auto news = run(store->domains_since(mark));
    EXPECT_TRUE(news) << news.error().message();
    if (!news) return {};
    mark = news->mark;
    return std::move(*news);
  }
  std::vector<std::string> changed() {
    const auto news = look();
    EXPECT_FALSE(news.all);
    EXPECT_THAT(news.removed, IsEmpty());
    return names_of(news);
  }
  static std::vector<std::string> names_of(const InventoryNews& news) {
    std::vector<std::string> names;
    for (const auto& row : news.changed) names.push_back(row.domain.name.text());
    return names;
  }

  void change(InventoryChange change) {
    auto status = run(store->change_inventory(std::move(change)));
    ASSERT_TRUE(status) << status.error().message();
  }
  void add(const std::vector<std::string>& names) {
    InventoryChange change;
    for (const auto& name : names) change.added.push_back(some_domain(name));
    this->change(std::move(change));
  }
  void remove(const std::string& name) {
    InventoryChange change;
    change.removed = {domain(name).domain};
    this->change(std::move(change));
  }

  Mark mark;
};

TEST_P(InventoryNewsOf, BeginsWithAllOfIt) {
  mark = {};
  const auto news = look();
  EXPECT_TRUE(news.all);
  EXPECT_THAT(names_of(news), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(news.removed, IsEmpty());
}

TEST_P(InventoryNewsOf, IsNothingWhereNothingWasWritten) {
  (void)run(store->domains());
  ASSERT_TRUE(run(store->append({some_event("e", "a.example")})));
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_P(InventoryNewsOf, IsEveryDomainThatAVerbWrites) {
  auto issuance = started("b.example");
  EXPECT_THAT(changed(), ElementsAre("b.example"));

  issuance.step = Step::new_order;
  issuance = run(store->commit(issuance, {})).value();
  auto news = look();
  EXPECT_THAT(names_of(news), ElementsAre("b.example"));
  EXPECT_EQ(news.changed.front().working, Step::new_order);

  Changes changes;
  changes.certificate = some_certificate("01");
  changes.outcome = Changes::Outcome{.failures = 1, .next_at = {}, .last_error = {}};
  ASSERT_TRUE(run(store->amend(issuance.domain_id, changes)));
  news = look();
  EXPECT_THAT(names_of(news), ElementsAre("b.example"));
  EXPECT_EQ(news.changed.front().certificate->serial, Serial("01"));
  EXPECT_EQ(news.changed.front().domain.failures, 1);

  Renewal renewal;
  renewal.poll_at = test_start;
  ASSERT_TRUE(run(store->save_renewals({{issuance.domain_id, Serial("01"), renewal}},
                                       {some_event("renewal.window", "a.example")})));
  news = look();
  EXPECT_THAT(names_of(news), ElementsAre("b.example"));
  EXPECT_EQ(news.changed.front().certificate->renewal, renewal);

  InventoryChange other;
  other.changed = {domain("b.example").domain};
  other.changed.front().owner = "web";
  other.added = {some_domain("0.example")};
  change(std::move(other));
  news = look();
  EXPECT_THAT(names_of(news), ElementsAre("0.example", "b.example"));
  EXPECT_EQ(news.changed.back().domain.owner, "web");
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_P(InventoryNewsOf, ARemovedDomainIsThatItIsGone) {
  const auto id = domain("a.example").domain.id;
  remove("a.example");
  const auto news = look();
  EXPECT_FALSE(news.all);
  EXPECT_THAT(news.changed, IsEmpty());
  EXPECT_THAT(news.removed, ElementsAre(id));
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_P(InventoryNewsOf, ADomainThatCameBackIsThatItIsThere) {
  remove("a.example");
  add({"a.example"});
  EXPECT_THAT(changed(), ElementsAre("a.example"));

  remove("a.example");
  EXPECT_THAT(names_of(look()), IsEmpty());
  add({"a.example"});
  EXPECT_THAT(changed(), ElementsAre("a.example"));
}

TEST_P(InventoryNewsOf, EachReaderGoesOnFromItsOwnMark) {
  const auto early = mark;
  (void)started("b.example");
  EXPECT_THAT(changed(), ElementsAre("b.example"));
  (void)started("a.example");
  EXPECT_THAT(changed(), ElementsAre("a.example"));
  mark = early;
  EXPECT_THAT(changed(), ElementsAre("a.example", "b.example"));
}

TEST_P(InventoryNewsOf, SoManyThatAllOfItIsCheaper) {
  std::vector<std::string> names(1'000);
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = fmt::format("{}.example", i);
  add(names);
  EXPECT_TRUE(look().all) << "all that the reader knew has changed";

  const auto write_some = [this, &names](std::size_t count) {
    InventoryChange change;
    for (std::size_t i = 0; i < count; ++i) {
      change.changed.push_back(domain(names[i]).domain);
      change.changed.back().owner = "web";
    }
    this->change(std::move(change));
  };
  write_some(125);
  EXPECT_EQ(changed().size(), 125U);
  write_some(126);
  const auto news = look();
  EXPECT_TRUE(news.all);
  EXPECT_EQ(news.changed.size(), 1'002U);
}

TEST_P(InventoryNewsOf, AMarkOfAnotherStoreObjectSaysNothing) {
  Opened other(GetParam());
  ASSERT_TRUE(other.ok());
  mark = other.run(other->domains_since({}))->mark;
  EXPECT_TRUE(look().all);
}

// What a caller may name is written for nobody, and so is told without being remembered.
TEST(TouchedDomains, AnIdThatIsNoneMakesAllNew) {
  Touched touched;
  touched.note(DomainId{3});
  const auto mark = touched.mark();
  touched.note({DomainId{2}, DomainId{3}, DomainId{2}});
  EXPECT_EQ(touched.since(mark, touched.mark()), (std::vector{DomainId{2}, DomainId{3}}));
  for (const auto odd : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    const auto before = touched.mark();
    touched.note(DomainId{odd});
    EXPECT_EQ(touched.since(before, touched.mark()), std::nullopt);
    EXPECT_EQ(touched.since(touched.mark(), touched.mark()), std::vector<DomainId>());
  }
}

class NewsOfAFile : public testing::Test {
 protected:
  static Options file(const std::filesystem::path& path, bool create = false) {
    return {.url = "sqlite:" + path.string(), .create = create};
  }
  static InventoryNews look(Opened& store, Mark& mark) {
    auto news = store.run(store->domains_since(mark)).value();
    mark = news.mark;
    return news;
  }
  static void add(Opened& store, const std::string& name) {
    std::vector<Domain> domains = {some_domain(name)};
    ASSERT_TRUE(store.run(store->add_domains(std::move(domains), {})));
  }

  TempFolder folder;
};

TEST_F(NewsOfAFile, WhatAnotherProcessWritesIsAll) {
  Opened ours(file(folder / "state.db", true));
  Opened theirs(file(folder / "state.db"));
  Mark mark;
  add(ours, "a.example");
  EXPECT_TRUE(look(ours, mark).all);
  add(ours, "b.example");
  auto news = look(ours, mark);
  EXPECT_FALSE(news.all);
  EXPECT_EQ(news.changed.size(), 1U);

  (void)theirs.run(theirs->domains());
  EXPECT_FALSE(look(ours, mark).all) << "who reads changes nothing";

  add(theirs, "c.example");
  news = look(ours, mark);
  EXPECT_TRUE(news.all);
  EXPECT_EQ(news.changed.size(), 3U);
  news = look(ours, mark);
  EXPECT_FALSE(news.all);
  EXPECT_THAT(news.changed, IsEmpty());

  add(theirs, "d.example");
  add(ours, "e.example");  // which makes our session see what the other one has written
  news = look(ours, mark);
  EXPECT_TRUE(news.all);
  EXPECT_EQ(news.changed.size(), 5U);
}

TEST_F(NewsOfAFile, AMarkFromBeforeItWasOpenedAnewSaysNothing) {
  Mark mark;
  {
    Opened store(file(folder / "state.db", true));
    EXPECT_TRUE(look(store, mark).all);
    EXPECT_FALSE(look(store, mark).all);
  }
  Opened store(file(folder / "state.db"));
  EXPECT_TRUE(look(store, mark).all);
}

CERTHERD_ON_EACH_STORE(InventoryNewsOf);

}  // namespace
}  // namespace certherd::store

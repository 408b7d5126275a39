#include "dns/route53/record_changes.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dns/route53/readings.hpp"

namespace certherd::dns::route53 {
namespace {

constexpr auto create = SetChange::Action::create;
constexpr auto remove = SetChange::Action::remove;

const Fqdn a = Fqdn::literal("_acme-challenge.a.example.com");
const Fqdn b = Fqdn::literal("_acme-challenge.b.example.com");

TxtChange ensuring(const Fqdn& name, const std::string& value) {
  return {.action = TxtChange::Action::ensure, .name = name, .value = TxtValue(value)};
}
TxtChange removing(const Fqdn& name, const std::string& value) {
  return {.action = TxtChange::Action::remove, .name = name, .value = TxtValue(value)};
}

SetChange change(SetChange::Action action, const Fqdn& name, std::vector<std::string> texts,
                 std::uint32_t ttl = 60) {
  return {.action = action, .name = name, .set = {.ttl = ttl, .texts = std::move(texts)}};
}

using Changes = std::vector<SetChange>;

TEST(RecordChanges, OfUnreadNamesAreMadeAsIfNothingOfOthersStoodThere) {
  const RecordChanges batch({ensuring(b, "new"), removing(a, "two"), removing(a, "one"),
                             removing(b, "old"), ensuring(b, "new")},
                            {});
  EXPECT_EQ(batch.changes(),
            (Changes{change(remove, a, {"\"one\"", "\"two\""}), change(remove, b, {"\"old\""}),
                     change(create, b, {"\"new\""})}));
}

TEST(RecordChanges, KeepValuesOfOthersAsTheyAreWrittenAndTheirTtl) {
  const KnownSets known{{a, RecordSet{.ttl = 3600, .texts = {R"("v=\163pf1")", "\"old\"", "odd"}}}};
  const RecordChanges batch({ensuring(a, "new"), removing(a, "old")}, known);
  EXPECT_EQ(batch.changes(),
            (Changes{change(remove, a, {R"("v=\163pf1")", "\"old\"", "odd"}, 3600),
                     change(create, a, {R"("v=\163pf1")", "odd", "\"new\""}, 3600)}));
}

TEST(RecordChanges, LeaveOwnValuesWithTheirOwnTtl) {
  const KnownSets known{{a, RecordSet{.ttl = 3600, .texts = {"\"old\""}}}};
  const RecordChanges batch({ensuring(a, "new"), removing(a, "old")}, known);
  EXPECT_EQ(batch.changes(),
            (Changes{change(remove, a, {"\"old\""}, 3600), change(create, a, {"\"new\""}, 60)}));
}

TEST(RecordChanges, DeleteASetOfWhichNothingIsLeft) {
  const KnownSets known{{a, RecordSet{.ttl = 5, .texts = {"\"o\\156e\""}}}};
  EXPECT_EQ(RecordChanges({removing(a, "one")}, known).changes(),
            (Changes{change(remove, a, {"\"o\\156e\""}, 5)}));
}

TEST(RecordChanges, CreateWhereNothingStands) {
  const KnownSets known{{a, std::nullopt}};
  EXPECT_EQ(RecordChanges({ensuring(a, "one")}, known).changes(),
            (Changes{change(create, a, {"\"one\""})}));
}

TEST(RecordChanges, HaveNothingToDoForWhatIsGoneAlready) {
  const KnownSets known{{a, std::nullopt}, {b, RecordSet{.texts = {"\"theirs\""}}}};
  EXPECT_TRUE(RecordChanges({removing(a, "one"), removing(b, "one")}, known).changes().empty());
}

TEST(RecordChanges, WriteAgainWhatStandsAlreadySinceItNeedNotBeInSync) {
  const KnownSets known{{a, RecordSet{.ttl = 300, .texts = {"\"one\"", "\"theirs\""}}}};
  EXPECT_EQ(RecordChanges({ensuring(a, "one")}, known).changes(),
            (Changes{change(remove, a, {"\"one\"", "\"theirs\""}, 300),
                     change(create, a, {"\"one\"", "\"theirs\""}, 300)}));
}

// A batch that was carried out and whose reply was lost must not become too large by that.
TEST(RecordChanges, WriteAgainNoMoreThanThereIsRoomFor) {
  std::vector<TxtChange> changes;
  KnownSets known;
  for (int i = 0; i < 800; ++i) {
    const auto name = Fqdn::literal(fmt::format("_acme-challenge.n{}.example.com", i));
    changes.push_back(ensuring(name, fmt::format("{:_>43}", i)));
    known[name] = RecordSet{.texts = {fmt::format("\"{:_>43}\"", i)}};
  }
  changes.push_back(ensuring(a, "new"));
  const RecordChanges batch(changes, known);
  EXPECT_TRUE(batch.fits());
  EXPECT_EQ(batch.changes().front(), change(create, a, {"\"new\""}));
  // 32,000 characters hold 711 values of 45; two for each set that is written again.
  EXPECT_EQ(batch.changes().size(), 1 + 2 * 355);
}

TEST(RecordChanges, FitUpToAThousandValuesAnd32000Characters) {
  std::vector<TxtChange> changes;
  for (int i = 0; i < 1000; ++i) changes.push_back(ensuring(a, std::to_string(i)));
  EXPECT_TRUE(RecordChanges(changes, {}).fits());
  changes.push_back(removing(b, "x"));
  EXPECT_FALSE(RecordChanges(changes, {}).fits());

  changes.clear();
  for (int i = 0; i < 128; ++i) changes.push_back(ensuring(a, fmt::format("{:_>248}", i)));
  EXPECT_TRUE(RecordChanges(changes, {}).fits());
  changes.push_back(ensuring(b, ""));
  EXPECT_FALSE(RecordChanges(changes, {}).fits());
}

ListedSet listed(const std::string& name, const std::string& type, const std::string& text,
                 bool simple = true) {
  return {.name = name, .type = type, .simple = simple, .set = {.ttl = 60, .texts = {text}}};
}

TEST(Readings, GoByNameAndType) {
  Readings readings({a});
  EXPECT_EQ(readings.next(), a);
  // Route 53 begins at the name and goes on with whatever comes next.
  readings.learn({.sets = {listed("_dmarc.a.example.com.", "TXT", "\"v=DMARC1\"")},
                  .truncated = true,
                  .next_name = "z.example.com."});
  ASSERT_TRUE(readings.complete());
  EXPECT_EQ(readings.of().at(a).set, std::nullopt);

  Readings of_a_type({a});
  of_a_type.learn({.sets = {listed(a.text() + ".", "SPF", "\"v=spf1\"")},
                   .truncated = true,
                   .next_name = a.text() + "."});
  ASSERT_TRUE(of_a_type.complete());
  EXPECT_EQ(of_a_type.of().at(a).set, std::nullopt);
}

TEST(Readings, LearnOfAllNamesThatAPageCovers) {
  const auto c = Fqdn::literal("_acme-challenge.c.example.com");
  const auto d = Fqdn::literal("_acme-challenge.d.example.com");
  Readings readings({d, c, b, a});
  EXPECT_EQ(readings.next(), a);
  readings.learn({.sets = {listed(a.text() + ".", "TXT", "\"one\""),
                           listed("c.example.com.", "A", "192.0.2.1")},
                  .truncated = true,
                  .next_name = "_acme-challenge.c.example.com."});
  EXPECT_EQ(readings.of().at(a).set, (RecordSet{.ttl = 60, .texts = {"\"one\""}}));
  EXPECT_EQ(readings.of().at(b).set, std::nullopt);
  EXPECT_EQ(readings.missing(), 2);
  EXPECT_EQ(readings.next(), c);
  readings.learn({.sets = {listed(c.text() + ".", "TXT", "\"eu\"", false)},
                  .truncated = false,
                  .next_name = ""});
  ASSERT_TRUE(readings.complete());
  EXPECT_FALSE(readings.of().at(c).simple);
  EXPECT_TRUE(readings.of().at(d).simple);
  EXPECT_EQ(readings.of().at(d).set, std::nullopt);
}

TEST(Readings, TakeOnlyTheFirstNameFromAPageInAnotherOrder) {
  Readings readings({a, b});
  readings.learn({.sets = {listed("z.example.com.", "A", "x"), listed("c.example.com.", "A", "x")},
                  .truncated = false,
                  .next_name = ""});
  EXPECT_TRUE(readings.of().contains(a));
  EXPECT_EQ(readings.next(), b);
}

TEST(Readings, GoOnBehindANameThatIsNoFqdn) {
  Readings readings({a, b});
  readings.learn({.sets = {listed("0\\05725.a.example.com.", "A", "x")},
                  .truncated = true,
                  .next_name = "1\\05725.a.example.com."});
  EXPECT_TRUE(readings.of().contains(a));
  EXPECT_EQ(readings.next(), b);
}

}  // namespace
}  // namespace certherd::dns::route53

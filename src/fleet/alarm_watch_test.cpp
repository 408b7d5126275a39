#include "fleet/alarm_watch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/store_testing.hpp"

namespace certherd::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using Kind = Alarm::Kind;
using ErrorKind = Error::Kind;
using namespace std::chrono_literals;

class AlarmWatchTest : public testing::Test {
 protected:
  AlarmWatch watch() { return {*store.operator->(), {{.notifier = NotifierName("mail")}}, {}}; }

  store::DomainRow& add(const std::string& name) {
    auto& row = rows.emplace_back();
    row.domain = store::some_domain(name);
    row.domain.id = DomainId{static_cast<std::int64_t>(rows.size())};
    return row;
  }
  static void let_fail(store::DomainRow& row) {
    row.domain.failures = 2;
    row.domain.last_error = fail(ErrorKind::transient, "finalize", "no route").value();
  }
  static void mend(store::DomainRow& row) {
    row.domain.failures = 0;
    row.domain.last_error.reset();
  }

  AlarmWatch::Subject subject(const store::DomainRow& row) {
    const auto found = seen.find(row.domain.id);
    return {.name = row.domain.name,
            .row = &row,
            .seen = found == seen.end() ? nullptr : &found->second};
  }

  int review(AlarmWatch& by) {
    std::vector<AlarmWatch::Subject> subjects;
    for (const auto& name : std::exchange(gone, {})) subjects.push_back({.name = name});
    for (const auto& row : rows) subjects.push_back(subject(row));
    const auto find = [this](const Fqdn& name) {
      const auto row =
          std::ranges::find(rows, name, [](const auto& one) { return one.domain.name; });
      return row == rows.end() ? AlarmWatch::Subject{.name = name} : subject(*row);
    };
    auto changed = store.run(by.review(std::move(subjects), find, unusable, store.clock().now()));
    EXPECT_TRUE(changed) << changed.error().message();
    return changed.value_or(-1);
  }
  /// What the notifier is told, and forgets.
  std::vector<std::string> told() {
    store.pass(1min);
    const Time until = store.clock().now() + 5min;
    auto taken = store.run(store->take_notifications(NotifierName("mail"), 1'000, until)).value();
    std::vector<std::string> words;
    std::vector<NotificationId> ids;
    for (const auto& [id, alarm, over, attempts] : taken) {
      words.push_back(fmt::format("{}{} {}{}", over ? '-' : '+', to_string(alarm.key.kind),
                                  alarm.key.domain, alarm.key.ca));
      endings.push_back(alarm.ending);
      ids.push_back(id);
    }
    EXPECT_TRUE(store.run(store->finish_notifications(std::move(ids))));
    return words;
  }

  store::Opened store{{.url = "sqlite::memory:"}};
  std::vector<store::DomainRow> rows;
  std::vector<Fqdn> gone;  ///< from the inventory since the last review
  std::map<DomainId, AlarmWatch::Sighting> seen;
  std::map<CaName, Error> unusable;
  std::vector<std::string> endings;
};

TEST_F(AlarmWatchTest, TellsWhatBeginsAndWhatIsOverOnce) {
  let_fail(add("a.example"));
  add("b.example");
  auto one = watch();
  EXPECT_EQ(review(one), 1);
  EXPECT_EQ(review(one), 0);
  EXPECT_THAT(told(), ElementsAre("+failing a.example"));

  mend(rows[0]);
  EXPECT_EQ(review(one), 1);
  EXPECT_EQ(review(one), 0);
  EXPECT_THAT(told(), ElementsAre("-failing a.example"));
  EXPECT_EQ(endings.back(), "a.example does not fail any more");
}

TEST_F(AlarmWatchTest, ARestartTellsNothingTwice) {
  let_fail(add("a.example"));
  auto one = watch();
  review(one);
  auto next = watch();
  EXPECT_EQ(review(next), 0);
  mend(rows[0]);
  auto third = watch();
  EXPECT_EQ(review(third), 1);
  auto fourth = watch();
  EXPECT_EQ(review(fourth), 0);
  EXPECT_THAT(told(), ElementsAre("+failing a.example", "-failing a.example"));
}

TEST_F(AlarmWatchTest, TwoProcessesTellNothingTwice) {
  auto one = watch();
  auto other = watch();
  let_fail(add("a.example"));
  EXPECT_EQ(review(one), 1);
  EXPECT_EQ(review(other), 0);
  EXPECT_EQ(review(other), 0);
  mend(rows[0]);
  EXPECT_EQ(review(other), 1);
  EXPECT_EQ(review(one), 0);
  EXPECT_THAT(told(), ElementsAre("+failing a.example", "-failing a.example"));
}

TEST_F(AlarmWatchTest, SeesWhatAnotherProcessHasRaisedMeanwhile) {
  let_fail(add("a.example"));
  auto one = watch();
  mend(rows[0]);
  EXPECT_EQ(review(one), 0);
  let_fail(rows[0]);
  auto other = watch();
  EXPECT_EQ(review(other), 1);
  mend(rows[0]);
  store.pass(10min);
  EXPECT_EQ(review(one), 1);
  EXPECT_THAT(told(), ElementsAre("+failing a.example", "-failing a.example"));
}

TEST_F(AlarmWatchTest, ARemovedOrDisabledDomainHasNoAlarms) {
  let_fail(add("a.example"));
  let_fail(add("b.example"));
  auto one = watch();
  review(one);
  rows[1].domain.enabled = false;
  gone = {rows[0].domain.name};
  rows.erase(rows.begin());
  EXPECT_EQ(review(one), 2);
  EXPECT_THAT(told(), SizeIs(4));
  EXPECT_THAT(endings,
              ElementsAre("a.example is in the inventory no more", "b.example is disabled",
                          "a.example is in the inventory no more", "b.example is disabled"));
}

TEST_F(AlarmWatchTest, OneThatWasRemovedUnseenHasNoAlarmsAfterTheNextRead) {
  let_fail(add("a.example"));
  auto one = watch();
  review(one);
  rows.clear();
  EXPECT_EQ(review(one), 0);
  store.pass(10min);
  EXPECT_EQ(review(one), 1);
  EXPECT_THAT(told(), ElementsAre("+failing a.example", "-failing a.example"));
}

TEST_F(AlarmWatchTest, LooksAtWhatIsSeenAndAtTheCas) {
  auto& row = add("a.example");
  row.certificate = store::some_certificate("0a");
  row.certificate->targets[TargetName("edge")] = Installed::installed;
  seen[row.domain.id].seen = {{.endpoint = Endpoint::parse("a.example").value(),
                               .serial = Serial("0b"),
                               .fingerprint = Fingerprint("f0b"),
                               .issuer = "Some CA",
                               .not_before = store::test_start,
                               .not_after = store::test_start + std::chrono::days(90)}};
  unusable[CaName("le")] = fail(ErrorKind::denied, "register", "no").value();
  auto one = watch();
  EXPECT_EQ(review(one), 2);
  EXPECT_EQ(review(one), 0);
  seen.clear();
  EXPECT_EQ(review(one), 0) << "nobody has looked again";
  seen[row.domain.id].looked_at = true;
  unusable.clear();
  EXPECT_EQ(review(one), 2);
  EXPECT_THAT(told(), UnorderedElementsAre("+not-served a.example", "+account le",
                                           "-not-served a.example", "-account le"));
}

TEST_F(AlarmWatchTest, AFleetThatFailsAsAWholeIsOneReview) {
  constexpr int many = 2'000;
  for (int i = 0; i < many; ++i) let_fail(add(fmt::format("d{:05}.example", i)));
  auto one = watch();
  EXPECT_EQ(review(one), many);
  EXPECT_EQ(review(one), 0);
}

TEST(UnusableCas, AreThoseThatSayWhy) {
  Ports ports;
  ports.cas[CaName("good")];
  ports.cas[CaName("bad")].unusable = fail(ErrorKind::denied, "register", "no").value();
  EXPECT_THAT(unusable_cas(ports), ElementsAre(testing::Key(CaName("bad"))));
}

}  // namespace
}  // namespace certherd::fleet

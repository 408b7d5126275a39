#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Alarm::Kind;
using namespace std::chrono_literals;

class AlarmStore : public StoreTest {
 protected:
  static Alarm failing(const std::string& domain) {
    return {.key = {.kind = Kind::failing, .domain = Fqdn::literal(domain)},
            .since = test_start,
            .detail = "why " + domain};
  }
  static Alarm ended(Alarm alarm, Duration after = 1h) {
    alarm.cleared_at = test_start + after;
    alarm.ending = "how";
    return alarm;
  }

  int change(std::vector<Alarm> raised, std::vector<Alarm> cleared = {}) {
    AlarmChanges changes{.raised = std::move(raised),
                         .cleared = std::move(cleared),
                         .subscriptions = subscriptions,
                         .notify_at = store.clock().now() + gather};
    return run(store->change_alarms(std::move(changes))).value();
  }
  std::vector<std::string> standing() {
    std::vector<std::string> names;
    for (const auto& alarm : run(store->standing_alarms()).value()) {
      EXPECT_EQ(alarm.since, test_start);
      EXPECT_EQ(alarm.detail, "why " + alarm.key.domain.text());
      names.push_back(alarm.key.domain.text());
    }
    return names;
  }
  std::vector<Notification> take(const std::string& notifier = "mail", Duration keep = 5min) {
    return run(store->take_notifications(NotifierName(notifier), limit, store.clock().now() + keep))
        .value();
  }
  static std::vector<std::string> told(const std::vector<Notification>& notifications) {
    std::vector<std::string> words;
    for (const auto& [id, alarm, over, attempts] : notifications) {
      words.push_back((over ? "-" : "+") + alarm.key.domain.text());
    }
    return words;
  }
  static std::vector<NotificationId> ids(const std::vector<Notification>& notifications) {
    std::vector<NotificationId> found;
    for (const auto& notification : notifications) found.push_back(notification.id);
    return found;
  }
  int put_off(const std::vector<Notification>& notifications, Duration pause) {
    PutOff put_off{.notifications = ids(notifications),
                   .next_at = store.clock().now() + pause,
                   .give_up = store.clock().now() - 24h,
                   .error = "no route"};
    return run(store->put_off_notifications(std::move(put_off))).value();
  }
  std::optional<Time> next(const std::string& notifier = "mail") {
    return run(store->next_notification(NotifierName(notifier))).value();
  }
  std::vector<Event> events_called(const std::string& name) {
    std::vector<Event> found;
    for (auto& [number, event] : run(store->events({})).value()) {
      if (event.event == name) found.push_back(std::move(event));
    }
    return found;
  }

  std::vector<Subscription> subscriptions = {{.notifier = NotifierName("mail")}};
  Duration gather{};
  std::size_t limit = 100;
};

TEST_P(AlarmStore, AnAlarmIsRaisedOnceAndClearedOnce) {
  EXPECT_EQ(change({failing("a.example"), failing("b.example")}), 2);
  EXPECT_EQ(change({failing("a.example"), failing("b.example")}), 0);
  EXPECT_THAT(standing(), ElementsAre("a.example", "b.example"));

  EXPECT_EQ(change({}, {ended(failing("a.example"))}), 1);
  EXPECT_EQ(change({}, {ended(failing("a.example"), 2h)}), 0);
  EXPECT_THAT(standing(), ElementsAre("b.example"));
  EXPECT_THAT(event_names(), ElementsAre("alarm.raised", "alarm.raised", "alarm.cleared"));
  EXPECT_THAT(told(take()), ElementsAre("+a.example", "+b.example", "-a.example"));
}

TEST_P(AlarmStore, TheEventsTellWhatItIsAndHowItEnded) {
  auto account = failing("a.example");
  account.key = {.kind = Kind::account, .domain = {}, .ca = CaName("le")};
  change({account});
  change({}, {ended(failing("a.example"))});
  auto over = ended(account);
  over.since = {};
  over.detail.clear();
  change({}, {over});

  EXPECT_EQ(events_called("alarm.raised"),
            std::vector{(Event{
                .at = test_start,
                .domain = {},
                .event = "alarm.raised",
                .detail = {{"alarm", "account"}, {"ca", "le"}, {"detail", "why a.example"}}})});
  EXPECT_EQ(events_called("alarm.cleared"),
            std::vector{(Event{.at = test_start + 1h,
                               .domain = {},
                               .event = "alarm.cleared",
                               .detail = {{"alarm", "account"},
                                          {"ca", "le"},
                                          {"since", "2026-11-23T00:00:00Z"},
                                          {"detail", "how"}}})});
  const auto notifications = take();
  ASSERT_THAT(notifications, SizeIs(2));
  over.id = notifications[1].alarm.id;
  over.since = test_start;
  over.detail = account.detail;
  EXPECT_EQ(notifications[1].alarm, over) << "what began stands beside how it ended";
}

TEST_P(AlarmStore, MayBeginAnewAndThenIsToldAnew) {
  change({failing("a.example")});
  change({}, {ended(failing("a.example"))});
  EXPECT_EQ(change({failing("a.example")}), 1);
  EXPECT_EQ(change({failing("a.example")}, {ended(failing("a.example"))}), 2) << "both at one time";
  EXPECT_THAT(standing(), ElementsAre("a.example"));
  EXPECT_THAT(told(take()),
              ElementsAre("+a.example", "-a.example", "+a.example", "-a.example", "+a.example"));
}

TEST_P(AlarmStore, OnlyThoseAreToldWhoWantToHearOfIt) {
  subscriptions = {{.notifier = NotifierName("all")},
                   {.notifier = NotifierName("begins"), .endings = false},
                   {.notifier = NotifierName("account"), .kinds = {Kind::account}}};
  change({failing("a.example")});
  change({}, {ended(failing("a.example"))});
  EXPECT_THAT(told(take("all")), ElementsAre("+a.example", "-a.example"));
  EXPECT_THAT(told(take("begins")), ElementsAre("+a.example"));
  EXPECT_THAT(take("account"), IsEmpty());
}

TEST_P(AlarmStore, NotificationsWaitForTheTimeOfTheOldest) {
  gather = 10s;
  change({failing("a.example")});
  EXPECT_EQ(next(), store.clock().now() + 10s);
  EXPECT_THAT(take(), IsEmpty());
  store.pass(9s);
  change({failing("b.example")});
  store.pass(1s);
  EXPECT_THAT(told(take()), ElementsAre("+a.example", "+b.example"));
  EXPECT_EQ(next("other"), std::nullopt);
}

TEST_P(AlarmStore, WhatOneHasTakenAnotherDoesNotGetUntilItIsLate) {
  change({failing("a.example")});
  const auto taken = take();
  ASSERT_THAT(taken, SizeIs(1));
  change({failing("b.example")});
  EXPECT_THAT(take(), IsEmpty()) << "the order must stay";
  store.pass(5min);
  EXPECT_THAT(told(take()), ElementsAre("+a.example", "+b.example")) << "the first has died";
}

TEST_P(AlarmStore, TakesNoMoreThanAskedFor) {
  limit = 1;
  change({failing("a.example"), failing("b.example")});
  const auto first = take();
  EXPECT_THAT(told(first), ElementsAre("+a.example"));
  ASSERT_TRUE(run(store->finish_notifications(ids(first))));
  ASSERT_TRUE(run(store->finish_notifications(ids(first))));
  EXPECT_THAT(told(take()), ElementsAre("+b.example"));
}

TEST_P(AlarmStore, WhatFailedIsTakenAgainLaterWithItsAttempts) {
  change({failing("a.example")});
  EXPECT_EQ(put_off(take(), 1min), 0);
  EXPECT_THAT(take(), IsEmpty());
  store.pass(1min);
  const auto again = take();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].attempts, 1);
}

TEST_P(AlarmStore, IsGivenUpAfterADayOfFailuresHoweverLongNobodyTried) {
  change({failing("a.example"), failing("b.example")});
  store.pass(48h);
  EXPECT_EQ(put_off(take(), 23h), 0);
  store.pass(23h);
  change({}, {ended(failing("a.example"))});
  EXPECT_EQ(put_off(take(), 1h), 0);
  store.pass(1h);
  EXPECT_EQ(put_off(take(), 1h), 2);
  const auto given_up = events_called("notification.given_up");
  ASSERT_THAT(given_up, SizeIs(1));
  EXPECT_EQ(given_up[0].detail,
            (std::map<std::string, std::string>{
                {"notifier", "mail"}, {"notifications", "2"}, {"error", "no route"}}));
  store.pass(1h);
  EXPECT_THAT(told(take()), ElementsAre("-a.example"));
}

TEST_P(AlarmStore, ForgetsNotifiersThatAreNotConfiguredAnyMore) {
  subscriptions.push_back({.notifier = NotifierName("gone")});
  change({failing("a.example")});
  const std::set known = {NotifierName("mail")};
  EXPECT_EQ(run(store->forget_notifiers_but(known)).value(), 1);
  EXPECT_EQ(run(store->forget_notifiers_but(known)).value(), 0);
  EXPECT_THAT(take("gone"), IsEmpty());
  EXPECT_THAT(take(), SizeIs(1));
  EXPECT_THAT(events_called("notification.given_up"), SizeIs(1));
}

TEST_P(AlarmStore, OnlyWhatWasTakenIsWithheld) {
  change({failing("a.example"), failing("b.example")});
  limit = 0;
  EXPECT_THAT(take(), IsEmpty());
  limit = 1;
  const auto first = take();
  ASSERT_TRUE(run(store->finish_notifications(ids(first))));
  EXPECT_THAT(told(take()), ElementsAre("+b.example")) << "nobody has that one";
}

TEST_P(AlarmStore, WhatIsToldLateTellsHowItStandsNow) {
  change({failing("a.example")});
  change({}, {ended(failing("a.example"))});
  const auto notifications = take();
  ASSERT_THAT(notifications, SizeIs(2));
  EXPECT_FALSE(notifications[0].over);
  EXPECT_EQ(notifications[0].alarm, notifications[1].alarm);
  EXPECT_EQ(notifications[0].alarm.ending, "how");
}

TEST_P(AlarmStore, WhatIsFinishedCannotBePutOff) {
  change({failing("a.example")});
  const auto taken = take();
  ASSERT_TRUE(run(store->finish_notifications(ids(taken))));
  EXPECT_EQ(put_off(taken, 1min), 0);
  EXPECT_EQ(next(), std::nullopt);
}

TEST_P(AlarmStore, StandInTheOrderInWhichTheyBegan) {
  change({failing("b.example")});
  change({failing("a.example")});
  EXPECT_THAT(standing(), ElementsAre("b.example", "a.example"));
}

CERTHERD_ON_EACH_STORE(AlarmStore);

}  // namespace
}  // namespace certherd::store

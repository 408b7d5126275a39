#include "notify/delivery.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <deque>

#include "runtime/task_group.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::notify {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Alarm::Kind;
using ErrorKind = Error::Kind;
using namespace std::chrono_literals;

constexpr Time start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

/// Keeps what it is told, and answers as a test says.
class RecordingNotifier final : public Notifier {
 public:
  explicit RecordingNotifier(runtime::Clock& clock) : clock_(clock) {}

  Task<Status> send(Notice notice) override {
    times.push_back(std::chrono::duration_cast<std::chrono::seconds>(notice.at - start));
    std::vector<std::string> message;
    for (const auto& [id, alarm, over, attempts] : notice.notifications) {
      message.push_back((over ? "-" : "+") + alarm.key.domain.text());
    }
    messages.push_back(std::move(message));
    if (takes > Duration::zero()) co_await clock_.sleep_for(takes);
    if (answers.empty()) co_return Status();
    auto answer = std::move(answers.front());
    answers.pop_front();
    co_return answer;
  }
  Task<Status> check() override { co_return Status(); }
  std::size_t most_at_once() const override { return most; }

  std::vector<std::vector<std::string>> messages;
  std::vector<std::chrono::seconds> times;  ///< since the start
  std::deque<Status> answers;               ///< then all is well
  Duration takes{};
  std::size_t most = 100'000;

 private:
  runtime::Clock& clock_;
};

class DeliveryTest : public testing::Test {
 protected:
  void raise(std::vector<std::string> domains) { change(std::move(domains), false); }
  void clear(std::vector<std::string> domains) { change(std::move(domains), true); }

  void change(std::vector<std::string> domains, bool over) {
    store::AlarmChanges changes;
    for (const auto& domain : domains) {
      Alarm alarm{.key = {.kind = Kind::failing, .domain = Fqdn::literal(domain)},
                  .since = clock.now(),
                  .detail = "why"};
      if (over) alarm.cleared_at = clock.now();
      (over ? changes.cleared : changes.raised).push_back(std::move(alarm));
    }
    for (const auto& [name, notifier] : notifiers) {
      changes.subscriptions.push_back({.notifier = name});
    }
    changes.notify_at = clock.now() + 10s;
    ASSERT_TRUE(loop->run(store->change_alarms(std::move(changes))));
  }

  Task<void> deliver_for(std::vector<Delivery*> deliveries, Duration duration) {
    runtime::TaskGroup group(*loop);
    for (auto* const delivery : deliveries) group.spawn(delivery->run());
    co_await clock.sleep_for(duration);
    group.cancel();
    co_await group.join();
  }
  void deliver(Duration duration) {
    Delivery delivery(*loop, *store, notifiers);
    loop->run(deliver_for({&delivery}, duration));
  }
  std::size_t waiting(const std::string& notifier = "mail") {
    return loop->run(store->next_notification(NotifierName(notifier))).value() ? 1 : 0;
  }
  std::vector<Event> events_called(const std::string& name) {
    std::vector<Event> found;
    for (auto& [number, event] : loop->run(store->events({})).value()) {
      if (event.event == name) found.push_back(std::move(event));
    }
    return found;
  }
  static Status failure(ErrorKind kind = ErrorKind::transient) {
    return fail(kind, "send", "no route");
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(start);
  runtime::Clock& clock = loop->clock();
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  std::unique_ptr<store::Store> store =
      store::Store::open({.url = "sqlite::memory:"}, *offload, *offload, clock).value();
  RecordingNotifier mail{clock};
  RecordingNotifier hook{clock};
  std::map<NotifierName, Notifier*> notifiers = {{NotifierName("mail"), &mail}};
};

TEST_F(DeliveryTest, WhatComesTogetherIsOneMessage) {
  constexpr int many = 2'000;
  std::vector<std::string> domains;
  for (int i = 0; i < many; ++i) domains.push_back(fmt::format("d{}.example", i));
  raise(domains);
  deliver(1h);
  ASSERT_THAT(mail.messages, SizeIs(1));
  EXPECT_THAT(mail.messages[0], SizeIs(many));
  EXPECT_THAT(mail.times, ElementsAre(10s));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(DeliveryTest, ANotifierThatTakesLessGetsTheRestAtOnce) {
  mail.most = 2;
  raise({"a.example", "b.example", "c.example"});
  deliver(1min);
  EXPECT_THAT(mail.messages,
              ElementsAre(ElementsAre("+a.example", "+b.example"), ElementsAre("+c.example")));
}

Task<void> trickle(runtime::Clock* clock, store::Store* store, Delivery* delivery) {
  for (int i = 0; i < 60; ++i) {
    store::AlarmChanges changes;
    changes.raised = {{.key = {.domain = Fqdn::literal(fmt::format("d{}.example", i))}}};
    changes.subscriptions = {{.notifier = NotifierName("mail")}};
    changes.notify_at = clock->now();
    EXPECT_TRUE(co_await store->change_alarms(std::move(changes)));
    delivery->wake();
    co_await clock->sleep_for(10s);
  }
}

TEST_F(DeliveryTest, ABadDayDoesNotFillAMailbox) {
  Delivery delivery(*loop, *store, notifiers);
  runtime::TaskGroup group(*loop);
  group.spawn(trickle(&clock, store.get(), &delivery));
  loop->run(deliver_for({&delivery}, 1h));
  loop->run(group.join());
  EXPECT_THAT(mail.times, ElementsAre(0s, 300s, 600s));
  EXPECT_THAT(mail.messages[0], SizeIs(1)) << "the first is told at once";
}

TEST_F(DeliveryTest, AFailureIsTriedAgainEverMoreRarely) {
  mail.answers.assign(6, failure());
  raise({"a.example"});
  deliver(10h);
  EXPECT_THAT(mail.times, ElementsAre(10s, 70s, 370s, 2'170s, 5'770s, 9'370s, 12'970s));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(DeliveryTest, WhatComesMeanwhileWaitsWithItAndGoesWithIt) {
  mail.answers = {failure(), failure()};
  raise({"a.example"});
  deliver(80s);
  clear({"a.example"});
  raise({"b.example"});
  deliver(10min);
  EXPECT_THAT(mail.messages, ElementsAre(ElementsAre("+a.example"), ElementsAre("+a.example"),
                                         ElementsAre("+a.example", "-a.example", "+b.example")));
}

TEST_F(DeliveryTest, OneThatHangsOrFailsHoldsUpNoOther) {
  notifiers[NotifierName("hook")] = &hook;
  mail.takes = 2min;
  mail.answers.assign(100, failure());
  raise({"a.example"});
  deliver(1min);
  EXPECT_THAT(hook.times, ElementsAre(10s));
  EXPECT_THAT(mail.messages, SizeIs(1));
  EXPECT_EQ(waiting("hook"), 0);
}

TEST_F(DeliveryTest, ALaterTimeThatTheOtherSideNamesIsKept) {
  auto limited = failure(ErrorKind::throttled);
  limited.error().retry_at = start + 10min;
  auto forever = failure(ErrorKind::throttled);
  forever.error().retry_at = start + std::chrono::days(300);
  mail.answers = {limited, forever};
  raise({"a.example"});
  deliver(48h);
  EXPECT_THAT(mail.times, ElementsAre(10s, 600s, 600s + 24h));
}

TEST_F(DeliveryTest, IsGivenUpAfterADayAndTheNextIsTold) {
  mail.answers.assign(28, failure());
  raise({"a.example"});
  deliver(25h);
  EXPECT_EQ(mail.times.back(), 10s + 36min + 24h);
  EXPECT_EQ(waiting(), 0);
  const auto events = events_called("notification.given_up");
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].detail.at("error"), "send: no route");
  mail.answers.clear();
  clear({"a.example"});
  deliver(1min);
  EXPECT_THAT(mail.messages.back(), ElementsAre("-a.example"));
}

TEST_F(DeliveryTest, AKillInTheMidstTellsItOnceMore) {
  mail.takes = 1min;
  raise({"a.example"});
  deliver(30s);
  mail.takes = {};
  deliver(1min);
  EXPECT_THAT(mail.messages, SizeIs(1)) << "it may still be under way";
  deliver(1h);
  EXPECT_THAT(mail.messages, ElementsAre(ElementsAre("+a.example"), ElementsAre("+a.example")));
  deliver(24h);
  EXPECT_THAT(mail.messages, SizeIs(2));
}

TEST_F(DeliveryTest, TwoProcessesTellEachThingOnce) {
  Delivery one(*loop, *store, notifiers);
  Delivery other(*loop, *store, notifiers);
  mail.takes = 1min;
  raise({"a.example"});
  loop->run(deliver_for({&one, &other}, 1h));
  EXPECT_THAT(mail.messages, SizeIs(1));
}

TEST_F(DeliveryTest, WhatIsForNobodyAnyMoreIsGivenUp) {
  raise({"a.example"});
  notifiers = {{NotifierName("hook"), &hook}};
  deliver(1h);
  EXPECT_THAT(hook.messages, IsEmpty());
  EXPECT_EQ(waiting(), 0);
  EXPECT_THAT(events_called("notification.given_up"), SizeIs(1));
}

}  // namespace
}  // namespace certherd::notify

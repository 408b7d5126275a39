#include "dns/delegations.hpp"

#include <gtest/gtest.h>

#include "dns/scripted_server_test.hpp"
#include "runtime/random.hpp"
#include "runtime/timeouts.hpp"
#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using Query = ScriptedServer::Query;

/// A real loop whose clock the test sets forth.
class AdvancedLoop final : public runtime::EventLoop, public runtime::Clock {
 public:
  boost::asio::io_context& context() override { return real_->context(); }
  Clock& clock() override { return *this; }
  void run(Task<void> main) override { real_->run(std::move(main)); }
  using EventLoop::run;

  Time now() const override { return real_->clock().now() + ahead; }
  Task<void> sleep_until(Time when) override { return real_->clock().sleep_until(when - ahead); }

  std::unique_ptr<runtime::Alarm> alarm_at(Time when,
                                           std::move_only_function<void()> ring) override {
    return real_->clock().alarm_at(when - ahead, std::move(ring));
  }

  Duration ahead{};

 private:
  std::unique_ptr<runtime::EventLoop> real_ = runtime::make_event_loop();
};

class DelegationsTest : public testing::Test {
 protected:
  DelegationsTest() {
    world.add_zone("example.test", "ns1.example.test", "192.0.2.1");
    world.add("ns1.example.test", RecordType::aaaa, "2001:db8::1");
    world.add("example.test", RecordType::ns, "a.ns.example.test");
    world.add("a.ns.example.test", RecordType::a, "192.0.2.2");
  }

  Task<void> ask_at_twelve_and_later() {
    for (const auto age : {minutes(0), minutes(4), minutes(6)}) {
      loop.ahead = age;
      const auto servers = co_await delegations.of(zone);
      EXPECT_TRUE(servers);
      asked.push_back(server.count("example.test", RecordType::ns));
    }
  }

  Task<void> give_up() {
    auto asking = delegations.of(zone);
    co_await runtime::value_by(&loop, loop.now() + milliseconds(20), std::move(asking));
  }

  Task<void> wait_for_it() { result = co_await delegations.of(zone); }

  Task<int> both(Task<void> one, Task<void> two) {
    std::vector<Task<void>> tasks;
    tasks.push_back(std::move(one));
    tasks.push_back(std::move(two));
    co_await runtime::together(std::move(tasks));
    co_return 0;
  }

  AdvancedLoop loop;
  runtime::SeededRandom random{1};
  Authority world;
  ScriptedServer::Script script = [this](const Query& query) { return world(query); };
  ScriptedServer server{loop, [this](const Query& query) { return script(query); }};
  Querier querier{loop, random};
  runtime::Slots slots{loop, 4};
  Resolvers resolvers{loop, querier, slots, {server.address()}, {.patience = milliseconds(100)}};
  Delegations delegations{loop, resolvers, {.port = 5353, .overrides = {}}};
  Fqdn zone = Fqdn::literal("example.test");
  std::vector<std::size_t> asked;
  Result<std::vector<NameServer>> result;
};

TEST_F(DelegationsTest, GivesEachNameServerWithItsAddressesInOrder) {
  const auto servers = run_beside(loop, {&server}, delegations.of(zone));

  ASSERT_TRUE(servers) << servers.error().message();
  ASSERT_EQ(servers->size(), 2U);
  EXPECT_EQ((*servers)[0].name, "a.ns.example.test");
  EXPECT_EQ((*servers)[1].name, "ns1.example.test");
  ASSERT_EQ((*servers)[1].addresses.size(), 2U);
  EXPECT_EQ((*servers)[1].addresses[0].text(), "192.0.2.1:5353");
  EXPECT_EQ((*servers)[1].addresses[1].text(), "[2001:db8::1]:5353");
}

TEST_F(DelegationsTest, LooksAgainAfterFiveMinutes) {
  run_beside(loop, {&server}, both(ask_at_twelve_and_later(), runtime::together({})));
  EXPECT_EQ(asked, (std::vector<std::size_t>{1, 1, 2}));
}

TEST_F(DelegationsTest, LetsAnotherCallerGoOnWhenTheFirstIsCancelled) {
  int asked_for_servers = 0;
  script = [&](const Query& query) {
    const bool first = query.question.type == RecordType::ns && ++asked_for_servers == 1;
    return first ? std::vector<Packet>() : world(query);
  };
  run_beside(loop, {&server}, both(give_up(), wait_for_it()));

  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->size(), 2U);
  EXPECT_EQ(asked_for_servers, 2);
}

TEST_F(DelegationsTest, SharesAFailureAmongThoseWhoWaitForIt) {
  script = [](const Query&) { return std::vector<Packet>(); };
  run_beside(loop, {&server}, both(wait_for_it(), wait_for_it()));

  EXPECT_FALSE(result);
  EXPECT_EQ(server.count("example.test", RecordType::ns), 2U);  // two tries of one query
}

TEST_F(DelegationsTest, AsksNoMoreThanSoManyOfAZonesNameServers) {
  for (int i = 0; i < 100; ++i) {
    world.add("example.test", RecordType::ns, fmt::format("n{}.example.test", i));
  }
  script = [this](const Query& query) {
    auto reply = world.reply(query);
    if (query.transport == Transport::udp) {
      reply.truncated = true;
      reply.answers.clear();
    }
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_EQ(run_beside(loop, {&server}, delegations.of(zone))->size(), 32U);
}

}  // namespace
}  // namespace certherd::dns

#include "dns/resolvers.hpp"

#include <gtest/gtest.h>

#include "dns/scripted_server_test.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

using Query = ScriptedServer::Query;

TEST(ParseResolvConf, TakesTheNameServersOfBothFamilies) {
  const auto servers = parse_resolv_conf(
      "# generated\n"
      "search example.test\n"
      "nameserver 192.0.2.53\n"
      "  nameserver\t2001:db8::53   # second\r\n"
      "nameserver not-an-address\n"
      "nameserver\n"
      "options edns0");

  ASSERT_EQ(servers.size(), 2U);
  EXPECT_EQ(servers[0].text(), "192.0.2.53:53");
  EXPECT_EQ(servers[1].text(), "[2001:db8::53]:53");
}

TEST(ParseResolvConf, FindsNothingInNothing) { EXPECT_TRUE(parse_resolv_conf("").empty()); }

class ResolversTest : public testing::Test {
 protected:
  Result<Resolvers::Answer> ask(std::vector<ScriptedServer*> servers) {
    std::vector<ServerAddress> addresses;
    for (const auto* server : servers) addresses.push_back(server->address());
    Resolvers resolvers(loop->clock(), querier, slots, addresses,
                        {.patience = std::chrono::milliseconds(50)});
    Question question{.name = "a.test", .type = RecordType::txt};
    return run_beside(*loop, std::move(servers), resolvers.ask(std::move(question)));
  }

  static ScriptedServer::Script saying(ResponseCode code) {
    return
        [code](const Query& query) { return std::vector<Packet>{encode_reply(query.reply(code))}; };
  }
  static std::vector<Packet> silent(const Query&) { return {}; }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SeededRandom random{1};
  Querier querier{*loop, random};
  runtime::Slots slots{*loop, 4};
};

TEST_F(ResolversTest, AsksTheNextWhenOneIsSilentOrFails) {
  ScriptedServer first(*loop, silent);
  ScriptedServer second(*loop, saying(ResponseCode::server_failure));
  ScriptedServer third(*loop, saying(ResponseCode::name_error));

  const auto answer = ask({&first, &second, &third});

  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->message.code, ResponseCode::name_error);
  EXPECT_EQ(answer->server, third.address().text());
  EXPECT_TRUE(third.queries.at(0).recursion_desired);
}

TEST_F(ResolversTest, NamesEachServerAndItsAnswerWhenNoneHelps) {
  ScriptedServer first(*loop, saying(ResponseCode::refused));
  ScriptedServer second(*loop, silent);

  const auto answer = ask({&first, &second});

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Error::Kind::not_found);
  EXPECT_EQ(answer.error().detail, fmt::format("no answer for a.test ({}: REFUSED; {}: timeout)",
                                               first.address().text(), second.address().text()));
}

TEST_F(ResolversTest, CallsItTransientWhenNobodyReplies) {
  ScriptedServer only(*loop, silent);
  EXPECT_EQ(ask({&only}).error().kind, Error::Kind::transient);
}

}  // namespace
}  // namespace certherd::dns

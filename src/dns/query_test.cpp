#include "dns/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <set>

#include "dns/scripted_server_test.hpp"
#include "runtime/random.hpp"
#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::dns {
namespace {

namespace asio = boost::asio;
using Query = ScriptedServer::Query;
using std::chrono::milliseconds;

Message with_value(const Query& query, std::string value) {
  auto reply = query.reply();
  reply.answers = {{query.question.name, RecordType::txt, 5, std::move(value)}};
  return reply;
}

class Asking : public testing::Test {
 protected:
  Task<Result<Message>> ask_at(ServerAddress address, Transport transport) {
    Question question{.name = "Name.test", .type = RecordType::txt};
    return querier.ask(std::move(address), std::move(question), transport, options,
                       loop->clock().now() + limit);
  }

  /// Asks a server of that script one question.
  Result<Message> ask(ScriptedServer::Script script, Transport transport) {
    ScriptedServer server(*loop, std::move(script));
    auto result = run_beside(*loop, {&server}, ask_at(server.address(), transport));
    queries = server.queries;
    return result;
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SeededRandom random{1};
  Querier querier{*loop, random};
  QueryOptions options{.recursion_desired = false, .patience = milliseconds(100)};
  Duration limit = std::chrono::seconds(10);
  std::vector<Query> queries;
};

std::vector<Packet> answer_well(const Query& query) {
  return {encode_reply(with_value(query, "good"))};
}

TEST_F(Asking, GivesTheReplyOverUdp) {
  const auto reply = ask(answer_well, Transport::udp);

  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->answers.front().text, "good");
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_EQ(queries[0].transport, Transport::udp);
  EXPECT_EQ(queries[0].question.name, "name.test");
  EXPECT_FALSE(queries[0].recursion_desired);
}

TEST_F(Asking, GivesTheReplyOverTcp) {
  const auto reply = ask(answer_well, Transport::tcp);

  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->answers.front().text, "good");
  EXPECT_EQ(queries.at(0).transport, Transport::tcp);
}

TEST_F(Asking, TakesAServersFailureAsItsReply) {
  const auto fail_it = [](const Query& query) {
    return std::vector<Packet>{encode_reply(query.reply(ResponseCode::server_failure))};
  };
  EXPECT_EQ(ask(fail_it, Transport::udp)->code, ResponseCode::server_failure);
}

TEST_F(Asking, WaitsOnPastGarbageForgedIdsAndOtherQuestions) {
  const auto forge_first = [](const Query& query) {
    auto wrong_id = with_value(query, "forged");
    ++wrong_id.id;
    auto wrong_name = with_value(query, "forged");
    wrong_name.question.name = "other.test";
    auto wrong_type = with_value(query, "forged");
    wrong_type.question.type = RecordType::a;
    return std::vector<Packet>{Packet{1, 2, 3}, encode_reply(wrong_id), encode_reply(wrong_name),
                               encode_reply(wrong_type), encode_reply(with_value(query, "good"))};
  };
  const auto reply = ask(forge_first, Transport::udp);

  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->answers.front().text, "good");
  EXPECT_EQ(queries.size(), 1U);
}

TEST_F(Asking, TakesAReplyWhoseQuestionDiffersInCaseOnly) {
  const auto shout = [](const Query& query) {
    auto reply = with_value(query, "good");
    reply.question.name = "NAME.TEST";
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_TRUE(ask(shout, Transport::udp));
}

TEST_F(Asking, AsksAgainOverTcpWhenTheReplyIsTruncated) {
  const auto truncate = [](const Query& query) {
    auto reply = with_value(query, "whole");
    if (query.transport == Transport::udp) {
      reply = query.reply();
      reply.truncated = true;
    }
    return std::vector<Packet>{encode_reply(reply)};
  };
  const auto reply = ask(truncate, Transport::udp);

  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->answers.front().text, "whole");
  ASSERT_EQ(queries.size(), 2U);
  EXPECT_EQ(queries[1].transport, Transport::tcp);
}

TEST_F(Asking, TriesTwiceOverUdpAndTellsOfTheTimeout) {
  const auto silent = [](const Query&) { return std::vector<Packet>(); };
  const auto reply = ask(silent, Transport::udp);

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Error::Kind::transient);
  EXPECT_EQ(reply.error().detail, "timeout");
  EXPECT_TRUE(reply.error().op.ends_with("(UDP) for Name.test TXT")) << reply.error().op;
  EXPECT_EQ(queries.size(), 2U);
}

TEST_F(Asking, TakesTheAnswerToTheSecondTry) {
  int asked = 0;
  const auto late = [&asked](const Query& query) {
    return ++asked == 1 ? std::vector<Packet>() : answer_well(query);
  };
  EXPECT_TRUE(ask(late, Transport::udp));
}

TEST_F(Asking, EndsAtTheDeadlineEvenWithTriesLeft) {
  options.patience = std::chrono::hours(1);
  limit = milliseconds(50);
  const auto silent = [](const Query&) { return std::vector<Packet>(); };

  EXPECT_EQ(ask(silent, Transport::udp).error().detail, "timeout");
  EXPECT_EQ(queries.size(), 1U);
}

TEST_F(Asking, TellsWhatItPassedOverBeforeTheTimeout) {
  const auto garble = [](const Query&) { return std::vector<Packet>{Packet{1, 2, 3}}; };

  EXPECT_EQ(ask(garble, Transport::udp).error().detail,
            "timeout (unreadable reply: it is shorter than a header)");
}

TEST_F(Asking, TellsOfSilenceOverTcp) {
  const auto silent = [](const Query&) { return std::vector<Packet>(); };
  EXPECT_EQ(ask(silent, Transport::tcp).error().detail, "timeout");
}

TEST_F(Asking, RefusesGarbageAndForeignRepliesOverTcp) {
  const auto garble = [](const Query&) { return std::vector<Packet>{Packet{1, 2, 3}}; };
  EXPECT_EQ(ask(garble, Transport::tcp).error().kind, Error::Kind::rejected);

  const auto misnumber = [](const Query& query) {
    auto reply = with_value(query, "forged");
    ++reply.id;
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_EQ(ask(misnumber, Transport::tcp).error().detail, "reply with another id");
}

TEST_F(Asking, RefusesTenThousandAnswers) {
  const auto flood = [](const Query& query) {
    auto packet = encode_reply(query.reply());
    packet[6] = 10'000 >> 8;
    packet[7] = 10'000 & 0xFF;
    for (int i = 0; i < 4'000; ++i) {
      for (const unsigned octet : {0xC0U, 12U, 0U, 16U, 0U, 1U, 0U, 0U, 0U, 5U, 0U, 2U, 1U, 65U}) {
        packet.push_back(static_cast<std::uint8_t>(octet));
      }
    }
    return std::vector<Packet>{packet};
  };
  const auto reply = ask(flood, Transport::tcp);

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().detail, "unreadable reply: it has more than 1000 records");
}

/// A reply whose answer's name is a pointer to itself.
Packet circling(const Query& query) {
  auto packet = encode_reply(query.reply());
  const auto here = static_cast<unsigned>(packet.size());
  packet[7] = 1;
  for (const unsigned octet : {0xC0U, here, 0U, 16U, 0U, 1U, 0U, 0U, 0U, 5U, 0U, 2U, 1U, 65U}) {
    packet.push_back(static_cast<std::uint8_t>(octet));
  }
  return packet;
}

TEST_F(Asking, IsNotHeldUpByNamesThatPointAtThemselves) {
  const auto circle = [](const Query& query) { return std::vector<Packet>{circling(query)}; };

  const auto by_udp = ask(circle, Transport::udp);
  EXPECT_EQ(by_udp.error().kind, Error::Kind::transient);
  EXPECT_THAT(by_udp.error().detail, testing::StartsWith("timeout (unreadable reply: "));
  const auto by_tcp = ask(circle, Transport::tcp);
  EXPECT_EQ(by_tcp.error().kind, Error::Kind::rejected);
  EXPECT_THAT(by_tcp.error().detail, testing::StartsWith("unreadable reply: "));
}

TEST_F(Asking, TellsThatATruncatedReplyCouldNotBeHadWhole) {
  const auto only_udp = [](const Query& query) {
    auto reply = query.reply();
    reply.truncated = true;
    return query.transport == Transport::udp ? std::vector<Packet>{encode_reply(reply)}
                                             : std::vector<Packet>();
  };
  const auto silent = ask(only_udp, Transport::udp);
  EXPECT_EQ(silent.error().kind, Error::Kind::transient);
  EXPECT_EQ(silent.error().detail, "truncated over UDP, and over TCP: timeout");
}

TEST_F(Asking, PassesOverADatagramThatIsLargerThanAnyWeAskFor) {
  const auto oversize = [](const Query& query) {
    auto reply = query.reply();
    for (int i = 0; i < 300; ++i) {
      reply.answers.push_back({query.question.name, RecordType::txt, 5, "0123456789"});
    }
    return std::vector<Packet>{encode_reply(reply)};
  };
  EXPECT_THAT(ask(oversize, Transport::udp).error().detail,
              testing::StartsWith("timeout (unreadable reply: "));
  EXPECT_EQ(ask(oversize, Transport::tcp)->answers.size(), 300U);
}

/// A name server by hand, for what no server does by itself.
class LyingServer {
 public:
  explicit LyingServer(runtime::EventLoop& loop)
      : acceptor_(loop.context(), {asio::ip::address_v4::loopback(), 0}),
        address_{.address = "127.0.0.1", .port = acceptor_.local_endpoint().port()},
        udp_(loop.context(), {asio::ip::address_v4::loopback(), address_.port}),
        other_(loop.context(), {asio::ip::address_v4::loopback(), 0}),
        loop_(loop) {}

  const ServerAddress& address() const { return address_; }

  /// Answers one query, but from another port than it was asked at.
  Task<int> answer_from_elsewhere() { return answer(&other_, 0x80U); }

  /// Says over UDP that the answer is too long, and takes no connection.
  Task<int> truncate_without_tcp() {
    acceptor_.close();
    return answer(&udp_, 0x82U);
  }

  /// Announces a long reply over TCP and sends an octet of it now and then, until the client goes.
  Task<int> drip() {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    const Packet length = {0xFF, 0xFF};
    boost::system::error_code gone;
    co_await asio::async_write(socket, asio::buffer(length), asio::use_awaitable);
    const Packet octet = {0};
    for (; !gone; ++dripped) {
      co_await asio::async_write(socket, asio::buffer(octet),
                                 asio::redirect_error(asio::use_awaitable, gone));
      co_await loop_.clock().sleep_for(milliseconds(5));
    }
    co_return dripped;
  }

  int dripped = 0;

 private:
  /// Sends one query back with these flags: a reply with the right id and question.
  Task<int> answer(asio::ip::udp::socket* socket, unsigned flags) {
    Packet query(512);
    asio::ip::udp::endpoint from;
    const auto size =
        co_await udp_.async_receive_from(asio::buffer(query), from, asio::use_awaitable);
    query.resize(size);
    query[2] = static_cast<std::uint8_t>(query[2] | flags);
    co_await socket->async_send_to(asio::buffer(query), from, asio::use_awaitable);
    co_return 0;
  }

  asio::ip::tcp::acceptor acceptor_;
  ServerAddress address_;
  asio::ip::udp::socket udp_;
  asio::ip::udp::socket other_;
  runtime::EventLoop& loop_;
};

class AskingLiars : public Asking {
 protected:
  Task<Result<Message>> ask_beside(Transport transport, Task<int> lie) {
    runtime::TaskGroup group(*loop);
    group.spawn(run_lie(std::move(lie)));
    auto reply = co_await ask_at(liar.address(), transport);
    co_await group.join();
    co_return reply;
  }
  static Task<void> run_lie(Task<int> lie) { (void)co_await std::move(lie); }

  LyingServer liar{*loop};
};

TEST_F(AskingLiars, ARightAnswerFromAnotherPortIsNotHeard) {
  const auto reply = loop->run(ask_beside(Transport::udp, liar.answer_from_elsewhere()));

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().detail, "timeout");
}

TEST_F(AskingLiars, ATruncatedReplyWithoutTcpIsToldAsSuch) {
  const auto reply = loop->run(ask_beside(Transport::udp, liar.truncate_without_tcp()));

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Error::Kind::transient);
  EXPECT_EQ(reply.error().detail, "truncated over UDP, and over TCP: connection refused");
}

TEST_F(AskingLiars, AReplyThatOnlyDripsInEndsWithPatience) {
  const Time begun = loop->clock().now();
  const auto reply = loop->run(ask_beside(Transport::tcp, liar.drip()));

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().detail, "timeout");
  EXPECT_GT(liar.dripped, 1);
  EXPECT_LT(loop->clock().now() - begun, std::chrono::seconds(5));
}

TEST_F(Asking, TellsThatNothingListens) {
  ScriptedServer server(*loop, answer_well);
  loop->run(server.stop());
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto reply = loop->run(ask_at(server.address(), transport));
    EXPECT_EQ(reply.error().detail, "connection refused");
    EXPECT_EQ(reply.error().kind, Error::Kind::transient);
  }
}

TEST_F(Asking, TakesAnotherIdForEachQuery) {
  std::set<std::uint16_t> ids;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(ask(answer_well, Transport::udp));
    ids.insert(queries.at(0).id);
  }
  EXPECT_GT(ids.size(), 15U);
}

TEST_F(Asking, EndsAtOnceWhenCancelled) {
  options.patience = std::chrono::hours(1);
  limit = std::chrono::hours(1);
  auto& clock = loop->clock();
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    ScriptedServer server(*loop, [](const Query&) { return std::vector<Packet>(); });
    auto cut_short = runtime::value_by(&clock, clock.now() + milliseconds(30),
                                       ask_at(server.address(), transport));
    EXPECT_FALSE(run_beside(*loop, {&server}, std::move(cut_short)));
  }
}

TEST_F(Asking, KnowsWhetherThereIsAWay) {
  EXPECT_TRUE(querier.has_route({.address = "127.0.0.1", .port = 53}));
  EXPECT_FALSE(querier.has_route({.address = "no address", .port = 53}));
}

}  // namespace
}  // namespace certherd::dns

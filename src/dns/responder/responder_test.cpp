#include "dns/responder/responder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "dns/responder/test_clients.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

using responder::dig;
using responder::TcpClient;
using responder::txt_query;
using responder::UdpClient;
using std::chrono::milliseconds;

const Fqdn zone = Fqdn::literal("acme.example.net");
const std::string name = "example.com.acme.example.net";

TxtRecord standing(const std::string& at, const std::string& value) {
  return {.dns = DnsName("own"),
          .zone = ZoneId(zone.text()),
          .name = Fqdn::literal(at),
          .value = TxtValue(value),
          .issuance = IssuanceId(1)};
}

std::vector<TxtChange> ensuring(const std::string& at, int count, std::size_t size) {
  std::vector<TxtChange> changes;
  for (int i = 0; i < count; ++i) {
    changes.push_back(
        {TxtChange::Action::ensure, Fqdn::literal(at), TxtValue(fmt::format("{:_>{}}", i, size))});
  }
  return changes;
}

using Client = std::function<void(ServerAddress)>;

// The clients block, so they run on a thread of their own while the loop serves.
Task<void> talk(runtime::Offload* offload, Responder* server, Client client) {
  const auto address = server->listening().front();
  co_await offload->run([&client, &address] { client(address); });
  co_await server->stop();
}

Task<void> apply_and_talk(runtime::Offload* offload, Responder* server, Client before,
                          std::vector<TxtChange> changes, Client after) {
  const auto address = server->listening().front();
  co_await offload->run([&before, &address] { before(address); });
  Zone own{.id = ZoneId(zone.text()), .name = zone};
  const auto applied = co_await server->apply(std::move(own), std::move(changes));
  EXPECT_TRUE(applied.has_value());
  co_await offload->run([&after, &address] { after(address); });
  co_await server->stop();
}

Task<Result<Zone>> find_and_stop(Responder* server, std::string wanted) {
  auto found = co_await server->find_zone(Fqdn::literal(wanted));
  co_await server->stop();
  co_return found;
}

Task<Result<Ticket>> apply_and_stop(Responder* server, std::vector<TxtChange> changes) {
  Zone own{.id = ZoneId(zone.text()), .name = zone};
  auto applied = co_await server->apply(std::move(own), std::move(changes));
  co_await server->stop();
  co_return applied;
}

class ResponderTest : public testing::Test {
 protected:
  ResponderTest() {
    options.listen = {{.address = "127.0.0.1", .port = 0}};
    options.zones = {zone};
    options.responses_per_second = 0;
  }

  std::unique_ptr<Responder> start() {
    auto started = Responder::start(*loop, options, initial);
    EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message());
    return std::move(*started);
  }
  void serve(Client client) {
    const auto server = start();
    loop->run(talk(offload.get(), server.get(), std::move(client)));
  }

  ResponderOptions options;
  std::vector<TxtRecord> initial = {standing(name, "first"), standing(name, "second")};
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 1);
};

TEST_F(ResponderTest, ServesWhatStoodInTheLedgerFromTheFirstMoment) {
  initial.push_back(standing("example.org", "in none of its zones"));
  const auto server = start();
  EXPECT_EQ(server->value_count(), 2);
  loop->run(talk(offload.get(), server.get(), [](const ServerAddress& address) {
    for (const auto* transport : {"+notcp", "+tcp"}) {
      const auto seen = dig(address, fmt::format("{} TXT +short {}", name, transport));
      EXPECT_EQ(seen, "\"first\"\n\"second\"\n");
    }
  }));
}

TEST_F(ResponderTest, ServesChangesAtOnceAndGrowsTheSerial) {
  std::string before;
  const auto server = start();
  const auto ask = [](const ServerAddress& a) { return dig(a, "acme.example.net SOA +short"); };
  loop->run(apply_and_talk(
      offload.get(), server.get(), [&](const ServerAddress& a) { before = ask(a); },
      ensuring("new.acme.example.net", 1, 43),
      [&](const ServerAddress& a) {
        EXPECT_NE(ask(a), before);
        EXPECT_NE(dig(a, "new.acme.example.net TXT +short").find("_0\""), std::string::npos);
      }));
}

TEST_F(ResponderTest, SaysToDigWhatAnAuthoritativeServerSays) {
  serve([](const ServerAddress& address) {
    const auto contains = [&address](const std::string& arguments, std::string_view words) {
      const auto output = dig(address, arguments);
      EXPECT_NE(output.find(words), std::string::npos) << output;
    };
    contains("nobody.acme.example.net TXT", "status: NXDOMAIN");
    contains("acme.example.net TXT", "status: NOERROR");
    contains("www.example.com A", "status: REFUSED");
    contains(name + " ANY +notcp", "\"RFC8482\"");
    contains("version.bind CH TXT", "status: REFUSED");
    contains(name + " TXT +edns=1 +noednsnegotiation", "status: BADVERS");
    contains("ns1.acme.example.net A", "127.0.0.1");
    contains(name + " AXFR", "Transfer failed");
  });
}

TEST_F(ResponderTest, GivesALargeAnswerByTcpAfterATruncatedOne) {
  for (int i = 0; i < 300; ++i)
    initial.push_back(standing("big.acme.example.net", fmt::format("{:_>100}", i)));
  serve([](const ServerAddress& address) {
    UdpClient client(address);
    client.send(txt_query("big.acme.example.net"));
    std::string reply;
    EXPECT_GT(client.receive(reply), 0);
    EXPECT_TRUE(responder::is_truncated(reply));
    const auto all = dig(address, "big.acme.example.net TXT +short");
    EXPECT_EQ(std::ranges::count(all, '\n'), 300);
  });
}

TEST_F(ResponderTest, AnswersPipelinedQueriesOfOneConnectionAll) {
  serve([](const ServerAddress& address) {
    TcpClient client(address);
    std::string queries;
    for (std::uint16_t id = 1; id <= 20; ++id) queries += TcpClient::framed(txt_query(name, id));
    client.send(queries);
    for (std::uint16_t id = 1; id <= 20; ++id) {
      const auto reply = client.receive_message();
      ASSERT_GE(reply.size(), responder::header_size);
      EXPECT_EQ(static_cast<unsigned char>(reply[1]), id);
      EXPECT_EQ(responder::answer_count(reply), 2);
    }
  });
}

TEST_F(ResponderTest, ClosesTheLongestIdleConnectionForANewOne) {
  options.tcp_connections = 3;
  serve([](const ServerAddress& address) {
    const auto works = [](TcpClient& client) {
      client.send(TcpClient::framed(txt_query(name)));
      return !client.receive_message().empty();
    };
    TcpClient first(address);
    EXPECT_TRUE(works(first));
    TcpClient second(address);
    EXPECT_TRUE(works(second));
    TcpClient third(address);
    EXPECT_TRUE(works(third));
    EXPECT_TRUE(works(first));  // now the second has been idle longest
    TcpClient fourth(address);
    EXPECT_TRUE(works(fourth));
    EXPECT_TRUE(second.is_closed());
    EXPECT_TRUE(works(first));
  });
}

TEST_F(ResponderTest, LimitsWhatOneNetworkGetsOverUdp) {
  options.responses_per_second = 5;
  serve([](const ServerAddress& address) {
    UdpClient client(address, milliseconds(300));
    int whole = 0;
    int truncated = 0;
    std::string reply;
    for (int i = 0; i < 60; ++i) client.send(txt_query(name));
    while (client.receive(reply) > 0) ++(responder::is_truncated(reply) ? truncated : whole);
    EXPECT_GE(whole, 5);
    EXPECT_LE(whole, 15);
    EXPECT_GE(truncated, 20);
    EXPECT_LE(truncated, 28);

    TcpClient tcp(address);
    tcp.send(TcpClient::framed(txt_query(name)));
    EXPECT_EQ(responder::answer_count(tcp.receive_message()), 2);
  });
}

TEST_F(ResponderTest, StillAnswersAfterTenThousandPacketsOfRubbish) {
  serve([](const ServerAddress& address) {
    runtime::SeededRandom random(20261123);
    UdpClient rubbish(address);
    for (int i = 0; i < 10'000; ++i) {
      std::string packet = txt_query(name);
      if (i % 2 == 0) packet.resize(random.uniform(0, 600));
      for (auto changes = random.uniform(1, 16); changes > 0 && !packet.empty(); --changes) {
        packet[random.uniform(0, packet.size() - 1)] = static_cast<char>(random.uniform(0, 255));
      }
      rubbish.send(packet);
    }
    for (int i = 0; i < 50; ++i) {
      TcpClient tcp(address);
      std::string stream(random.uniform(1, 2000), '\0');
      for (auto& octet : stream) octet = static_cast<char>(random.uniform(0, 255));
      tcp.send(stream);
    }
    // The socket's queue may still be full of rubbish, and drop a question.
    const auto seen = dig(address, name + " TXT +short +tries=5 +time=1");
    EXPECT_EQ(seen, "\"first\"\n\"second\"\n");
  });
}

TEST_F(ResponderTest, RepliesFromTheAddressThatWasAsked) {
  options.listen = {{.address = "0.0.0.0", .port = 0}};
  serve([](ServerAddress address) {
    address.address = "127.0.0.2";
    UdpClient client(address);
    client.send(txt_query(name));
    std::string reply;
    EXPECT_GT(client.receive(reply), 0);
    EXPECT_EQ(responder::answer_count(reply), 2);
  });
}

TEST_F(ResponderTest, ListensOnSeveralAddresses) {
  options.listen.push_back({.address = "127.0.0.3", .port = 0});
  const auto server = start();
  const auto other = server->listening().at(1);
  EXPECT_EQ(other.address, "127.0.0.3");
  loop->run(talk(offload.get(), server.get(), [&other](const ServerAddress&) {
    EXPECT_EQ(dig(other, name + " TXT +short +tcp"), "\"first\"\n\"second\"\n");
  }));
}

TEST_F(ResponderTest, SaysWhyItCannotListen) {
  const auto server = start();
  options.listen = server->listening();
  const auto second = Responder::start(*loop, options, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::misconfigured);
  EXPECT_NE(second.error().message().find(options.listen[0].text()), std::string::npos);
  loop->run(server->stop());
}

TEST_F(ResponderTest, RefusesUnusableOptions) {
  const auto refused = [this](const ResponderOptions& wrong) {
    const auto started = Responder::start(*loop, wrong, {});
    return !started && started.error().kind == Error::Kind::misconfigured;
  };
  auto wrong = options;
  wrong.zones.clear();
  EXPECT_TRUE(refused(wrong));
  wrong = options;
  wrong.listen.clear();
  EXPECT_TRUE(refused(wrong));
  wrong = options;
  wrong.addresses = {"ns1.example.net"};
  EXPECT_TRUE(refused(wrong));
}

TEST_F(ResponderTest, TellsHowToDelegateANameThatItDoesNotHold) {
  const auto server = start();
  const auto found = loop->run(find_and_stop(server.get(), "_acme-challenge.example.com"));
  ASSERT_FALSE(found);
  EXPECT_NE(
      found.error().detail.find("_acme-challenge.example.com. CNAME example.com.acme.example.net."),
      std::string::npos);
}

TEST_F(ResponderTest, RefusesMoreValuesAtANameThanOneAnswerHolds) {
  const auto server = start();
  const auto applied =
      loop->run(apply_and_stop(server.get(), ensuring("full.acme.example.net", 300, 255)));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, Error::Kind::rejected);
  EXPECT_FALSE(applied.error().causes.empty());
  EXPECT_EQ(server->value_count(), 2);
}

}  // namespace
}  // namespace certherd::dns

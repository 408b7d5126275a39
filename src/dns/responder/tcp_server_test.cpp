#include "dns/responder/tcp_server.hpp"

#include <gtest/gtest.h>

#include "dns/responder/sockets.hpp"
#include "dns/responder/test_clients.hpp"
#include "runtime/offload.hpp"

namespace certherd::dns::responder {
namespace {

struct Setup {
  runtime::EventLoop* loop;
  runtime::Offload* offload;
  TcpServer* server;
  Sockets* sockets;
  runtime::TaskGroup* group;
};

Task<void> outwait(Setup setup, std::string sent, bool* closed) {
  setup.group->spawn(setup.server->run(&setup.sockets->tcp));
  co_await setup.offload->run([&] {
    TcpClient client(setup.sockets->address);
    client.send(sent);
    *closed = client.is_closed();
  });
  setup.group->cancel();
  co_await setup.group->join();
}

class IdleConnection : public testing::TestWithParam<std::string> {};

TEST_P(IdleConnection, IsClosedHoweverLittleItHasSent) {
  const auto loop = runtime::make_event_loop();
  const auto offload = runtime::make_thread_offload(*loop, 1);
  auto sockets = bind_sockets(loop->context(), {.address = "127.0.0.1", .port = 0});
  ASSERT_TRUE(sockets);
  const Authority authority({.zones = {Fqdn::literal("acme.example.net")},
                             .nameservers = {Fqdn::literal("ns1.acme.example.net")},
                             .addresses = {}});
  runtime::TaskGroup group(*loop);
  TcpServer server(loop.get(), &group, &authority,
                   {.connections = 8, .idle = std::chrono::milliseconds(50)});

  bool closed = false;
  loop->run(outwait({loop.get(), offload.get(), &server, &*sockets, &group}, GetParam(), &closed));
  EXPECT_TRUE(closed);
}

INSTANTIATE_TEST_SUITE_P(Sent, IdleConnection,
                         testing::Values(std::string(), std::string(1, '\0'),
                                         std::string("\0\x20half a query", 14)));

}  // namespace
}  // namespace certherd::dns::responder

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "probe/tls_probe.hpp"
#include "runtime/task_group.hpp"

namespace certherd::fuzz {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto completion = asio::as_tuple(asio::use_awaitable);

/// A server that says the same to every client, and the probe that looks at it. Kept, so that an
/// input costs a connection and no more.
struct Wire {
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  std::unique_ptr<probe::Probe> probe =
      probe::make_tls_probe(*loop, *offload, *offload, {.roots = *crypto::TrustedRoots::load("")});
  tcp::acceptor acceptor{loop->context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

Task<void> serve(Wire* wire, std::string_view input) {
  auto [failed, socket] = co_await wire->acceptor.async_accept(completion);
  if (failed) co_return;
  std::array<char, 4096> heard{};
  co_await socket.async_read_some(asio::buffer(heard), completion);
  const auto [mute, sent] = co_await asio::async_write(socket, asio::buffer(input), completion);
  if (mute) co_return;
  // It has no more to say then, and hears the client out.
  boost::system::error_code ignored;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  while (true) {
    const auto [deaf, size] = co_await socket.async_read_some(asio::buffer(heard), completion);
    if (deaf) co_return;
  }
}

Task<void> look(Wire* wire, std::string_view input) {
  runtime::TaskGroup server(*wire->loop);
  server.spawn(serve(wire, input));
  Endpoint endpoint{.host = Fqdn::literal("www.example.org"),
                    .port = wire->acceptor.local_endpoint().port(),
                    .address = "127.0.0.1"};
  const auto deadline = wire->loop->clock().now() + std::chrono::seconds(2);
  const auto seen = co_await wire->probe->look(std::move(endpoint), deadline);
  server.cancel();
  co_await server.join();
  if (!is_good(seen)) {
    expect(seen.error().kind == Error::Kind::transient, "a server that is no good may get better");
    co_return;
  }
  expect(!seen->leaf.fingerprint.empty(), "what is served has a certificate");
  if (seen->trust) expect_told(*seen->trust);
}

}  // namespace

/// A TLS server that sends these bytes, to the probe as it is in the program.
void tls_peer(std::string_view input) {
  static Wire wire;
  wire.loop->run(look(&wire, input));
}

}  // namespace certherd::fuzz

#include "dns/responder/sockets.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "dns/responder/udp_server.hpp"

namespace certherd::dns::responder {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A port that is free for UDP may be taken for TCP; then another one is tried.
constexpr int tries_for_a_free_port = 50;

// An IPv6 socket takes IPv6 only, so that "0.0.0.0:53" and "[::]:53" can stand side by side.
template <typename Socket>
error_code open_and_bind(Socket& socket, const typename Socket::endpoint_type& endpoint) {
  error_code error;
  socket.open(endpoint.protocol(), error);
  if (!error && endpoint.address().is_v6()) socket.set_option(asio::ip::v6_only(true), error);
  if (!error && std::is_same_v<Socket, asio::ip::tcp::acceptor>) {
    // Connections of the run before, in TIME_WAIT, must not keep us from listening.
    socket.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) socket.bind(endpoint, error);
  return error;
}

error_code try_bind(Sockets& sockets, const asio::ip::address& address, std::uint16_t port) {
  auto error = open_and_bind(sockets.udp, {address, port});
  if (!error) error = UdpServer::prepare(sockets.udp);
  if (error) return error;
  sockets.address.port = sockets.udp.local_endpoint(error).port();
  if (!error) error = open_and_bind(sockets.tcp, {address, sockets.address.port});
  if (!error) sockets.tcp.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

std::string advice(const error_code& error) {
  if (error == asio::error::access_denied) {
    return "; a port below 1024 needs CAP_NET_BIND_SERVICE or root";
  }
  if (error == asio::error::address_in_use) return "; see with ss -lntup who listens there";
  return "";
}

}  // namespace

Result<Sockets> bind_sockets(asio::io_context& context, const ServerAddress& address) {
  const auto failed = [&address](const error_code& error) {
    return fail(Error::Kind::misconfigured, fmt::format("listen on {}", address.text()),
                error.message() + advice(error));
  };
  error_code error;
  const auto ip = asio::ip::make_address(address.address, error);
  if (error) return failed(error);

  for (int i = 0; i < tries_for_a_free_port; ++i) {
    Sockets sockets{asio::ip::udp::socket(context), asio::ip::tcp::acceptor(context), address};
    error = try_bind(sockets, ip, address.port);
    if (!error) return sockets;
    if (address.port != 0 || error != asio::error::address_in_use) break;
  }
  return failed(error);
}

}  // namespace certherd::dns::responder

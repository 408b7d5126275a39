#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include "base/result.hpp"
#include "dns/visibility.hpp"

namespace certherd::dns::responder {

/// One address, bound for UDP and TCP on the same port.
struct Sockets {
  boost::asio::ip::udp::socket udp;
  boost::asio::ip::tcp::acceptor tcp;
  ServerAddress address;  ///< with the port that port 0 became
};

/// Errors: misconfigured, with the address and what the system said about it.
Result<Sockets> bind_sockets(boost::asio::io_context& context, const ServerAddress& address);

}  // namespace certherd::dns::responder

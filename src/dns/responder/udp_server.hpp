#pragma once

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <string>

#include "dns/responder/authority.hpp"
#include "dns/responder/rate_limit.hpp"
#include "runtime/clock.hpp"
#include "runtime/task.hpp"

namespace certherd::dns::responder {

/// Answers on one UDP socket until it is cancelled. Replies leave from the address that was
/// asked, which matters on a host with several when the socket is bound to all of them.
class UdpServer {
 public:
  UdpServer(boost::asio::ip::udp::socket socket, const Authority* authority, RateLimiter* limiter,
            runtime::Clock* clock);

  Task<void> run();
  void close();

  /// Asks the kernel to tell the address that each question was sent to.
  static boost::system::error_code prepare(boost::asio::ip::udp::socket& socket);

 private:
  struct Datagram {
    std::size_t size = 0;
    boost::asio::ip::udp::endpoint client;
    std::string local;  // control message that makes the reply leave from where it was asked
  };

  std::optional<Datagram> receive();
  void answer(const Datagram& datagram);
  void send(const Datagram& datagram, std::string reply);

  boost::asio::ip::udp::socket socket_;
  const Authority* authority_;
  RateLimiter* limiter_;
  runtime::Clock* clock_;
  std::array<char, 4096> buffer_{};
};

}  // namespace certherd::dns::responder

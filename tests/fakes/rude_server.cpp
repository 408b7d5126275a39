#include "fakes/rude_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <string_view>
#include <thread>

namespace certherd::fakes {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::string_view_literals;

constexpr int pause_ms = 5;

/// False once the client has gone.
bool send(tcp::socket& socket, std::string_view octets) {
  error_code error;
  asio::write(socket, asio::buffer(octets), error);
  return !error;
}

void send_for_ever(tcp::socket& socket, std::string_view octets) {
  while (send(socket, octets)) {
  }
}

/// Waits for the client's end for a moment.
bool gone(tcp::socket& socket) {
  pollfd waiting{.fd = socket.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&waiting, 1, pause_ms) != 0;
}

void read_to_the_end(tcp::socket& socket) {
  std::array<char, 4096> octets{};
  error_code error;
  while (!error) socket.read_some(asio::buffer(octets), error);
}

/// RFC 5246 section 7.4: version 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and the extension of
/// RFC 5746; in a record of its own.
std::string server_hello() {
  constexpr auto after_random = "\x00\xC0\x2F\x00\x00\x05\xFF\x01\x00\x01\x00"sv;
  std::string body = "\x03\x03";
  body.append(32, 'R');
  body += after_random;
  const auto size = static_cast<char>(body.size());
  const auto record_size = static_cast<char>(body.size() + 4);
  return std::string("\x16\x03\x03\x00"sv) + record_size + std::string("\x02\x00\x00"sv) + size +
         body;
}

void treat(tcp::socket& socket, Rudeness rudeness) {
  switch (rudeness) {
    case Rudeness::hangs_up:
      return;
    case Rudeness::resets:
      socket.set_option(tcp::socket::linger(true, 0));
      return;
    case Rudeness::greets_as_mail:
      send(socket, "220 mail.example.com ESMTP\r\n");
      read_to_the_end(socket);
      return;
    case Rudeness::floods:
      send_for_ever(socket, std::string(1U << 16U, '\xAA'));
      return;
    case Rudeness::trickles:
      // A handshake record of 16 KiB with a ServerHello in it.
      send(socket, "\x16\x03\x03\x40\x00\x02\x00\x3F\xFC\x03\x03"sv);
      while (!gone(socket)) send(socket, "R");
      return;
    case Rudeness::huge_certificate:
      send(socket, server_hello());
      send(socket, "\x16\x03\x03\x40\x00\x0B\xFF\xFF\xFF\xFF\xFF\xFC"sv);
      send_for_ever(socket, std::string(1U << 14U, '\x01'));
      return;
  }
}

}  // namespace

class RudeServer::Server {
 public:
  explicit Server(Rudeness rudeness)
      : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        thread_([this, rudeness] { serve(rudeness); }) {}

  ~Server() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);  // wakes who waits for a client
    thread_.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void serve(Rudeness rudeness) {
    while (true) {
      tcp::socket socket(context_);
      error_code error;
      acceptor_.accept(socket, error);
      if (error) return;
      treat(socket, rudeness);
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

RudeServer::RudeServer(Rudeness rudeness) : server_(std::make_unique<Server>(rudeness)) {}

RudeServer::~RudeServer() = default;

std::uint16_t RudeServer::port() const { return server_->port(); }

}  // namespace certherd::fakes

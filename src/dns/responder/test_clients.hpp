#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdio>
#include <string>

#include "dns/responder/wire.hpp"
#include "dns/visibility.hpp"

/// Plain blocking clients for a thread beside the loop; no wait is longer than a few seconds.
namespace certherd::dns::responder {

/// A query for a TXT record.
inline std::string txt_query(const std::string& name, std::uint16_t id = 1) {
  Writer writer;
  for (const unsigned part : {unsigned{id}, 0x0000U, 1U, 0U, 0U, 0U}) writer.u16(part);
  writer.bytes(encode_name(Fqdn::literal(name)));
  writer.u16(static_cast<unsigned>(RecordType::txt));
  writer.u16(class_internet);
  return writer.take();
}

inline bool is_truncated(const std::string& reply) { return (reply[2] & 0x02) != 0; }
inline unsigned answer_count(const std::string& reply) {
  return static_cast<unsigned char>(reply[7]);
}

/// A connected socket, so that replies from any other address do not arrive.
template <typename Protocol>
class BlockingSocket {
 public:
  explicit BlockingSocket(const ServerAddress& server,
                          std::chrono::milliseconds patience = std::chrono::seconds(5))
      : socket_(context_) {
    socket_.connect({boost::asio::ip::make_address(server.address), server.port});
    const timeval wait{.tv_sec = patience.count() / 1000,
                       .tv_usec = patience.count() % 1000 * 1000};
    EXPECT_EQ(::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)),
              0);
  }

  void send(const std::string& data) {
    static_cast<void>(::send(socket_.native_handle(), data.data(), data.size(), MSG_NOSIGNAL));
  }

  /// One datagram, or what has come of a stream; -1 when nothing came, 0 at the stream's end.
  ssize_t receive(std::string& data, std::size_t most = 65535) {
    data.resize(most);
    const auto size = ::recv(socket_.native_handle(), data.data(), data.size(), 0);
    data.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return size;
  }

  std::string receive_exactly(std::size_t size) {
    std::string all;
    std::string part;
    while (all.size() < size && receive(part, size - all.size()) > 0) all += part;
    return all;
  }

 private:
  boost::asio::io_context context_;
  typename Protocol::socket socket_;
};

using UdpClient = BlockingSocket<boost::asio::ip::udp>;

class TcpClient : public BlockingSocket<boost::asio::ip::tcp> {
 public:
  using BlockingSocket::BlockingSocket;

  static std::string framed(const std::string& message) {
    Writer writer;
    writer.u16(static_cast<unsigned>(message.size()));
    writer.bytes(message);
    return writer.take();
  }
  /// Empty when the server closed.
  std::string receive_message() {
    const auto prefix = receive_exactly(2);
    return prefix.size() < 2 ? std::string() : receive_exactly(Reader(prefix).u16());
  }
  /// Whether the server has closed or does so soon.
  bool is_closed() {
    std::string ignored;
    const auto size = receive(ignored);
    return size == 0 || (size < 0 && errno == ECONNRESET);
  }
};

/// What dig prints.
inline std::string dig(const ServerAddress& server, const std::string& arguments) {
  const auto command = "dig @" + server.address + " -p " + std::to_string(server.port) +
                       " +tries=1 +time=5 " + arguments + " 2>&1";
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> part{};
  while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) {
    output.append(part.data(), size);
  }
  ::pclose(pipe);
  return output;
}

}  // namespace certherd::dns::responder

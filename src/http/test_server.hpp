#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <functional>
#include <latch>
#include <list>
#include <optional>
#include <string>
#include <thread>

namespace certherd::http {

/// An HTTP/1.1 server on 127.0.0.1 for tests, with a thread per connection. It sends what its
/// handler says, byte by byte, however wrong that is.
class TestServer {
 public:
  struct Answer {
    std::string bytes;
    bool close = false;  ///< the connection, after that
    /// Called for further bytes until it gives none, or until the client has gone.
    std::function<std::string()> more = nullptr;
  };
  /// Called with the whole request, on any thread.
  using Handler = std::function<Answer(std::string request)>;
  struct Tls {
    std::string chain_pem;
    std::string key_pem;
    /// Root of the certificates without which no client is served; empty: none is asked for.
    std::string client_root_pem = {};
  };

  explicit TestServer(Handler handler, std::optional<Tls> tls = std::nullopt);
  ~TestServer();  ///< breaks off every connection
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const;
  int connections() const { return connections_; }
  int requests() const { return requests_; }

  /// For handlers: blocks until the server is going to end.
  void stall() const { ending_.wait(); }

 private:
  void accept();
  void serve(boost::asio::ip::tcp::socket& socket);
  template <typename Stream>
  void answer(Stream& stream);

  Handler handler_;
  std::optional<boost::asio::ssl::context> tls_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::atomic<int> connections_ = 0;
  std::atomic<int> requests_ = 0;
  mutable std::latch ending_{1};
  std::list<boost::asio::ip::tcp::socket> sockets_;  // closed last, by the destructor
  std::list<std::thread> threads_;
};

/// A 200 with that body.
TestServer::Answer ok(const std::string& body);

}  // namespace certherd::http

#include "http/test_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace certherd::http {

namespace asio = boost::asio;
using asio::ip::tcp;

TestServer::TestServer(Handler handler, std::optional<Tls> tls)
    : handler_(std::move(handler)),
      acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  if (tls) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(tls->chain_pem));
    tls_->use_private_key(asio::buffer(tls->key_pem), asio::ssl::context::pem);
    if (!tls->client_root_pem.empty()) {
      tls_->add_certificate_authority(asio::buffer(tls->client_root_pem));
      tls_->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
      // crypto::LocalCa issues for servers only.
      SSL_CTX_set_purpose(tls_->native_handle(), X509_PURPOSE_ANY);
    }
  }
  threads_.emplace_back([this] { accept(); });
}

TestServer::~TestServer() {
  ending_.count_down();
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  threads_.front().join();  // from here on no socket is added
  for (auto& socket : sockets_) ::shutdown(socket.native_handle(), SHUT_RDWR);
  threads_.pop_front();
  for (auto& thread : threads_) thread.join();
}

std::string TestServer::url(const std::string& path, const std::string& host) const {
  return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
}

void TestServer::accept() {
  boost::system::error_code error;
  while (true) {
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (error) return;
    ++connections_;
    auto& kept = sockets_.emplace_back(std::move(socket));
    threads_.emplace_back([this, &kept] { serve(kept); });
  }
}

void TestServer::serve(tcp::socket& socket) {
  if (tls_) {
    asio::ssl::stream<tcp::socket&> stream(socket, *tls_);
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    if (!error) answer(stream);
  } else {
    answer(socket);
  }
  ::shutdown(socket.native_handle(), SHUT_RDWR);
}

template <typename Stream>
void TestServer::answer(Stream& stream) {
  std::string received;
  boost::system::error_code error;
  while (true) {
    const auto head = asio::read_until(stream, asio::dynamic_buffer(received), "\r\n\r\n", error);
    if (error) return;
    std::size_t body = 0;
    constexpr std::string_view length = "\r\nContent-Length: ";
    const auto at = received.find(length);
    if (at < head) {
      std::from_chars(received.data() + at + length.size(), received.data() + head, body);
    }
    if (received.size() < head + body) {
      asio::read(stream, asio::dynamic_buffer(received),
                 asio::transfer_exactly(head + body - received.size()), error);
      if (error) return;
    }
    ++requests_;
    const Answer answer = handler_(received.substr(0, head + body));
    received.erase(0, head + body);
    asio::write(stream, asio::buffer(answer.bytes), error);
    for (auto bytes = answer.more ? answer.more() : std::string(); !bytes.empty() && !error;
         bytes = answer.more()) {
      asio::write(stream, asio::buffer(bytes), error);
    }
    if (error || answer.close) return;
  }
}

TestServer::Answer ok(const std::string& body) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

}  // namespace certherd::http

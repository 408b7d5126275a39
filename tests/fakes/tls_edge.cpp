#include "fakes/tls_edge.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <thread>
#include <utility>

namespace certherd::fakes {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio reader(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// Whether OpenSSL takes them and the key is the leaf's.
bool use(SSL* ssl, const TlsEdge::Served& served) {
  const auto chain = reader(served.chain_pem);
  const auto next = [&chain] {
    return Certificate(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), &X509_free);
  };
  const auto leaf = next();
  bool good = leaf != nullptr && SSL_use_certificate(ssl, leaf.get()) == 1;
  for (auto other = next(); good && other != nullptr; other = next()) {
    good = SSL_add1_chain_cert(ssl, other.get()) == 1;
  }
  ERR_clear_error();  // of the end of the text
  const Key key(PEM_read_bio_PrivateKey(reader(served.key_pem).get(), nullptr, nullptr, nullptr),
                &EVP_PKEY_free);
  return good && key != nullptr && SSL_use_PrivateKey(ssl, key.get()) == 1 &&
         SSL_check_private_key(ssl) == 1;
}

/// One connection: it lives for as long as a handler waits for it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}

  void run(std::atomic<int>* handshakes) {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this(), handshakes](error_code error) {
                              if (error) return;
                              ++*handshakes;
                              self->wait_for_end();
                            });
  }

 private:
  void wait_for_end() {
    stream_.async_read_some(asio::buffer(bytes_),
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (!error) self->wait_for_end();
                            });
  }

  asio::ssl::stream<tcp::socket> stream_;
  std::array<char, 256> bytes_{};
};

}  // namespace

class TlsEdge::Server {
 public:
  explicit Server(Choose choose) : choose_(std::move(choose)) {
    SSL_CTX* const context = tls_.native_handle();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Nobody shall come back to a certificate that has gone by a session that was kept.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_tlsext_servername_callback(context, &Server::answer_name);
    SSL_CTX_set_tlsext_servername_arg(context, this);
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Server() {
    context_.stop();
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }
  int handshakes() const { return handshakes_; }

 private:
  /// For OpenSSL, which calls it whether the client names a server or not.
  static int answer_name(SSL* ssl, int* alert, void* server) {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const auto served = static_cast<Server*>(server)->choose_(name == nullptr ? "" : name);
    if (served && use(ssl, *served)) return SSL_TLSEXT_ERR_OK;
    *alert = served ? SSL_AD_INTERNAL_ERROR : SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Session>(std::move(socket), tls_)->run(&handshakes_);
      accept();
    });
  }

  Choose choose_;
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  std::atomic<int> handshakes_ = 0;
  asio::io_context context_;  // its sessions end before what they point to
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::thread thread_;
};

TlsEdge::TlsEdge(Choose choose) : server_(std::make_unique<Server>(std::move(choose))) {}

TlsEdge::~TlsEdge() = default;

std::uint16_t TlsEdge::port() const { return server_->port(); }

int TlsEdge::handshakes() const { return server_->handshakes(); }

}  // namespace certherd::fakes

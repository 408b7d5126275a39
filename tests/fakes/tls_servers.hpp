#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "crypto/private_key.hpp"
#include "fakes/temporary_folder.hpp"
#include "model/endpoint.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/process.hpp"

namespace certherd::fakes {

/// A socket of 127.0.0.1 whose connections nobody takes: they stay in the kernel's queue.
class SilentServer {
 public:
  explicit SilentServer(runtime::EventLoop& loop);
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
};

/// A real nginx on 127.0.0.1 and ::1 with one certificate per server name, and a port without
/// TLS. The first name that is added is served to whoever asks for another one.
class TlsServers {
 public:
  explicit TlsServers(runtime::EventLoop& loop) : loop_(loop) {}
  ~TlsServers();

  /// Before start(): a server name with its chain (PEM, leaf first), on both addresses, or on the
  /// given one ("127.0.0.1", "[::1]").
  void add(const std::string& name, const std::string& chain, const crypto::PrivateKey& key,
           const std::string& address = {});

  /// Before start(): the versions of TLS that it speaks, as nginx calls them ("TLSv1.2").
  void speak(std::string protocols) { protocols_ = std::move(protocols); }

  /// Returns when it answers. Errors: what nginx said.
  Status start();

  std::uint16_t port() const { return port_; }
  std::uint16_t plain_port() const { return plain_port_; }

 private:
  void write_config() const;
  Task<bool> listens();

  runtime::EventLoop& loop_;
  TemporaryFolder folder_;
  std::string servers_;
  std::string protocols_ = "TLSv1.2 TLSv1.3";
  std::unique_ptr<runtime::Child> nginx_;
  std::uint16_t port_ = 0;
  std::uint16_t plain_port_ = 0;
};

}  // namespace certherd::fakes

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace certherd::fakes {

/// A TLS server on 127.0.0.1 that asks, at each handshake, what to serve for the name that the
/// client names. It runs on a thread of its own and says nothing once the handshake is done.
class TlsEdge {
 public:
  struct Served {
    std::string chain_pem;
    std::string key_pem;
  };
  /// Called on the server's thread; the name is empty when the client names none. Nothing: the
  /// handshake ends with the alert unrecognized_name (RFC 6066 section 3).
  using Choose = std::function<std::optional<Served>(const std::string& server_name)>;

  explicit TlsEdge(Choose choose);
  ~TlsEdge();  ///< breaks off every connection
  TlsEdge(const TlsEdge&) = delete;
  TlsEdge& operator=(const TlsEdge&) = delete;

  std::uint16_t port() const;
  /// Handshakes that came to their end.
  int handshakes() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace certherd::fakes

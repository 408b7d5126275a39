#pragma once

#include <cstdint>
#include <memory>

namespace certherd::fakes {

/// What a server does to who wants to speak TLS with it.
enum class Rudeness {
  hangs_up,          ///< closes the connection at once
  resets,            ///< resets it
  greets_as_mail,    ///< says an SMTP greeting, and waits
  floods,            ///< sends octets that mean nothing, without end
  trickles,          ///< begins a handshake message and sends an octet of it every few milliseconds
  huge_certificate,  ///< a TLS 1.2 ServerHello, and then a certificate message of 16 MiB
};

/// A server on 127.0.0.1 without manners. It runs on a thread of its own and deals with one client
/// after the other; those must have hung up when it ends.
class RudeServer {
 public:
  explicit RudeServer(Rudeness rudeness);
  ~RudeServer();
  RudeServer(const RudeServer&) = delete;
  RudeServer& operator=(const RudeServer&) = delete;

  std::uint16_t port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace certherd::fakes

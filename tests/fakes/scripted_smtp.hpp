#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <latch>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace certherd::fakes {

/// A mail server on 127.0.0.1 that takes what it is sent, or goes wrong where a test says so. A
/// thread for each connection. As RFC 5321 tells, with STARTTLS (RFC 3207) and AUTH PLAIN.
class ScriptedSmtp {
 public:
  struct Options {
    std::string chain_pem;  ///< it speaks TLS with this; empty: not at all
    std::string key_pem;
    bool tls_from_start = false;
    std::string login;  ///< "user password": who has to be; empty: anybody
    /// By command (upper case, and "." for the end of a mail) what is answered in place of the
    /// usual answer; an empty text closes the connection instead. "RCPT a@b.example" is about one
    /// only.
    std::map<std::string, std::string> answers;
    std::string hang_at;  ///< a command that is never answered
  };

  /// A mail that was taken, also where the answer said otherwise.
  struct Mail {
    std::string from;
    std::vector<std::string> to;
    std::string text;  ///< lines ending with CRLF
    bool encrypted = false;
    std::string login;
  };

  explicit ScriptedSmtp(Options options);
  ScriptedSmtp() : ScriptedSmtp(Options()) {}
  ~ScriptedSmtp();  ///< breaks off every connection
  ScriptedSmtp(const ScriptedSmtp&) = delete;
  ScriptedSmtp& operator=(const ScriptedSmtp&) = delete;

  std::string port() const { return std::to_string(port_); }
  std::vector<Mail> mails() const;
  std::vector<std::string> commands() const;  ///< that came, the words of all connections

  /// Returns when a connection hangs as the options say.
  void await_hanging() const { hanging_.wait(); }

 private:
  void accept();
  void serve(boost::asio::ip::tcp::socket& socket);
  /// True where the client goes on with TLS.
  template <typename Stream>
  bool talk(Stream& stream, bool encrypted);

  Options options_;
  std::optional<boost::asio::ssl::context> tls_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::vector<Mail> mails_;
  std::vector<std::string> commands_;
  mutable std::latch ending_{1};
  mutable std::latch hanging_{1};
  std::once_flag hangs_;
  std::list<boost::asio::ip::tcp::socket> sockets_;
  std::list<std::thread> threads_;
};

}  // namespace certherd::fakes

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "notify/notifier.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::notify {

struct SmtpOptions {
  std::string host;  ///< an IPv6 address in brackets
  std::string port;
  bool tls_from_start = false;  ///< smtps; otherwise STARTTLS, unless `host` is this machine
  std::string user;             ///< empty: no login
  Secret<std::string> password;
  std::string from;
  std::vector<std::string> to;
  std::string trust_pem;  ///< roots besides the system's
  Duration timeout = std::chrono::seconds(60);
};

/// Whether mail to that host leaves no machine, and so may go without TLS.
bool is_this_machine(const std::string& host);

/// Sends mail by a server. It has a thread of its own, so that a server that hangs holds up
/// nothing. The same notice has the same Message-ID each time: a repetition is one mail for many
/// readers.
std::unique_ptr<Notifier> make_smtp(runtime::EventLoop& loop, SmtpOptions options);

}  // namespace certherd::notify

#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "dns/message.hpp"
#include "dns/visibility.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/random.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

enum class Transport { udp, tcp };

/// "UDP" or "TCP".
std::string to_string(Transport transport);

struct QueryOptions {
  bool recursion_desired = true;  ///< RD: set for resolvers, clear for authoritative servers
  Duration patience = std::chrono::seconds(2);  ///< for one try, and for TCP
  int udp_tries = 2;
};

/// Asks one server one question. Owned by app's Visibility, used on the loop.
class Querier {
 public:
  Querier(runtime::EventLoop& loop, runtime::Random& random) : loop_(loop), random_(random) {}

  /// The server's reply, whatever it says: SERVFAIL is a reply. Each query has a socket, a random
  /// port and a random id of its own; replies from elsewhere, with another id or to another
  /// question are passed over. A truncated reply over UDP is asked for again over TCP.
  /// Errors: transient ("timeout", "connection refused"), rejected (an unreadable reply over
  /// TCP), misconfigured (a name that no query can hold). The detail is only what happened, to
  /// be told beside the server; op names server and question.
  Task<Result<Message>> ask(ServerAddress server, Question question, Transport transport,
                            QueryOptions options, Time deadline);

  /// Whether this machine knows any way there (no packet is sent).
  bool has_route(const ServerAddress& server) const;

 private:
  struct Exchange;

  Task<Result<Message>> ask_udp(Exchange exchange, QueryOptions options, Time deadline);
  Task<Result<Message>> ask_tcp(Exchange exchange, QueryOptions options, Time deadline);
  Task<Result<Message>> exchange_udp(Exchange exchange, std::string* passed_over);
  Task<Result<Message>> exchange_tcp(Exchange exchange);

  runtime::EventLoop& loop_;
  runtime::Random& random_;
};

}  // namespace certherd::dns

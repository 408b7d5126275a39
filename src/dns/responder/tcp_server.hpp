#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <list>

#include "dns/responder/authority.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"
#include "runtime/task_group.hpp"

namespace certherd::dns::responder {

/// Answers over TCP (RFC 7766) on all its acceptors. Connections are kept for further queries,
/// also pipelined ones, and closed after ten seconds without a whole query. A new one beyond the
/// cap closes the one that has been waiting longest, so that idle clients cannot lock others out.
class TcpServer {
 public:
  struct Limits {
    std::size_t connections = 128;
    // RFC 7766 section 6.2.3 asks for seconds. A query has to arrive, and its reply be taken,
    // within as much, or a trickle of octets could hold a connection for ever.
    Duration idle = std::chrono::seconds(10);
  };
  TcpServer(runtime::EventLoop* loop, runtime::TaskGroup* sessions, const Authority* authority,
            Limits limits);

  /// Accepts until it is cancelled or closed.
  Task<void> run(boost::asio::ip::tcp::acceptor* acceptor);
  void close();

 private:
  struct Session {
    explicit Session(boost::asio::ip::tcp::socket s) : socket(std::move(s)) {}
    boost::asio::ip::tcp::socket socket;
    bool waiting = true;  // for a query, rather than for its reply to be taken
    bool over = false;
  };
  using Sessions = std::list<Session>;  // longest untouched first
  class Registration;

  /// False when accepting fails for a reason of ours.
  bool accept_waiting(boost::asio::ip::tcp::acceptor& acceptor);
  bool make_room();
  static void end(Session& session);
  Task<void> serve(Sessions::iterator session);
  Task<void> exchange(Sessions::iterator session);

  runtime::EventLoop* loop_;
  runtime::TaskGroup* group_;
  const Authority* authority_;
  Limits limits_;
  Sessions sessions_;
};

}  // namespace certherd::dns::responder

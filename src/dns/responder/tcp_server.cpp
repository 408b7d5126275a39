#include "dns/responder/tcp_server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <tuple>

#include "runtime/timeouts.hpp"

namespace certherd::dns::responder {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Connections taken before other tasks of the loop get their turn.
constexpr int accepts_per_turn = 64;
constexpr auto pause_after_failed_accept = std::chrono::milliseconds(100);

}  // namespace

/// Ends a session's entry however its coroutine ends.
class TcpServer::Registration {
 public:
  Registration(Sessions* sessions, Sessions::iterator session)
      : sessions_(sessions), session_(session) {}
  ~Registration() { sessions_->erase(session_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  Sessions* sessions_;
  Sessions::iterator session_;
};

TcpServer::TcpServer(runtime::EventLoop* loop, runtime::TaskGroup* sessions,
                     const Authority* authority, Limits limits)
    : loop_(loop), group_(sessions), authority_(authority), limits_(limits) {}

Task<void> TcpServer::run(tcp::acceptor* acceptor) {
  boost::system::error_code error;
  acceptor->non_blocking(true, error);
  while (acceptor->is_open()) {
    std::tie(error) = co_await acceptor->async_wait(tcp::acceptor::wait_read,
                                                    asio::as_tuple(asio::use_awaitable));
    if (error || !acceptor->is_open()) co_return;  // closed or cancelled
    if (!accept_waiting(*acceptor)) {
      // Out of descriptors, most likely: without a pause this would spin.
      co_await loop_->clock().sleep_for(pause_after_failed_accept);
    }
  }
}

// All that stand in line, not one in each turn of the loop: a CA asks for a whole fleet at once,
// and on a busy loop its patience would end in the line.
bool TcpServer::accept_waiting(tcp::acceptor& acceptor) {
  for (int i = 0; i < accepts_per_turn; ++i) {
    boost::system::error_code error;
    tcp::socket socket = acceptor.accept(error);
    if (error == asio::error::would_block || error == asio::error::try_again) return true;
    if (error == asio::error::connection_aborted) continue;  // it has left the line
    if (error) return false;
    if (!make_room()) continue;  // all are busy: the new one is closed
    auto session = serve(sessions_.emplace(sessions_.end(), std::move(socket)));
    group_->spawn(std::move(session));
  }
  return true;
}

void TcpServer::close() {
  for (auto& session : sessions_) end(session);
}

bool TcpServer::make_room() {
  const auto open = std::ranges::count(sessions_, false, &Session::over);
  if (static_cast<std::size_t>(open) < limits_.connections) return true;
  const auto longest = std::ranges::find_if(
      sessions_, [](const Session& session) { return session.waiting && !session.over; });
  if (longest == sessions_.end()) return false;
  end(*longest);
  return true;
}

// Its coroutine notices and takes the entry away.
void TcpServer::end(Session& session) {
  boost::system::error_code ignored;
  session.over = true;
  session.socket.close(ignored);
}

Task<void> TcpServer::serve(Sessions::iterator session) {
  const Registration registration(&sessions_, session);
  while (!session->over) {
    auto next = exchange(session);
    const auto deadline = loop_->clock().now() + limits_.idle;
    if (!co_await runtime::finished_by(&loop_->clock(), deadline, std::move(next))) break;
  }
}

Task<void> TcpServer::exchange(Sessions::iterator session) {
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  std::array<char, 2> prefix{};
  const auto [no_prefix, prefix_size] =
      co_await asio::async_read(session->socket, asio::buffer(prefix), token);
  if (no_prefix) co_return end(*session);

  std::string query(Reader(std::string_view(prefix.data(), prefix.size())).u16(), '\0');
  const auto [no_query, query_size] =
      co_await asio::async_read(session->socket, asio::buffer(query), token);
  if (no_query) co_return end(*session);

  const auto reply = authority_->reply(query, Transport::tcp, false);
  if (!reply) co_return end(*session);
  Writer framed;
  framed.u16(static_cast<unsigned>(reply->size()));
  framed.bytes(*reply);
  session->waiting = false;
  const auto [no_reply, reply_size] =
      co_await asio::async_write(session->socket, asio::buffer(framed.data()), token);
  if (no_reply) co_return end(*session);

  session->waiting = true;
  sessions_.splice(sessions_.end(), sessions_, session);
}

}  // namespace certherd::dns::responder

#include "dns/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <utility>
#include <vector>

#include "runtime/timeouts.hpp"

namespace certherd::dns {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// A server that answers within edns_payload never sends more; anything longer is cut off by the
/// kernel and then unreadable.
constexpr std::size_t receive_size = 4'096;

/// A network failure in the words of a sighting. Cancellation is none: it goes on as the
/// exception that it is everywhere else.
tl::unexpected<Error> broken(const error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error == asio::error::eof) {
    return fail(Error::Kind::transient, {}, "connection closed without a reply");
  }
  std::string text = error.message();
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return fail(Error::Kind::transient, {}, std::move(text));
}

template <typename Protocol>
Result<typename Protocol::endpoint> endpoint_of(const ServerAddress& server) {
  error_code error;
  const auto address = asio::ip::make_address(server.address, error);
  if (error) {
    return fail(Error::Kind::misconfigured, {},
                fmt::format("\"{}\" is no address", server.address));
  }
  return typename Protocol::endpoint(address, server.port);
}

}  // namespace

/// One query on its way.
struct Querier::Exchange {
  ServerAddress server;
  Question question;
  std::uint16_t id = 0;
  std::vector<std::uint8_t> wire;

  /// The reply in `received`, or why it is none to this query.
  Result<Message> reply_in(std::span<const std::uint8_t> received) const {
    auto reply = decode_reply(received);
    if (!reply) {
      return fail(Error::Kind::rejected, {},
                  fmt::format("unreadable reply: {}", reply.error().detail));
    }
    if (reply->id != id) return fail(Error::Kind::rejected, {}, "reply with another id");
    if (reply->question != question) {
      return fail(Error::Kind::rejected, {},
                  fmt::format("reply to another question ({} {})", reply->question.name,
                              to_string(reply->question.type)));
    }
    return reply;
  }
};

std::string to_string(Transport transport) { return transport == Transport::udp ? "UDP" : "TCP"; }

bool Querier::has_route(const ServerAddress& server) const {
  const auto endpoint = endpoint_of<asio::ip::udp>(server);
  if (!endpoint) return false;
  asio::ip::udp::socket socket(loop_.context());
  error_code error;
  socket.open(endpoint->protocol(), error);
  if (!error) socket.connect(*endpoint, error);  // only looks up the route
  return error != asio::error::network_unreachable && error != asio::error::host_unreachable &&
         error != asio::error::address_family_not_supported &&
         error != boost::system::errc::address_not_available;
}

Task<Result<Message>> Querier::ask(ServerAddress server, Question question, Transport transport,
                                   QueryOptions options, Time deadline) {
  const std::string op = fmt::format("ask {} ({}) for {} {}", server.text(), to_string(transport),
                                     question.name, to_string(question.type));
  question.name = lower_case(std::move(question.name));  // as decode_reply() gives it back
  Exchange exchange{.server = std::move(server),
                    .question = std::move(question),
                    .id = static_cast<std::uint16_t>(random_.uniform(0, 0xFFFF)),
                    .wire = {}};
  auto wire = encode_query(exchange.id, exchange.question, options.recursion_desired);
  if (!wire) co_return fail(std::move(wire.error()).during(op));
  exchange.wire = std::move(*wire);

  auto again = exchange;
  auto reply = transport == Transport::udp
                   ? co_await ask_udp(std::move(exchange), options, deadline)
                   : co_await ask_tcp(std::move(exchange), options, deadline);
  if (reply && reply->truncated && transport == Transport::udp) {
    reply = co_await ask_tcp(std::move(again), options, deadline);
    if (!reply) {
      reply.error().detail =
          fmt::format("truncated over UDP, and over TCP: {}", reply.error().detail);
    }
  }
  if (!reply) co_return fail(std::move(reply.error()).during(op));
  co_return reply;
}

Task<Result<Message>> Querier::ask_udp(Exchange exchange, QueryOptions options, Time deadline) {
  auto& clock = loop_.clock();
  Result<Message> last = fail(Error::Kind::transient, {}, "timeout");
  for (int i = 0; i < options.udp_tries; ++i) {
    const Time until = std::min(clock.now() + options.patience, deadline);
    std::string passed_over;
    auto once = exchange_udp(exchange, &passed_over);
    auto reply = co_await runtime::value_by(&clock, until, std::move(once));
    if (reply && *reply) co_return std::move(*reply);
    if (reply) {
      last = std::move(*reply);
    } else {
      last = fail(Error::Kind::transient, {},
                  passed_over.empty() ? "timeout" : fmt::format("timeout ({})", passed_over));
    }
    if (clock.now() >= deadline) break;
  }
  co_return last;
}

Task<Result<Message>> Querier::ask_tcp(Exchange exchange, QueryOptions options, Time deadline) {
  auto& clock = loop_.clock();
  const Time until = std::min(clock.now() + options.patience, deadline);
  auto once = exchange_tcp(std::move(exchange));
  auto reply = co_await runtime::value_by(&clock, until, std::move(once));
  if (!reply) co_return fail(Error::Kind::transient, {}, "timeout");
  co_return std::move(*reply);
}

/// A new socket per query takes a random port from the kernel; being connected, it drops what
/// comes from elsewhere (RFC 5452 sections 9.1 and 9.2).
Task<Result<Message>> Querier::exchange_udp(Exchange exchange, std::string* passed_over) {
  const auto endpoint = endpoint_of<asio::ip::udp>(exchange.server);
  if (!endpoint) co_return fail(endpoint.error());
  asio::ip::udp::socket socket(loop_.context());
  error_code error;
  socket.open(endpoint->protocol(), error);
  if (!error) socket.connect(*endpoint, error);
  if (error) co_return broken(error);

  co_await runtime::cancellation_point();
  const auto [unsent, sent] = co_await socket.async_send(asio::buffer(exchange.wire), as_result);
  if (unsent) co_return broken(unsent);

  std::vector<std::uint8_t> buffer(receive_size);
  for (;;) {
    co_await runtime::cancellation_point();
    const auto [failed, size] = co_await socket.async_receive(asio::buffer(buffer), as_result);
    if (failed) co_return broken(failed);
    auto reply = exchange.reply_in(std::span(buffer).first(size));
    if (reply) co_return reply;
    *passed_over = std::move(reply.error().detail);
  }
}

Task<Result<Message>> Querier::exchange_tcp(Exchange exchange) {
  const auto endpoint = endpoint_of<asio::ip::tcp>(exchange.server);
  if (!endpoint) co_return fail(endpoint.error());
  asio::ip::tcp::socket socket(loop_.context());
  co_await runtime::cancellation_point();
  const auto [refused] = co_await socket.async_connect(*endpoint, as_result);
  if (refused) co_return broken(refused);

  // RFC 7766 section 8: length and message in one write.
  const auto length = static_cast<std::uint16_t>(exchange.wire.size());
  const std::array<std::uint8_t, 2> prefix = {static_cast<std::uint8_t>(length >> 8U),
                                              static_cast<std::uint8_t>(length & 0xFFU)};
  const std::array<asio::const_buffer, 2> request = {asio::buffer(prefix),
                                                     asio::buffer(exchange.wire)};
  co_await runtime::cancellation_point();
  const auto [unsent, sent] = co_await asio::async_write(socket, request, as_result);
  if (unsent) co_return broken(unsent);

  std::array<std::uint8_t, 2> size{};
  co_await runtime::cancellation_point();
  const auto [cut, got] = co_await asio::async_read(socket, asio::buffer(size), as_result);
  if (cut) co_return broken(cut);
  std::vector<std::uint8_t> buffer((static_cast<std::size_t>(size[0]) << 8U) | size[1]);
  co_await runtime::cancellation_point();
  const auto [short_of, rest] = co_await asio::async_read(socket, asio::buffer(buffer), as_result);
  if (short_of) co_return broken(short_of);
  co_return exchange.reply_in(buffer);
}

}  // namespace certherd::dns

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dns/message.hpp"
#include "dns/query.hpp"
#include "dns/visibility.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task_group.hpp"

namespace certherd::dns {

using Packet = std::vector<std::uint8_t>;

/// A reply in wire format; records of types without a text form here are left out.
Packet encode_reply(const Message& reply);

/// A name server on a free port of 127.0.0.1, over UDP and TCP, that says what the test wants.
class ScriptedServer {
 public:
  struct Query {
    std::uint16_t id = 0;
    Question question;
    bool recursion_desired = false;
    Transport transport = Transport::udp;

    /// The start of an answer to it.
    Message reply(ResponseCode code = ResponseCode::no_error) const;
  };

  /// What is sent back, in that order; nothing for silence. Over TCP only the first.
  using Script = std::function<std::vector<Packet>(const Query&)>;

  ScriptedServer(runtime::EventLoop& loop, Script script);

  ServerAddress address() const { return address_; }

  /// Closes both sockets: afterwards nothing listens there.
  Task<void> stop();

  std::vector<Query> queries;  ///< all that came, in order

  /// How often that was asked.
  std::size_t count(std::string_view name, RecordType type) const;

 private:
  Task<void> serve_udp();
  Task<void> serve_tcp();
  Task<void> serve_session(boost::asio::ip::tcp::socket socket);
  std::vector<Packet> answer(std::span<const std::uint8_t> wire, Transport transport);

  Script script_;
  ServerAddress address_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::udp::socket socket_;
  runtime::TaskGroup tasks_;
};

template <typename T>
Task<T> then_stop(std::vector<ScriptedServer*> servers, Task<T> task) {
  T result = co_await std::move(task);
  for (auto* server : servers) co_await server->stop();
  co_return result;
}

/// Runs `task` while the servers serve; they are stopped afterwards.
template <typename T>
T run_beside(runtime::EventLoop& loop, std::vector<ScriptedServer*> servers, Task<T> task) {
  return loop.run(then_stop(std::move(servers), std::move(task)));
}

/// What an authoritative server knows: records, negative answers with the zone's SOA, REFUSED
/// outside its zones. Unlike a resolver it stops where a CNAME leaves its question.
struct Authority {
  std::set<std::string> zones;
  std::vector<Record> records;

  void add(std::string name, RecordType type, std::string text);
  void add_caa(std::string name, std::string_view tag, std::string_view value,
               std::uint8_t flags = 0);
  /// A zone with one name server of that name at that address.
  void add_zone(const std::string& zone, const std::string& name_server,
                const std::string& address);

  Message reply(const ScriptedServer::Query& query) const;
  std::vector<Packet> operator()(const ScriptedServer::Query& query) const {
    return {encode_reply(reply(query))};
  }
};

}  // namespace certherd::dns

#include "dns/scripted_server_test.hpp"

#include <fmt/format.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <stdexcept>

#include "dns/caa_lookup.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::dns {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;

std::string dotted(const std::string& name) { return name + "."; }

std::string zone_line(const Record& record) {
  std::string data;
  switch (record.type) {
    case RecordType::a:
    case RecordType::aaaa:
      data = record.text;
      break;
    case RecordType::ns:
    case RecordType::cname:
      data = dotted(record.text);
      break;
    case RecordType::soa:
      data = fmt::format("{} hostmaster.invalid. 1 3600 600 86400 60", dotted(record.text));
      break;
    case RecordType::txt:
      data = fmt::format("\"{}\"", record.text);
      break;
    case RecordType::caa:
      data = parse_caa(record.text).value().text();
      break;
  }
  return fmt::format("{} {} IN {} {}", dotted(record.name), record.ttl, to_string(record.type),
                     data);
}

void push(ldns_pkt* packet, ldns_pkt_section section, const Record& record) {
  ldns_rr* made = nullptr;
  const auto status = ldns_rr_new_frm_str(&made, zone_line(record).c_str(), 0, nullptr, nullptr);
  if (status != LDNS_STATUS_OK) throw std::invalid_argument(zone_line(record));
  ldns_pkt_push_rr(packet, section, made);
}

ScriptedServer::Query read_query(std::span<const std::uint8_t> wire, Transport transport) {
  // As a reply it can be read by the codec under test: only the QR bit tells them apart.
  Packet copy(wire.begin(), wire.end());
  copy.at(2) |= 0x80U;
  const auto message = decode_reply(copy).value();
  return {.id = message.id,
          .question = message.question,
          .recursion_desired = (wire[2] & 0x01U) != 0,
          .transport = transport};
}

std::size_t size_of(std::array<std::uint8_t, 2> prefix) {
  return (static_cast<std::size_t>(prefix[0]) << 8U) | prefix[1];
}

std::array<std::uint8_t, 2> prefix_of(std::size_t size) {
  return {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size & 0xFFU)};
}

}  // namespace

Packet encode_reply(const Message& reply) {
  const std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)> packet(ldns_pkt_new(), ldns_pkt_free);
  ldns_pkt_set_id(packet.get(), reply.id);
  ldns_pkt_set_qr(packet.get(), true);
  ldns_pkt_set_aa(packet.get(), reply.authoritative);
  ldns_pkt_set_tc(packet.get(), reply.truncated);
  ldns_pkt_set_ra(packet.get(), reply.recursion_available);
  ldns_pkt_set_rcode(packet.get(),
                     static_cast<std::uint8_t>(std::to_underlying(reply.code) & 0x0FU));
  ldns_rr* question = ldns_rr_new();
  ldns_rr_set_question(question, true);
  ldns_rr_set_owner(question, ldns_dname_new_frm_str(dotted(reply.question.name).c_str()));
  ldns_rr_set_type(question, static_cast<ldns_rr_type>(reply.question.type));
  ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
  ldns_pkt_push_rr(packet.get(), LDNS_SECTION_QUESTION, question);
  for (const auto& record : reply.answers) push(packet.get(), LDNS_SECTION_ANSWER, record);
  for (const auto& record : reply.authority) push(packet.get(), LDNS_SECTION_AUTHORITY, record);
  for (const auto& record : reply.additional) push(packet.get(), LDNS_SECTION_ADDITIONAL, record);

  std::uint8_t* written = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&written, packet.get(), &size) != LDNS_STATUS_OK) {
    throw std::invalid_argument("a reply that has no wire format");
  }
  const std::unique_ptr<std::uint8_t, decltype(&std::free)> octets(written, std::free);
  return {written, written + size};
}

Message ScriptedServer::Query::reply(ResponseCode code) const {
  Message message;
  message.id = id;
  message.code = code;
  message.authoritative = true;
  message.question = question;
  return message;
}

ScriptedServer::ScriptedServer(runtime::EventLoop& loop, Script script)
    : script_(std::move(script)),
      acceptor_(loop.context(), {asio::ip::address_v4::loopback(), 0}),
      socket_(loop.context(),
              {asio::ip::address_v4::loopback(), acceptor_.local_endpoint().port()}),
      tasks_(loop) {
  address_ = {.address = "127.0.0.1", .port = acceptor_.local_endpoint().port()};
  tasks_.spawn(serve_udp());
  tasks_.spawn(serve_tcp());
}

Task<void> ScriptedServer::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  acceptor_.close();
  socket_.close();
}

std::size_t ScriptedServer::count(std::string_view name, RecordType type) const {
  return static_cast<std::size_t>(std::ranges::count_if(queries, [&](const Query& query) {
    return query.question.name == name && query.question.type == type;
  }));
}

std::vector<Packet> ScriptedServer::answer(std::span<const std::uint8_t> wire,
                                           Transport transport) {
  queries.push_back(read_query(wire, transport));
  return script_(queries.back());
}

Task<void> ScriptedServer::serve_udp() {
  Packet buffer(65'535);
  for (;;) {
    asio::ip::udp::endpoint from;
    co_await runtime::cancellation_point();
    const std::size_t size =
        co_await socket_.async_receive_from(asio::buffer(buffer), from, use_awaitable);
    const auto packets = answer(std::span(buffer).first(size), Transport::udp);
    for (const auto& packet : packets) {
      co_await socket_.async_send_to(asio::buffer(packet), from, use_awaitable);
    }
  }
}

Task<void> ScriptedServer::serve_tcp() {
  for (;;) {
    co_await runtime::cancellation_point();
    auto socket = co_await acceptor_.async_accept(use_awaitable);
    tasks_.spawn(serve_session(std::move(socket)));
  }
}

Task<void> ScriptedServer::serve_session(asio::ip::tcp::socket socket) {
  std::array<std::uint8_t, 2> prefix{};
  co_await asio::async_read(socket, asio::buffer(prefix), use_awaitable);
  Packet buffer(size_of(prefix));
  co_await asio::async_read(socket, asio::buffer(buffer), use_awaitable);
  const auto packets = answer(buffer, Transport::tcp);
  if (!packets.empty()) {
    prefix = prefix_of(packets.front().size());
    const std::array<asio::const_buffer, 2> reply = {asio::buffer(prefix),
                                                     asio::buffer(packets.front())};
    co_await asio::async_write(socket, reply, use_awaitable);
  }
  // Silence lasts until the client goes away.
  boost::system::error_code gone;
  co_await socket.async_wait(asio::ip::tcp::socket::wait_read,
                             asio::redirect_error(use_awaitable, gone));
}

void Authority::add(std::string name, RecordType type, std::string text) {
  records.push_back({.name = std::move(name), .type = type, .ttl = 60, .text = std::move(text)});
}

void Authority::add_caa(std::string name, std::string_view tag, std::string_view value,
                        std::uint8_t flags) {
  std::string octets{static_cast<char>(flags), static_cast<char>(tag.size())};
  octets += tag;
  octets += value;
  add(std::move(name), RecordType::caa, std::move(octets));
}

void Authority::add_zone(const std::string& zone, const std::string& name_server,
                         const std::string& address) {
  zones.insert(zone);
  add(zone, RecordType::soa, name_server);
  add(zone, RecordType::ns, name_server);
  add(name_server, RecordType::a, address);
}

Message Authority::reply(const ScriptedServer::Query& query) const {
  const auto& name = query.question.name;
  const auto zone = std::ranges::max_element(zones, {}, [&name](const std::string& each) {
    return name == each || name.ends_with("." + each) ? each.size() : 0;
  });
  if (zone == zones.end() || (name != *zone && !name.ends_with("." + *zone))) {
    auto refused = query.reply(ResponseCode::refused);
    refused.authoritative = false;
    return refused;
  }

  auto message = query.reply();
  bool exists = false;
  for (const auto& record : records) {
    exists = exists || record.name == name || record.name.ends_with("." + name);
    const bool matches = record.type == query.question.type || record.type == RecordType::cname;
    if (record.name == name && matches) message.answers.push_back(record);
  }
  if (!message.answers.empty()) return message;
  if (!exists) message.code = ResponseCode::name_error;
  for (const auto& record : records) {
    if (record.name == *zone && record.type == RecordType::soa) {
      message.authority.push_back(record);
    }
  }
  return message;
}

}  // namespace certherd::dns

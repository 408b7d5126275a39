#include "dns/responder/udp_server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

namespace certherd::dns::responder {
namespace {

namespace asio = boost::asio;

// Datagrams answered before other tasks of the loop get their turn.
constexpr int datagrams_per_turn = 64;
constexpr std::size_t control_size = 256;

template <typename Info>
std::string control_message(int level, int type, const Info& info) {
  std::string control(CMSG_SPACE(sizeof(Info)), '\0');
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof(Info));
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(control.data(), &header, sizeof(header));
  std::memcpy(control.data() + CMSG_LEN(0), &info, sizeof(info));
  return control;
}

// The control message of a reply, from that of the question. Without an interface the kernel
// routes as usual; a link-local address needs it.
std::string reply_from(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof(info));
      info.ipi_ifindex = 0;
      return control_message(IPPROTO_IP, IP_PKTINFO, info);
    }
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof(info));
      if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
      return control_message(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }
  return {};
}

}  // namespace

UdpServer::UdpServer(asio::ip::udp::socket socket, const Authority* authority, RateLimiter* limiter,
                     runtime::Clock* clock)
    : socket_(std::move(socket)), authority_(authority), limiter_(limiter), clock_(clock) {}

boost::system::error_code UdpServer::prepare(asio::ip::udp::socket& socket) {
  boost::system::error_code error;
  const bool v4 = socket.local_endpoint(error).address().is_v4();
  const int on = 1;
  if (!error && ::setsockopt(socket.native_handle(), v4 ? IPPROTO_IP : IPPROTO_IPV6,
                             v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on)) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) socket.non_blocking(true, error);
  return error;
}

Task<void> UdpServer::run() {
  while (socket_.is_open()) {
    const auto [error] = co_await socket_.async_wait(asio::ip::udp::socket::wait_read,
                                                     asio::as_tuple(asio::use_awaitable));
    if (error) co_return;  // closed or cancelled: waiting has no other failures
    for (int i = 0; i < datagrams_per_turn; ++i) {
      const auto datagram = receive();
      if (!datagram) break;
      answer(*datagram);
    }
  }
}

void UdpServer::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::optional<UdpServer::Datagram> UdpServer::receive() {
  Datagram datagram;
  alignas(cmsghdr) std::array<char, control_size> control{};
  iovec part{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  msghdr message{};
  message.msg_name = datagram.client.data();
  message.msg_namelen = static_cast<socklen_t>(datagram.client.capacity());
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();

  const auto size = ::recvmsg(socket_.native_handle(), &message, 0);
  if (size < 0) return std::nullopt;  // none waiting, or a client's ICMP error: nothing to do
  datagram.size = static_cast<std::size_t>(size);
  datagram.client.resize(message.msg_namelen);
  datagram.local = reply_from(message);
  return datagram;
}

void UdpServer::answer(const Datagram& datagram) {
  if (datagram.size < header_size || datagram.client.port() == 0) return;
  const auto verdict = limiter_->judge(datagram.client.address(), clock_->now());
  if (verdict == RateLimiter::Verdict::drop) return;

  const std::string_view packet(buffer_.data(), datagram.size);
  auto reply = authority_->reply(packet, Transport::udp, verdict == RateLimiter::Verdict::truncate);
  if (reply) send(datagram, std::move(*reply));
}

void UdpServer::send(const Datagram& datagram, std::string reply) {
  auto client = datagram.client;
  auto control = datagram.local;
  iovec part{.iov_base = reply.data(), .iov_len = reply.size()};
  msghdr message{};
  message.msg_name = client.data();
  message.msg_namelen = static_cast<socklen_t>(client.size());
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.empty() ? nullptr : control.data();
  message.msg_controllen = control.size();
  // A full send buffer loses the reply, as the network might have: the client asks again.
  static_cast<void>(::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL));
}

}  // namespace certherd::dns::responder

#include "probe/host_lookup.hpp"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cstring>
#include <memory>

namespace certherd::probe {

Result<std::vector<boost::asio::ip::address>> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error == EAI_NONAME || error == EAI_NODATA) {
    return fail(Error::Kind::not_found, "look up " + host, "the host has no address");
  }
  if (error != 0) {
    const std::string reason = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    return fail(Error::Kind::transient, "look up " + host, reason);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  std::vector<boost::asio::ip::address> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    // One that stands in /etc/hosts twice comes twice.
    if (std::ranges::find(addresses, endpoint.address()) != addresses.end()) continue;
    addresses.push_back(endpoint.address());
  }
  return addresses;
}

}  // namespace certherd::probe

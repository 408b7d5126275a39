#include "demo/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <system_error>

namespace certherd::demo {

Result<std::uint16_t> free_port() {
  const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  // The socket interface takes every kind of address through this one type.
  auto* generic = std::bit_cast<sockaddr*>(&address);
  const bool bound = handle >= 0 && ::bind(handle, generic, size) == 0 &&
                     ::getsockname(handle, generic, &size) == 0;
  const int reason = errno;
  if (handle >= 0) ::close(handle);
  if (!bound) {
    return fail(Error::Kind::transient, "free port on 127.0.0.1",
                std::generic_category().message(reason));
  }
  return ntohs(address.sin_port);
}

}  // namespace certherd::demo

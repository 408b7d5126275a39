#include "demo/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <system_error>

#include "runtime/random.hpp"

namespace certherd::demo {
namespace {

constexpr std::uint16_t lowest = 20'000;
constexpr std::uint16_t highest = 32'767;
constexpr int tries = 100;

/// Zero, or why the port cannot be had.
int bind_fault(int type, std::uint16_t port) {
  const int handle = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (handle < 0) return errno;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  // The socket interface takes every kind of address through this one type.
  const auto* generic = std::bit_cast<const sockaddr*>(&address);
  const int fault = ::bind(handle, generic, sizeof(address)) == 0 ? 0 : errno;
  ::close(handle);
  return fault;
}

}  // namespace

Result<std::uint16_t> free_port() {
  runtime::SystemRandom random;
  int fault = 0;
  for (int i = 0; i < tries; ++i) {
    const auto port = static_cast<std::uint16_t>(random.uniform(lowest, highest));
    fault = bind_fault(SOCK_STREAM, port);
    if (fault == 0) fault = bind_fault(SOCK_DGRAM, port);
    if (fault == 0) return port;
    if (fault != EADDRINUSE) break;
  }
  return fail(Error::Kind::transient, "free port on 127.0.0.1",
              std::generic_category().message(fault));
}

}  // namespace certherd::demo

#include "runtime/service_manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "runtime/descriptor.hpp"

namespace certherd::runtime {
namespace {

std::optional<long long> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  long long number = 0;
  const auto [stop, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stop != end || number <= 0) return std::nullopt;
  return number;
}

}  // namespace

ServiceManager::ServiceManager() {
  if (const char* const socket = std::getenv("NOTIFY_SOCKET")) socket_ = socket;
  const auto process = number_in("WATCHDOG_PID");
  const auto patience = number_in("WATCHDOG_USEC");
  if (patience && (!process || *process == ::getpid())) watchdog_ = Duration(*patience);
}

void ServiceManager::ready(const std::string& status) const {
  send(fmt::format("READY=1\nSTATUS={}", status));
}

// Type=notify-reload wants the moment by the clock that does not jump (systemd.service(5)).
void ServiceManager::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr long long micros_per_second = 1'000'000;
  constexpr long long nanos_per_micro = 1'000;
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   now.tv_sec * micros_per_second + now.tv_nsec / nanos_per_micro));
}

void ServiceManager::stopping() const { send("STOPPING=1"); }

void ServiceManager::alive() const { send("WATCHDOG=1"); }

// A service manager that does not listen must not hold up the service: nothing is waited for.
void ServiceManager::send(const std::string& message) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return;
  const auto size = offsetof(sockaddr_un, sun_path) + socket_.size();
  // The system's interface takes every kind of address by this type.
  (void)::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
}

}  // namespace certherd::runtime

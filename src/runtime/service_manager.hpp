#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"

namespace certherd::runtime {

/// Tells systemd how the service is, by the protocol of sd_notify(3), which is meant to be spoken
/// without its library. Does nothing where $NOTIFY_SOCKET names no socket, as outside of systemd.
class ServiceManager {
 public:
  /// Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.
  ServiceManager();

  void ready(const std::string& status) const;
  /// The config is being read again; ready() ends that.
  void reloading() const;
  void stopping() const;
  /// The service lives: owed once in each watchdog().
  void alive() const;

  /// How long the service manager waits for alive() before it restarts the service; nothing: it
  /// does not look.
  std::optional<Duration> watchdog() const { return watchdog_; }

 private:
  void send(const std::string& message) const;

  std::string socket_;
  std::optional<Duration> watchdog_;
};

}  // namespace certherd::runtime

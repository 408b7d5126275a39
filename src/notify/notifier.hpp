#pragma once

#include <cstddef>
#include <vector>

#include "base/result.hpp"
#include "model/alarm.hpp"
#include "runtime/task.hpp"

namespace certherd::notify {

/// What one message tells.
struct Notice {
  Time at{};                                     ///< when it is sent
  std::vector<Notification> notifications = {};  ///< oldest first; none: it is a test
};

/// A way to tell people, or a system that tells them. Owned by app, used on the loop; one call at a
/// time.
class Notifier {
 public:
  virtual ~Notifier() = default;

  /// Sends one message, once: whoever calls tries again. It has an end within two minutes, and a
  /// second at most after it was cancelled. What it was given may reach people although this fails,
  /// when an answer is lost. Errors: throttled (retry_at, where the other side names it), denied,
  /// rejected, misconfigured, deadline, transient.
  virtual Task<Status> send(Notice notice) = 0;

  /// Whether it could send, without sending anything.
  virtual Task<Status> check() = 0;

  /// How many notifications one message holds; more go with the next ones.
  virtual std::size_t most_at_once() const = 0;
};

}  // namespace certherd::notify

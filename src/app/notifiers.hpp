#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/config.hpp"
#include "notify/notifier.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::app {

/// The notifiers of a config.
struct Notifiers {
  std::map<NotifierName, std::unique_ptr<notify::Notifier>> opened;
  std::vector<Subscription> subscriptions;

  /// As notify::Delivery takes them; this object outlives it.
  std::map<NotifierName, notify::Notifier*> by_name() const;
};

/// Opens all of them, and asks nobody. One that cannot be opened fails each time that it is to send
/// something. May block on the disk; loop and offload outlive them.
Notifiers open_notifiers(const Config& config, runtime::EventLoop& loop, runtime::Offload& offload);

/// Tries each by its section, without sending anything.
Task<std::vector<std::pair<std::string, Status>>> check_notifiers(const Notifiers* notifiers);

}  // namespace certherd::app

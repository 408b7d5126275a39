#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/section.hpp"
#include "notify/notifier.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::notify {

/// What notifiers are made from; all of it outlives them.
struct Surroundings {
  runtime::EventLoop& loop;
  runtime::Offload& offload;  ///< for check(): what hangs there holds up others
  std::string user_agent;
};

/// One [notify.NAME] of the config, read and not opened.
class NotifierSection {
 public:
  virtual ~NotifierSection() = default;

  /// Variables of our environment that hold its secrets.
  virtual std::set<std::string> secret_variables() const = 0;

  /// Makes the notifier, and asks nobody. May block on the disk. Errors: misconfigured.
  virtual Result<std::unique_ptr<Notifier>> open(const Surroundings& surroundings) const = 0;
};

/// A section with what its notifier is told.
struct ReadNotifier {
  std::shared_ptr<const NotifierSection> section;
  Subscription subscription;
};

/// The values of `type` under [notify.NAME].
std::vector<std::string> notifier_types();

/// Reads a section of one of these types; relative paths are relative to `folder`. What is wrong is
/// a fault of the section.
ReadNotifier read_notifier(NotifierName name, std::string_view type, config::Section& section,
                           const std::filesystem::path& folder);

/// In the place of a notifier that could not be opened: every call fails for that reason.
std::unique_ptr<Notifier> make_unusable(Error why);

}  // namespace certherd::notify

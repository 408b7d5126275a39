#pragma once

#include <functional>
#include <map>
#include <string>

#include "app/app.hpp"
#include "app/config.hpp"
#include "app/inventory_sync.hpp"

namespace certherd::app {

/// Runs the program of a feed ([inventory.NAME]) and reads what it prints. Errors: misconfigured
/// (it cannot be started, fails, with its last words, or prints what is no inventory, each bad row
/// named), deadline.
Task<Result<InventoryFile>> read_feed(App* app, std::string name);

/// Keeps the inventory equal to what the programs of the config print, for the service.
class InventoryFeeds {
 public:
  /// `changed` is called when the inventory is another one.
  InventoryFeeds(App& app, std::function<void()> changed)
      : app_(app), changed_(std::move(changed)) {}

  /// Goes on until it is cancelled.
  Task<void> run();

 private:
  Task<void> follow(std::string name);
  Task<Status> take(std::string name);
  Task<void> tell(std::string name, Status status);

  App& app_;
  std::function<void()> changed_;
  std::map<std::string, std::string> told_;  ///< what was wrong, by the feed's name
};

}  // namespace certherd::app

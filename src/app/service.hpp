#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "app/app.hpp"
#include "app/config.hpp"
#include "fleet/scheduler.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/service_manager.hpp"

namespace certherd::app {

/// certherd as a service: executes for its store until it is drained, and goes over to another
/// config on the way. Used on the loop, once.
class Service {
 public:
  /// `config` was read from `config.file`, and is read from there again by reload().
  Service(runtime::EventLoop& loop, Config config);
  ~Service();

  /// Works until drain(). Errors: what keeps it from beginning (conflict, naming the process, when
  /// another executes for the store), and the store's on the way.
  Task<Status> run();

  /// Ends run() soon; everything begun is saved.
  void drain();

  /// Reads the config again and goes over to it, as soon as what is under way has come to its next
  /// commit. One with faults is refused, each of them told in the log, and the old one stays.
  void reload();

 private:
  /// With one config, until it is drained or another one is to follow.
  Task<Status> run_with(Config config);
  Task<Status> execute(App* app);

  runtime::EventLoop& loop_;
  runtime::ServiceManager manager_;
  std::filesystem::path file_;
  std::optional<Config> next_;             ///< to go on with
  fleet::Scheduler* scheduler_ = nullptr;  ///< while it works
  bool draining_ = false;
  bool ready_ = false;
  Time alive_at_{};
};

}  // namespace certherd::app

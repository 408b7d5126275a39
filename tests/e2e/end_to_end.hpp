#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "ca_proxy.hpp"
#include "demo/stage.hpp"
#include "fakes/temporary_folder.hpp"
#include "program.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::e2e {

/// A folder of its own for the program, which runs in it.
class EndToEnd : public testing::Test {
 protected:
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  Call call(std::vector<std::string> arguments, std::string input = {}) const;
  /// Starts it in the folder and leaves it running.
  std::unique_ptr<Program> start(std::vector<std::string> arguments);
  /// Runs it in the folder to its end.
  Ended run(std::vector<std::string> arguments, std::string input = {});
  /// Replaces a text of the config, which must be there.
  void configure(const std::string& from, const std::string& to);

  runtime::EventLoop& loop() { return *loop_; }

 private:
  fakes::TemporaryFolder folder_;

 protected:
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  std::map<std::string, std::string> environment_;  ///< of the program, added to ours
};

/// The same with a Pebble and an nginx around it.
class OnStage : public EndToEnd {
 protected:
  /// Starts both, and makes config, seal key and store. The inventory is only written: import it.
  void set_stage(demo::StageOptions options);
  void add_inventory();
  /// Puts a proxy between the program and Pebble, and into the config.
  void set_proxy(const CaProxy::Https& https = CaProxy::Https());
  void TearDown() override;

  /// Opens the store, as long as the program does not run.
  std::unique_ptr<app::App> open_app();
  std::filesystem::path pebble_log() const { return path("pebble") / "pebble.log"; }

  std::unique_ptr<demo::Stage> stage_;
  std::unique_ptr<CaProxy> proxy_;
};

}  // namespace certherd::e2e

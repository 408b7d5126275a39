#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "deploy/files/bundles.hpp"
#include "deploy/target.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::deploy {

struct FilesOptions {
  std::filesystem::path path;
  std::set<Server> bundles = {};  ///< whose further files are written
  std::string owner;              ///< "user" or "user:group"; empty: ours
  unsigned mode = 0600;  ///< of the files; folders get search permission where files are readable
  std::vector<std::string> reload;      ///< command after a change; empty: none
  std::set<std::string> withheld = {};  ///< variables that hold our secrets: not for the command
  Duration reload_timeout = std::chrono::seconds(30);
  Duration gather =
      std::chrono::milliseconds(100);  ///< how long a reload waits for further installs
};

/// `<path>/<domain>/{privkey,fullchain}.pem` and the bundles, switched by one rename per domain as
/// in the directory vault, then one reload for all installs that came together.
std::unique_ptr<Target> make_files(runtime::EventLoop& loop, runtime::Offload& offload,
                                   FilesOptions options);

}  // namespace certherd::deploy

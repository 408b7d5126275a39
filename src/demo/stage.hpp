#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "demo/nginx.hpp"
#include "demo/pebble.hpp"

namespace certherd::demo {

struct StageOptions {
  std::filesystem::path folder{};  ///< exists; everything of the demo goes there
  int domains = 100;
  std::vector<std::string> domain_blocklist{};       ///< names that Pebble refuses
  std::map<std::string, std::string> environment{};  ///< Pebble's, over what a demo gives it
  std::map<std::string, std::string> external_account_keys{};  ///< see PebbleOptions
  std::chrono::seconds certificate_validity = PebbleOptions{}.certificate_validity;
};

/// What the demo plays on: a CA (Pebble), an edge (nginx), and a config and an inventory that
/// join certherd to both. What runs on it is the ordinary program.
class Stage {
 public:
  /// Errors: those of PebbleServer and Nginx, and of writing files.
  static Task<Result<std::unique_ptr<Stage>>> set(runtime::EventLoop* loop,
                                                  runtime::Offload* offload, StageOptions options);

  /// Text of certherd.toml.
  const std::string& config() const { return config_; }
  /// Text of the inventory file, CSV.
  const std::string& inventory() const { return inventory_; }

  const PebbleServer& pebble() const { return *pebble_; }

  Task<void> strike();

 private:
  Stage() = default;
  Task<Result<bool>> is_old_pebble(runtime::EventLoop* loop) const;

  std::unique_ptr<PebbleServer> pebble_;
  std::unique_ptr<Nginx> nginx_;
  std::string config_;
  std::string inventory_;
};

}  // namespace certherd::demo

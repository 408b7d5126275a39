#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/process.hpp"
#include "runtime/task.hpp"

namespace certherd::demo {

struct PebbleOptions {
  std::filesystem::path folder;  ///< exists; takes its config, HTTPS key, certificate and log
  std::string dns_server;        ///< address:port it asks for challenge values; empty: the system's
  std::vector<std::string> domain_blocklist;
  std::chrono::seconds certificate_validity = std::chrono::days(90);
  /// Names with descriptions. Without one in the order Pebble picks one at random.
  std::map<std::string, std::string> profiles = {{"default", "The only profile"}};
  /// HMAC keys in base64url by their kid. Where there are some, each account must be bound to one.
  std::map<std::string, std::string> external_account_keys;
  std::chrono::seconds retry_after{1};  ///< what it says on pending orders and authorizations
  std::map<std::string, std::string> environment;  ///< such as PEBBLE_WFE_NONCEREJECT=50
};

/// The program to start: $CERTHERD_PEBBLE, else `pebble` in PATH, else where scripts/setup puts
/// it. Errors: misconfigured, with the remedy.
Result<std::filesystem::path> find_pebble();

/// A Pebble (Let's Encrypt's CA for tests) of our own on free loopback ports, with HTTPS under a
/// root made for it. It ends with this object. Used on the loop; loop and offload outlive it.
class PebbleServer {
 public:
  /// Starts it and returns once both its interfaces answer. Ports that somebody took meanwhile
  /// are drawn again. Errors: misconfigured (no program, or it ended, with its last words),
  /// deadline, and what writing its files gives.
  static Task<Result<std::unique_ptr<PebbleServer>>> start(runtime::EventLoop* loop,
                                                           runtime::Offload* offload,
                                                           PebbleOptions options);

  const std::string& directory_url() const { return directory_url_; }
  /// Base URL of the management interface, without a slash at its end.
  const std::string& management_url() const { return management_url_; }
  /// What makes its HTTPS trusted.
  const std::string& trust_pem() const { return trust_pem_; }
  /// The root under which it issues certificates, another one at each start.
  const std::string& issuing_root_pem() const { return issuing_root_pem_; }
  const std::filesystem::path& log_file() const { return log_file_; }

  /// Ends it and returns when it is gone.
  Task<void> stop();

 private:
  PebbleServer() = default;

  enum class Outcome { ready, ports_taken };
  Task<Result<Outcome>> launch(std::string program, std::string dns_server,
                               std::map<std::string, std::string> environment);
  Task<Result<Outcome>> wait_until_ready();

  runtime::EventLoop* loop_ = nullptr;
  std::filesystem::path config_file_;
  std::filesystem::path log_file_;
  std::string directory_url_;
  std::string management_url_;
  std::string trust_pem_;
  std::string issuing_root_pem_;
  std::unique_ptr<http::Client> http_;
  std::unique_ptr<runtime::Child> child_;
};

}  // namespace certherd::demo

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "crypto/local_ca.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/process.hpp"

namespace certherd::demo {

struct NginxOptions {
  std::filesystem::path folder;        ///< exists; takes its config, log and certificates
  std::filesystem::path certificates;  ///< `<name>/{privkey,fullchain}.pem`, as [target] files
  std::vector<std::string> names;      ///< one TLS server each
};

/// An nginx of our own as the edge: it serves every name on one loopback port by SNI, at first
/// with placeholders of a private CA, as an edge serves old certificates before new ones come.
/// It ends with this object.
class Nginx {
 public:
  /// Puts the placeholders into `certificates`, starts it, and returns once it listens. A port
  /// that somebody took meanwhile is drawn again. Errors: misconfigured (no program, or it ended,
  /// with its last words), deadline, and what writing files gives.
  static Task<Result<std::unique_ptr<Nginx>>> start(runtime::EventLoop* loop,
                                                    runtime::Offload* offload,
                                                    NginxOptions options);

  std::uint16_t port() const { return port_; }
  /// The command that makes it read its certificates again.
  std::vector<std::string> reload_command() const;
  Task<void> stop();

 private:
  Nginx() = default;
  Status write_placeholders(Time now) const;
  Status write_config() const;
  Task<Result<bool>> launch();
  std::vector<std::string> command(std::vector<std::string> more) const;

  runtime::EventLoop* loop_ = nullptr;
  NginxOptions options_;
  std::string program_;
  std::uint16_t port_ = 0;
  std::unique_ptr<runtime::Child> child_;
};

}  // namespace certherd::demo

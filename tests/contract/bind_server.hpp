#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "dns/visibility.hpp"
#include "fakes/temporary_folder.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/process.hpp"

namespace certherd::dns {

/// A named (BIND 9) of our own on a free port of 127.0.0.1, in a folder of its own: the authority
/// for the zones that it is given, without recursion.
class BindServer {
 public:
  /// `zones`: texts of zone files by apex. Errors: not_found when BIND is not installed, saying
  /// what to do; transient when it does not answer, with its log.
  static Task<Result<std::unique_ptr<BindServer>>> start(runtime::EventLoop* loop,
                                                         std::map<std::string, std::string> zones);

  const ServerAddress& address() const { return address_; }

  Task<void> stop();

 private:
  explicit BindServer(runtime::EventLoop* loop) : loop_(loop) {}

  void write(const std::string& name, std::string_view content) const;
  std::string log() const;
  Task<Result<bool>> launch(std::string named, std::map<std::string, std::string> zones);
  Task<bool> answers(std::string zone);

  runtime::EventLoop* loop_;
  fakes::TemporaryFolder folder_;
  ServerAddress address_;
  std::unique_ptr<runtime::Child> child_;
};

}  // namespace certherd::dns

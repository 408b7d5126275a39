#pragma once

#include <memory>
#include <string>

#include "aws/credentials.hpp"
#include "aws/settings.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"
#include "runtime/task.hpp"

namespace certherd::aws {

/// By what right a section of the config calls AWS: credentials as every AWS SDK finds them,
/// refreshed before they expire, and what the services' clocks are off from ours. Owned by app,
/// used on the loop; the services outlive it.
class Session {
 public:
  Session(runtime::EventLoop& loop, runtime::Offload& offload, runtime::Random& random,
          http::Client& http, Settings settings);
  /// With these credentials and no others; without an access key id, calls are not signed.
  Session(runtime::EventLoop& loop, runtime::Offload& offload, runtime::Random& random,
          http::Client& http, Settings settings, Credentials fixed);
  ~Session();

  /// Valid ones; callers that come while they are being fetched share that. Errors: misconfigured
  /// (none found: says where was looked), denied (a role may not be assumed), transient.
  Task<Result<Credentials>> credentials();

  /// The service refuses these: the next caller fetches others.
  void drop(const std::string& access_key_id);

  /// The account's number, asked for once (STS GetCallerIdentity, which takes no permission).
  /// Errors: as credentials(), transient.
  Task<Result<std::string>> account();

  const Settings& settings() const;
  runtime::EventLoop& loop();
  runtime::Random& chance();
  http::Client& http();

  /// What is added to our clock to sign by: learnt from replies to requests that were refused for
  /// their time.
  Duration skew() const;
  void set_skew(Duration skew);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certherd::aws

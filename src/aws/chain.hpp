#pragma once

#include <optional>

#include "aws/credentials.hpp"
#include "aws/settings.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"
#include "runtime/task.hpp"

namespace certherd::aws {

/// What finding credentials takes. All of it outlives the finding.
struct Ground {
  runtime::EventLoop* loop;
  runtime::Offload* offload;
  runtime::Random* random;
  http::Client* http;
  const Settings* settings;
  Duration skew;  ///< of our clock
};

/// What one source has: nothing when it is not set up, an error when it is and does not work.
using Found = Result<std::optional<Credentials>>;

/// Asks the sources in the order of the AWS SDKs (botocore credentials.py), then assumes the
/// section's own role. Errors: misconfigured when there are none, which says where was looked.
Task<Result<Credentials>> find_credentials(Ground ground);

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
Found credentials_in_environment(const Environment& environment);

}  // namespace certherd::aws

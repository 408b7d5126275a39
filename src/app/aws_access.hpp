#pragma once

#include <memory>

#include "aws/session.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"

namespace certherd::app {

/// What a section of AWS calls it by: the section's own connections and credentials.
struct AwsAccess {
  std::unique_ptr<http::Client> http;
  std::unique_ptr<aws::Session> session;
};

/// Reads environment and shared files (blocks on the disk) for a section of that service; asks
/// nobody. The arguments outlive it. Errors: misconfigured.
Result<AwsAccess> open_aws(const aws::SectionOptions& options, aws::Service service,
                           runtime::EventLoop& loop, runtime::Offload& offload,
                           runtime::Random& random);

}  // namespace certherd::app

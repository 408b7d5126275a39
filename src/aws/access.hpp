#pragma once

#include <memory>

#include "aws/session.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"

namespace certherd::config {
class Section;
}

namespace certherd::aws {

/// What a section of AWS calls it by: the section's own connections and credentials.
struct Access {
  std::unique_ptr<http::Client> http;
  std::unique_ptr<Session> session;
};

/// Reads environment and shared files (blocks on the disk) for a section of that service; asks
/// nobody. The arguments outlive it. Errors: misconfigured.
Result<Access> open(const SectionOptions& options, Service service, runtime::EventLoop& loop,
                    runtime::Offload& offload, runtime::Random& random, std::string user_agent);

/// Reads the keys that all sections of AWS have: profile, region, role_arn, endpoint, timeout.
SectionOptions read_section_options(config::Section& section);

}  // namespace certherd::aws

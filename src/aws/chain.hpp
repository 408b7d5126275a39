#pragma once

#include <optional>
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

/// What finding credentials takes. All of it outlives the finding.
struct Ground {
  runtime::EventLoop* loop;
  runtime::Offload* offload;
  runtime::Random* random;
  http::Client* http;
  const Settings* settings;
  Duration* skew;  ///< of our clock; learnt here too
};

/// What one source has: nothing when it is not set up, an error when it is and does not work.
using Found = Result<std::optional<Credentials>>;

/// Asks the sources in the order of the AWS SDKs (botocore credentials.py), then assumes the
/// section's own role. Errors: misconfigured when there are none, which says where was looked;
/// denied, transient.
Task<Result<Credentials>> find_credentials(Ground ground);

// The sources, one file each.

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
Found credentials_in_environment(const Environment& environment);

/// A profile with role_arn and source_profile or credential_source.
Task<Found> assumed_role_of_profile(Ground ground, std::string profile);

/// A role to be assumed by credentials that were found.
struct Role {
  std::string arn;
  std::string session_name = "certherd";
  std::string external_id;
  std::string duration_seconds;  ///< empty: as STS has it
};

/// STS AssumeRole, signed with `by`.
Task<Result<Credentials>> assume_role(Ground ground, Credentials by, Role role);

/// A token file and a role, in the environment or in a profile: AssumeRoleWithWebIdentity, which is
/// not signed. `with_environment`: whether the variables count.
Task<Found> web_identity_credentials(Ground ground, std::string profile, bool with_environment);

/// Whatever a profile has by itself: a web identity, keys in the credentials file, a program that
/// tells them, keys in the config file. Profiles that sign in by SSO are refused.
Task<Found> credentials_of_profile(Ground ground, std::string profile, bool with_environment);

/// A profile with credential_process.
Task<Found> credentials_of_process(Ground ground, std::string profile);

/// What ECS and EKS give to a container.
Task<Found> container_credentials(Ground ground);

/// What EC2 gives to an instance (IMDSv2; version 1 is not asked).
Task<Found> instance_credentials(Ground ground);

/// Where instance_credentials() asks.
std::string instance_metadata_endpoint(const Settings& settings);

}  // namespace certherd::aws

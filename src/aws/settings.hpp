#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "aws/environment.hpp"
#include "base/result.hpp"

namespace certherd::aws {

enum class Service { route53, secrets_manager, acm, sts };

/// For people: "Route 53".
std::string_view to_string(Service service);
/// As signatures name it: "route53".
std::string_view signing_name(Service service);

/// What a section of our config says itself; what is empty is as the environment and the shared
/// files of every AWS SDK say.
struct SectionOptions {
  std::string profile = {};
  std::string region = {};
  std::string role_arn = {};  ///< assumed with the credentials that are found otherwise
  std::string endpoint = {};  ///< of the section's own service
  Duration timeout = std::chrono::seconds(30);  ///< of one attempt of a call
};

/// One profile of the shared files: key and value; keys in lower case.
using Profile = std::map<std::string, std::string>;

/// Where calls go and by what right, from config section, environment and shared files.
struct Settings {
  Environment environment;
  std::string profile;                ///< its name, "default" when nobody names one
  bool profile_is_chosen = false;     ///< by the section: then keys in the environment do not count
  std::filesystem::path config_path;  ///< empty: none, for want of a home
  std::filesystem::path credentials_path;      ///< the same
  std::map<std::string, Profile> config;       ///< ~/.aws/config, by profile
  std::map<std::string, Profile> credentials;  ///< ~/.aws/credentials, by profile
  std::map<std::string, std::map<std::string, Profile>>
      services;          ///< ~/.aws/config [services NAME], by service such as "route_53"
  std::string region;    ///< empty when nobody names one
  std::string role_arn;  ///< of the section
  std::map<Service, std::string> endpoints;  ///< that somebody names; without a slash at the end
  std::filesystem::path ca_bundle;  ///< AWS_CA_BUNDLE or the profile's ca_bundle; empty: none
  Duration timeout = std::chrono::seconds(30);  ///< of one attempt of a call
  int max_attempts = 3;                         ///< AWS_MAX_ATTEMPTS or max_attempts
  bool use_fips = false;                        ///< AWS_USE_FIPS_ENDPOINT or use_fips_endpoint
  bool use_dual_stack = false;  ///< AWS_USE_DUALSTACK_ENDPOINT or use_dualstack_endpoint

  /// Whether one of the shared files has it.
  bool has_profile(const std::string& name) const;

  /// A value of a profile, from the credentials file, else from the config file; empty: none.
  std::string profile_value(const std::string& name, const std::string& key) const;

  /// URL of a service, without a slash at its end. Errors: misconfigured when it needs a region
  /// and there is none.
  Result<std::string> endpoint(Service service) const;

  /// The region that signatures for it name: Route 53 has its own (facts of its endpoints).
  Result<std::string> signing_region(Service service) const;
};

/// Reads the shared files. Blocks on the disk. `own` is the section's service, to which
/// `options.endpoint` belongs. Errors: misconfigured, naming file and line, or the profile that is
/// not there.
Result<Settings> load_settings(Environment environment, const SectionOptions& options, Service own);

}  // namespace certherd::aws

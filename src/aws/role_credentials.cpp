#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "aws/chain.hpp"
#include "aws/sts.hpp"

namespace certherd::aws {
namespace {

tl::unexpected<Error> wrong(const std::string& profile, std::string what) {
  return fail(Error::Kind::misconfigured, fmt::format("read the AWS profile {}", profile),
              std::move(what));
}

bool has_keys(const Settings& settings, const std::string& profile) {
  return !settings.profile_value(profile, "aws_access_key_id").empty();
}

/// A role is also named beside a web identity, which is another source.
bool has_role(const Settings& settings, const std::string& profile) {
  return !settings.profile_value(profile, "role_arn").empty() &&
         settings.profile_value(profile, "web_identity_token_file").empty();
}

Result<Role> role_of(const Settings& settings, const std::string& profile) {
  const auto value = [&](const char* key) { return settings.profile_value(profile, key); };
  if (const auto mfa = value("mfa_serial"); !mfa.empty()) {
    return wrong(profile, fmt::format("its role wants the code of {} each time (mfa_serial), which "
                                      "nobody types in here: use a role without one",
                                      mfa));
  }
  Role role;
  role.arn = value("role_arn");
  role.external_id = value("external_id");
  role.duration_seconds = value("duration_seconds");
  if (const auto name = value("role_session_name"); !name.empty()) role.session_name = name;
  const bool is_number =
      std::ranges::all_of(role.duration_seconds, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) {
    return wrong(profile, fmt::format("duration_seconds is \"{}\", but must be a number",
                                      role.duration_seconds));
  }
  return role;
}

Task<Found> from_source(Ground ground, std::string profile, std::string source) {
  Found found;
  if (source == "Environment") {
    found = credentials_in_environment(ground.settings->environment);
  } else if (source == "EcsContainer") {
    found = co_await container_credentials(ground);
  } else if (source == "Ec2InstanceMetadata") {
    found = co_await instance_credentials(ground);
  } else {
    co_return wrong(profile, fmt::format("credential_source is \"{}\", but must be Environment, "
                                         "EcsContainer or Ec2InstanceMetadata",
                                         source));
  }
  if (found && !*found) {
    co_return wrong(profile, fmt::format("its credential_source {} has no credentials", source));
  }
  co_return found;
}

/// The roles of `profile` and of those before it, `seen`, each by what the next one has.
Task<Found> assume(Ground ground, std::string profile, std::set<std::string> seen) {
  const Settings& settings = *ground.settings;
  auto role = role_of(settings, profile);
  if (!role) co_return fail(std::move(role.error()));
  const auto source_profile = settings.profile_value(profile, "source_profile");
  const auto credential_source = settings.profile_value(profile, "credential_source");
  if (source_profile.empty() == credential_source.empty()) {
    co_return wrong(profile,
                    "beside role_arn it must name either source_profile or credential_source");
  }
  Found base;
  if (!credential_source.empty()) {
    base = co_await from_source(ground, profile, credential_source);
  } else if (!settings.has_profile(source_profile)) {
    co_return wrong(profile, fmt::format("its source_profile {} does not exist", source_profile));
  } else if (has_keys(settings, source_profile) || !has_role(settings, source_profile)) {
    base = co_await credentials_of_profile(ground, source_profile, false);
    if (base && !*base) {
      co_return wrong(profile,
                      fmt::format("its source_profile {} has no credentials", source_profile));
    }
  } else if (!seen.insert(source_profile).second) {
    co_return wrong(profile,
                    fmt::format("its source_profile {} leads back to itself", source_profile));
  } else {
    base = co_await assume(ground, source_profile, std::move(seen));
  }
  if (!base) co_return base;
  auto assumed = co_await assume_role(ground, std::move(**base), std::move(*role));
  if (!assumed) co_return fail(std::move(assumed.error()));
  co_return std::move(*assumed);
}

}  // namespace

Task<Found> assumed_role_of_profile(Ground ground, std::string profile) {
  if (!has_role(*ground.settings, profile)) co_return std::nullopt;
  std::set<std::string> seen = {profile};
  co_return co_await assume(ground, std::move(profile), std::move(seen));
}

Task<Result<Credentials>> assume_role(Ground ground, Credentials by, Role role) {
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"RoleArn", role.arn}, {"RoleSessionName", role.session_name}};
  if (!role.external_id.empty()) parameters.emplace_back("ExternalId", role.external_id);
  if (!role.duration_seconds.empty()) {
    parameters.emplace_back("DurationSeconds", role.duration_seconds);
  }
  auto source = fmt::format("role {} by {}", role.arn, by.source);
  auto call = sts_call("AssumeRole", std::move(parameters));
  auto credentials = co_await fetch_sts_credentials(ground, std::move(by), std::move(call));
  if (!credentials) {
    co_return fail(std::move(credentials.error()).during("assume role " + role.arn));
  }
  credentials->source = std::move(source);
  co_return credentials;
}

}  // namespace certherd::aws

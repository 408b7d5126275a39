#include "aws/chain.hpp"

#include <fmt/format.h>

#include <utility>

namespace certherd::aws {
namespace {

Error nothing_found(const Settings& settings) {
  const auto file = [](const std::filesystem::path& path) {
    return path.empty() ? std::string("no file (HOME is not set)") : path.string();
  };
  Error error;
  error.kind = Error::Kind::misconfigured;
  error.op = "find AWS credentials";
  error.detail = fmt::format(
      "there are none {}in profile {} of {} and {}, of a container "
      "(AWS_CONTAINER_CREDENTIALS_FULL_URI), nor at {}: set AWS_ACCESS_KEY_ID and "
      "AWS_SECRET_ACCESS_KEY, or name a profile that has some",
      settings.profile_is_chosen ? "" : "in the environment (AWS_ACCESS_KEY_ID), ",
      settings.profile, file(settings.config_path), file(settings.credentials_path),
      instance_metadata_endpoint(settings));
  return error;
}

Task<Found> find_first(Ground ground) {
  const Settings& settings = *ground.settings;
  const bool with_environment = !settings.profile_is_chosen;
  if (with_environment) {
    auto found = credentials_in_environment(settings.environment);
    if (!found || *found) co_return found;
  }
  auto found = co_await assumed_role_of_profile(ground, settings.profile);
  if (!found || *found) co_return found;
  found = co_await credentials_of_profile(ground, settings.profile, with_environment);
  if (!found || *found) co_return found;
  found = co_await container_credentials(ground);
  if (!found || *found) co_return found;
  co_return co_await instance_credentials(ground);
}

}  // namespace

Task<Result<Credentials>> find_credentials(Ground ground) {
  auto found = co_await find_first(ground);
  if (!found) co_return fail(std::move(found.error()));
  if (!*found) co_return fail(nothing_found(*ground.settings));
  if (ground.settings->role_arn.empty()) co_return std::move(**found);
  Role role;
  role.arn = ground.settings->role_arn;
  co_return co_await assume_role(ground, std::move(**found), std::move(role));
}

}  // namespace certherd::aws

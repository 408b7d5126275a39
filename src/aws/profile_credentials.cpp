#include <fmt/format.h>

#include <array>
#include <utility>

#include "aws/chain.hpp"

namespace certherd::aws {
namespace {

std::string value_in(const Profile& profile, const std::string& key) {
  const auto found = profile.find(key);
  return found == profile.end() ? std::string() : found->second;
}

Found keys_in(const std::map<std::string, Profile>& profiles, const std::string& name,
              const std::filesystem::path& path) {
  const auto profile = profiles.find(name);
  if (profile == profiles.end()) return std::nullopt;
  auto id = value_in(profile->second, "aws_access_key_id");
  auto secret = value_in(profile->second, "aws_secret_access_key");
  auto token = value_in(profile->second, "aws_session_token");
  if (id.empty() && secret.empty()) return std::nullopt;
  if (id.empty() || secret.empty()) {
    return fail(Error::Kind::misconfigured,
                fmt::format("read the AWS profile {} in {}", name, path.string()),
                id.empty() ? "it has aws_secret_access_key but no aws_access_key_id"
                           : "it has aws_access_key_id but no aws_secret_access_key");
  }
  Credentials credentials;
  credentials.access_key_id = std::move(id);
  credentials.secret_access_key = Secret<std::string>(std::move(secret));
  if (!token.empty()) credentials.session_token = Secret<std::string>(std::move(token));
  credentials.source = fmt::format("profile {} in {}", name, path.string());
  return credentials;
}

/// Signing in takes a person at a browser, and then the AWS CLI, which keeps the result for itself.
Status refuse_sign_in(const Settings& settings, const std::string& profile) {
  constexpr std::array keys = {"sso_session", "sso_start_url", "sso_account_id", "login_session"};
  for (const auto* key : keys) {
    if (settings.profile_value(profile, key).empty()) continue;
    return fail(
        Error::Kind::misconfigured, fmt::format("read the AWS profile {}", profile),
        fmt::format("it signs in by a browser ({}), which only the AWS CLI can do: name another "
                    "profile that has `credential_process = aws configure export-credentials "
                    "--profile {}`",
                    key, profile));
  }
  return {};
}

}  // namespace

Task<Found> credentials_of_profile(Ground ground, std::string profile, bool with_environment) {
  const Settings& settings = *ground.settings;
  auto found = co_await web_identity_credentials(ground, profile, with_environment);
  if (!found || *found) co_return found;
  auto allowed = refuse_sign_in(settings, profile);
  if (!allowed) co_return fail(std::move(allowed.error()));
  found = keys_in(settings.credentials, profile, settings.credentials_path);
  if (!found || *found) co_return found;
  found = co_await credentials_of_process(ground, profile);
  if (!found || *found) co_return found;
  co_return keys_in(settings.config, profile, settings.config_path);
}

}  // namespace certherd::aws

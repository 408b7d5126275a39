#include <fmt/format.h>

#include <utility>

#include "aws/chain.hpp"
#include "aws/sts.hpp"
#include "base/versioned_folder.hpp"

namespace certherd::aws {
namespace {

constexpr std::size_t token_limit = std::size_t{64} << 10U;

/// What the variable says, where these count, else the profile.
std::string value(const Ground& ground, const std::string& profile, bool with_environment,
                  const char* variable, const char* key) {
  std::string text;
  if (with_environment) text = value_of(ground.settings->environment, variable);
  return text.empty() ? ground.settings->profile_value(profile, key) : text;
}

}  // namespace

Task<Found> web_identity_credentials(Ground ground, std::string profile, bool with_environment) {
  const auto file = value(ground, profile, with_environment, "AWS_WEB_IDENTITY_TOKEN_FILE",
                          "web_identity_token_file");
  if (file.empty()) co_return std::nullopt;
  const auto role = value(ground, profile, with_environment, "AWS_ROLE_ARN", "role_arn");
  auto session_name =
      value(ground, profile, with_environment, "AWS_ROLE_SESSION_NAME", "role_session_name");
  if (session_name.empty()) session_name = "certherd";
  const auto op =
      fmt::format("assume {} by web identity", role.empty() ? "a role" : "role " + role);
  if (role.empty()) {
    co_return fail(Error::Kind::misconfigured, op,
                   fmt::format("there is a token in {}, but no role: set AWS_ROLE_ARN, or role_arn "
                               "in the profile",
                               file));
  }
  // Anew each time: who put it there replaces it before it runs out.
  auto token = co_await ground.offload->call(
      [path = std::filesystem::path(file)] { return read_file(path, token_limit); });
  if (!token) {
    token.error().kind = Error::Kind::misconfigured;
    co_return fail(std::move(token.error()).during(op));
  }
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();

  auto call = sts_call(
      "AssumeRoleWithWebIdentity",
      {{"RoleArn", role}, {"RoleSessionName", session_name}, {"WebIdentityToken", *token}});
  auto credentials = co_await fetch_sts_credentials(ground, Credentials(), std::move(call));
  if (!credentials) co_return fail(std::move(credentials.error()).during(op));
  credentials->source = fmt::format("role {} by the web identity in {}", role, file);
  co_return std::move(*credentials);
}

}  // namespace certherd::aws

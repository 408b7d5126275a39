#include <fmt/format.h>

#include <cctype>
#include <chrono>
#include <string_view>
#include <utility>

#include "aws/chain.hpp"
#include "aws/json_credentials.hpp"
#include "base/log.hpp"

namespace certherd::aws {
namespace {

using Kind = Error::Kind;
using Method = http::Request::Method;

// botocore utils.py, IMDSFetcher.
constexpr std::chrono::seconds timeout(1);
constexpr auto token_path = "/latest/api/token";
constexpr auto roles_path = "/latest/meta-data/iam/security-credentials/";
constexpr std::string_view op = "fetch the AWS credentials of the instance";

bool is_true(std::string word) {
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word == "true";
}

std::string setting(const Settings& settings, const char* variable, const char* key) {
  auto value = value_of(settings.environment, variable);
  return value.empty() ? settings.profile_value(settings.profile, key) : value;
}

/// What the service says to one request. Outside of EC2 nobody is there.
Task<Result<http::Response>> ask(Ground ground, Method method, std::string path,
                                 http::Headers headers) {
  http::Request request;
  request.method = method;
  request.url = instance_metadata_endpoint(*ground.settings) + path;
  request.headers = std::move(headers);
  const Time deadline = ground.loop->clock().now() + timeout;
  auto response = co_await ground.http->send(std::move(request), deadline);
  if (!response) co_return fail(std::move(response.error()).during(op));
  co_return response;
}

bool is_nobody(const Error& error) {
  return error.kind == Kind::transient || error.kind == Kind::deadline;
}

tl::unexpected<Error> wrong_status(const http::Response& response, std::string_view what) {
  const auto kind = response.status >= 500 ? Kind::transient : Kind::denied;
  return fail(kind, std::string(op),
              fmt::format("the metadata service answered {} to the question for {}",
                          response.status, what));
}

/// The first line of a role list.
std::string first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

Found read_keys(const http::Response& response, const std::string& role) {
  const auto code = json_member(response.body, "Code");
  auto credentials = read_json_credentials(response.body, "Token");
  if (!code.empty() && code != "Success") {
    return fail(Kind::denied, std::string(op),
                fmt::format("{}: {}", code, json_member(response.body, "Message")));
  }
  if (!credentials || !credentials->expires_at) {
    return fail(Kind::transient, std::string(op), "the answer holds no credentials, or not all");
  }
  credentials->source = fmt::format("the instance's role {}", role);
  return std::move(*credentials);
}

}  // namespace

std::string instance_metadata_endpoint(const Settings& settings) {
  auto endpoint =
      setting(settings, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.empty()) return endpoint;
  const auto mode = setting(settings, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                            "ec2_metadata_service_endpoint_mode");
  const bool ipv6 = mode == "IPv6" || mode == "ipv6";
  return ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

Task<Found> instance_credentials(Ground ground) {
  if (is_true(value_of(ground.settings->environment, "AWS_EC2_METADATA_DISABLED"))) {
    co_return std::nullopt;
  }
  http::Headers headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  auto token = co_await ask(ground, Method::put, token_path, std::move(headers));
  if (!token && is_nobody(token.error())) co_return std::nullopt;
  if (!token) co_return fail(std::move(token.error()));
  if (token->status != 200) {
    // Something else answers there, or a service that wants the unprotected version 1.
    log::debug("{} answered {} to the question for a token",
               instance_metadata_endpoint(*ground.settings), token->status);
    co_return std::nullopt;
  }
  const http::Headers with_token = {{"x-aws-ec2-metadata-token", token->body}};
  headers = with_token;
  auto roles = co_await ask(ground, Method::get, roles_path, std::move(headers));
  if (!roles) co_return fail(std::move(roles.error()));
  if (roles->status == 404) co_return std::nullopt;  // an instance without a role
  if (roles->status != 200) co_return wrong_status(*roles, "its role");
  const auto role = first_line(roles->body);
  if (role.empty()) co_return std::nullopt;
  headers = with_token;
  auto keys = co_await ask(ground, Method::get, roles_path + role, std::move(headers));
  if (!keys) co_return fail(std::move(keys.error()));
  if (keys->status != 200) co_return wrong_status(*keys, "the keys of role " + role);
  co_return read_keys(*keys, role);
}

}  // namespace certherd::aws

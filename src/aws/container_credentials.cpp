#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "aws/chain.hpp"
#include "aws/failure.hpp"
#include "aws/json_credentials.hpp"
#include "base/versioned_folder.hpp"
#include "http/url.hpp"

namespace certherd::aws {
namespace {

using Kind = Error::Kind;

// botocore utils.py, ContainerMetadataFetcher.
constexpr auto relative_base = "http://169.254.170.2";
constexpr std::chrono::seconds timeout(2);
constexpr std::chrono::seconds pause(1);
constexpr int tries = 3;
constexpr std::array<std::string_view, 3> link_local_hosts = {"169.254.170.2", "169.254.170.23",
                                                              "[fd00:ec2::23]"};
constexpr std::string_view op = "fetch the AWS credentials of the container";

/// Where they are: empty when this is no such container. Plain HTTP only to where nobody else can
/// listen; the HTTP client lets it pass to the loopback and to a few link-local addresses, of which
/// not all are meant here.
Result<std::string> url_of(const Environment& environment) {
  const auto relative = value_of(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) {
    if (!relative.starts_with('/')) {
      return fail(Kind::misconfigured, std::string(op),
                  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a /");
    }
    return relative_base + relative;
  }
  auto full = value_of(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (full.empty()) return full;
  const auto address = http::check_url(full);
  const bool is_local =
      address && (address->host.starts_with("169.254.") || address->host.starts_with("[fd00:ec2:"));
  const bool allowed =
      address && (!is_local || address->scheme == "https" ||
                  std::ranges::find(link_local_hosts, address->host) != link_local_hosts.end());
  if (!allowed) {
    return fail(Kind::misconfigured, std::string(op),
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be an https URL, or an http URL of this "
                "machine, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]");
  }
  return full;
}

Task<Result<Secret<std::string>>> authorization(Ground ground) {
  const auto& environment = ground.settings->environment;
  // The file first, as botocore: it is replaced before its token runs out.
  const auto file = value_of(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = value_of(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!file.empty()) {
    constexpr std::size_t limit = std::size_t{64} << 10U;
    auto content = co_await ground.offload->call(
        [path = std::filesystem::path(file)] { return read_file(path, limit); });
    if (!content) {
      content.error().kind = Kind::misconfigured;
      co_return fail(std::move(content.error()).during(op));
    }
    token = std::move(*content);
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  }
  co_return Secret<std::string>(std::move(token));
}

Found read_answer(const http::Response& response, Time now) {
  if (response.status != 200) {
    auto failure = read_failure(std::string(op), response, now);
    return fail(std::move(failure.error));
  }
  auto credentials = read_json_credentials(response.body, "Token");
  if (!credentials || !credentials->expires_at) {
    return fail(Kind::transient, std::string(op), "the answer holds no credentials, or not all");
  }
  credentials->source = "the container";
  return std::move(*credentials);
}

}  // namespace

Task<Found> container_credentials(Ground ground) {
  const auto url = url_of(ground.settings->environment);
  if (!url) co_return fail(url.error());
  if (url->empty()) co_return std::nullopt;
  const auto token = co_await authorization(ground);
  if (!token) co_return fail(token.error());

  auto& clock = ground.loop->clock();
  for (int attempt = 1;; ++attempt) {
    http::Request request;
    request.url = *url;
    request.headers = {{"Accept", "application/json"}};
    if (!token->empty()) request.headers.emplace_back("Authorization", token->reveal());
    auto response = co_await ground.http->send(std::move(request), clock.now() + timeout);
    auto found = response ? read_answer(*response, clock.now())
                          : Found(fail(std::move(response.error()).during(op)));
    if (!found && found.error().kind == Kind::deadline) found.error().kind = Kind::transient;
    const bool may_pass =
        !found && (found.error().kind == Kind::transient || found.error().kind == Kind::throttled);
    if (!may_pass || attempt == tries) co_return found;
    co_await clock.sleep_for(pause);
  }
}

}  // namespace certherd::aws

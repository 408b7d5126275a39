#include "aws/access.hpp"

#include "base/versioned_folder.hpp"
#include "config/section.hpp"
#include "http/curl_client.hpp"

namespace certherd::aws {
namespace {

constexpr std::size_t trust_limit = 1U << 20U;

}  // namespace

Result<Access> open(const SectionOptions& options, Service service, runtime::EventLoop& loop,
                    runtime::Offload& offload, runtime::Random& random, std::string user_agent) {
  auto settings = load_settings(process_environment(), options, service);
  if (!settings) return fail(std::move(settings.error()));
  http::CurlOptions connection;
  connection.user_agent = std::move(user_agent);
  if (!settings->ca_bundle.empty()) {
    auto trust = read_file(settings->ca_bundle, trust_limit);
    if (!trust) return fail(std::move(trust.error()).during("read the CA bundle for AWS"));
    connection.trust_pem = std::move(*trust);
  }
  Access access;
  access.http = http::make_curl_client(loop, std::move(connection));
  access.session =
      std::make_unique<Session>(loop, offload, random, *access.http, std::move(*settings));
  return access;
}

SectionOptions read_section_options(config::Section& section) {
  SectionOptions options;
  options.profile = section.named("profile");
  options.region = section.named("region");
  options.role_arn = section.named("role_arn");
  options.endpoint = section.named("endpoint");
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  options.timeout = section.duration("timeout").value_or(options.timeout);
  return options;
}

}  // namespace certherd::aws

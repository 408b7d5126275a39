#include "app/aws_access.hpp"

#include "app/version.hpp"
#include "base/versioned_folder.hpp"
#include "http/curl_client.hpp"

namespace certherd::app {
namespace {

constexpr std::size_t trust_limit = 1U << 20U;

}  // namespace

Result<AwsAccess> open_aws(const aws::SectionOptions& options, aws::Service service,
                           runtime::EventLoop& loop, runtime::Offload& offload,
                           runtime::Random& random) {
  auto settings = aws::load_settings(aws::process_environment(), options, service);
  if (!settings) return fail(std::move(settings.error()));
  http::CurlOptions connection;
  connection.user_agent = user_agent();
  if (!settings->ca_bundle.empty()) {
    auto trust = read_file(settings->ca_bundle, trust_limit);
    if (!trust) return fail(std::move(trust.error()).during("read the CA bundle for AWS"));
    connection.trust_pem = std::move(*trust);
  }
  AwsAccess access;
  access.http = http::make_curl_client(loop, std::move(connection));
  access.session =
      std::make_unique<aws::Session>(loop, offload, random, *access.http, std::move(*settings));
  return access;
}

}  // namespace certherd::app

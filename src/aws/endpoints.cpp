#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "aws/settings.hpp"

namespace certherd::aws {
namespace {

/// One of the separate AWS worlds: its own names, and one region that signs for Route 53, which
/// knows no regions (AWS API reference, Route 53 endpoints and quotas).
struct Partition {
  std::string_view region_prefix;
  std::string_view suffix;             ///< of the host names of its regional services
  std::string_view dual_stack_suffix;  ///< of those with IPv6; empty: there are none
  std::string_view route53;
  std::string_view route53_fips;        ///< empty: there is none
  std::string_view route53_dual_stack;  ///< empty: there is none
  std::string_view route53_region;
};

constexpr std::array partitions = {
    Partition{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "route53.amazonaws.com.cn",
              "", "", "cn-northwest-1"},
    Partition{"us-gov-", "amazonaws.com", "api.aws", "route53.us-gov.amazonaws.com",
              "route53.us-gov.amazonaws.com", "", "us-gov-west-1"},
    Partition{"eusc-", "amazonaws.eu", "", "route53.amazonaws.eu", "", "", "eusc-de-east-1"},
    // All other regions, and none.
    Partition{"", "amazonaws.com", "api.aws", "route53.amazonaws.com", "route53-fips.amazonaws.com",
              "route53.global.api.aws", "us-east-1"},
};

const Partition& partition_of(std::string_view region) {
  for (const auto& partition : partitions) {
    if (region.starts_with(partition.region_prefix)) return partition;
  }
  return partitions.back();
}

tl::unexpected<Error> no_such_endpoint(Service service, const std::string& region,
                                       std::string_view what) {
  return fail(Error::Kind::misconfigured,
              fmt::format("find the endpoint of {}", to_string(service)),
              fmt::format("there is none with {} in {}: set `endpoint`, or do not ask for that",
                          what, region.empty() ? "this part of AWS" : region));
}

Result<std::string> route53_host(const Settings& settings) {
  const auto& partition = partition_of(settings.region);
  auto host = partition.route53;
  if (settings.use_fips) host = partition.route53_fips;
  if (settings.use_dual_stack) {
    host = settings.use_fips ? std::string_view() : partition.route53_dual_stack;
  }
  if (host.empty()) {
    return no_such_endpoint(Service::route53, settings.region,
                            settings.use_dual_stack ? "IPv6" : "FIPS");
  }
  return std::string(host);
}

Result<std::string> regional_host(const Settings& settings, Service service,
                                  const std::string& region) {
  const auto& partition = partition_of(region);
  const auto suffix = settings.use_dual_stack ? partition.dual_stack_suffix : partition.suffix;
  if (suffix.empty()) return no_such_endpoint(service, region, "IPv6");
  // All of GovCloud is FIPS, and Certificate Manager has no other names for that there (botocore,
  // endpoint rules of acm).
  const bool plain_is_fips =
      service == Service::acm && region.starts_with("us-gov-") && !settings.use_dual_stack;
  return fmt::format("{}{}.{}.{}", signing_name(service),
                     settings.use_fips && !plain_is_fips ? "-fips" : "", region, suffix);
}

}  // namespace

std::string_view to_string(Service service) {
  switch (service) {
    case Service::route53:
      return "Route 53";
    case Service::secrets_manager:
      return "Secrets Manager";
    case Service::acm:
      return "Certificate Manager";
    case Service::sts:
      return "STS";
  }
  return "AWS";
}

std::string_view signing_name(Service service) {
  switch (service) {
    case Service::route53:
      return "route53";
    case Service::secrets_manager:
      return "secretsmanager";
    case Service::acm:
      return "acm";
    case Service::sts:
      return "sts";
  }
  return "";
}

Result<std::string> Settings::signing_region(Service service) const {
  if (service == Service::route53) return std::string(partition_of(region).route53_region);
  if (!region.empty()) return region;
  // STS has an endpoint for all the world besides those of the regions.
  if (service == Service::sts) return "us-east-1";
  return fail(
      Error::Kind::misconfigured, fmt::format("find the endpoint of {}", to_string(service)),
      "no region is named: set `region` in the config, AWS_REGION, or region in the profile");
}

Result<std::string> Settings::endpoint(Service service) const {
  if (const auto named = endpoints.find(service); named != endpoints.end()) return named->second;
  if (service == Service::sts && region.empty() && !use_fips && !use_dual_stack) {
    return "https://sts.amazonaws.com";
  }
  auto signing = signing_region(service);
  if (!signing) return fail(std::move(signing.error()));
  auto host =
      service == Service::route53 ? route53_host(*this) : regional_host(*this, service, *signing);
  if (!host) return fail(std::move(host.error()));
  return "https://" + *host;
}

}  // namespace certherd::aws

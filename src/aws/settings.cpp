#include "aws/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "http/url.hpp"

namespace certherd::aws {
namespace {

using Kind = Error::Kind;

/// A value and who gave it, for errors.
struct Given {
  std::string value;
  std::string place;
};

std::optional<Given> in_section(const std::string& value, std::string_view key) {
  if (value.empty()) return std::nullopt;
  return Given{value, fmt::format("`{}` in the config", key)};
}

std::optional<Given> in_environment(const Settings& settings, const std::string& name) {
  auto value = value_of(settings.environment, name);
  if (value.empty()) return std::nullopt;
  return Given{std::move(value), name};
}

/// The first that is given.
std::optional<Given> first_of(std::initializer_list<std::optional<Given>> places) {
  for (const auto& place : places) {
    if (place) return place;
  }
  return std::nullopt;
}

tl::unexpected<Error> wrong(const Given& given, std::string_view what) {
  return fail(Kind::misconfigured, "read the settings for AWS",
              fmt::format("{} is \"{}\", {}", given.place, given.value, what));
}

Result<bool> flag(const std::optional<Given>& given) {
  if (!given) return false;
  std::string word = given->value;
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (word == "true") return true;
  if (word == "false") return false;
  return wrong(*given, "but only true or false can be");
}

Result<std::string> region(const std::optional<Given>& given) {
  if (!given) return std::string();
  // It becomes a part of a host name.
  const bool valid = std::ranges::all_of(given->value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!valid) return wrong(*given, "which is no region such as eu-west-1");
  return given->value;
}

Result<int> max_attempts(const std::optional<Given>& given) {
  constexpr int standard = 3;  // AWS SDKs, standard retry mode
  constexpr int most = 100;
  if (!given) return standard;
  int number = 0;
  const char* end = given->value.data() + given->value.size();
  const auto read = std::from_chars(given->value.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 1 || number > most) {
    return wrong(*given, fmt::format("but must be a number from 1 to {}", most));
  }
  return number;
}

Result<std::string> endpoint(const Given& given) {
  auto address = http::check_url(given.value);
  if (!address) {
    return fail(Kind::misconfigured, "read the settings for AWS",
                fmt::format("{}: {}", given.place, address.error().message()));
  }
  if (given.value.find_first_of("?#") != std::string::npos) {
    return wrong(given, "but a query can be in no endpoint");
  }
  auto url = given.value;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

struct ServiceNames {
  Service service;
  std::string_view variable;  ///< behind AWS_ENDPOINT_URL_
};
constexpr std::array services = {ServiceNames{Service::route53, "ROUTE_53"},
                                 ServiceNames{Service::secrets_manager, "SECRETS_MANAGER"},
                                 ServiceNames{Service::sts, "STS"}};

Status find_endpoints(Settings* settings, const SectionOptions& options, Service own) {
  const auto ignored = flag(in_environment(*settings, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"));
  if (!ignored) return fail(ignored.error());
  for (const auto& [service, variable] : services) {
    auto given = service == own ? in_section(options.endpoint, "endpoint") : std::nullopt;
    if (!given && !*ignored) {
      given = first_of({in_environment(*settings, fmt::format("AWS_ENDPOINT_URL_{}", variable)),
                        in_environment(*settings, "AWS_ENDPOINT_URL")});
    }
    if (!given) continue;
    auto url = endpoint(*given);
    if (!url) return fail(std::move(url.error()));
    settings->endpoints[service] = std::move(*url);
  }
  return {};
}

/// Puts a value where it belongs, or gives its error.
template <typename T>
Status set(T* place, Result<T> value) {
  if (!value) return fail(std::move(value.error()));
  *place = std::move(*value);
  return {};
}

}  // namespace

Result<Settings> load_settings(Environment environment, const SectionOptions& options,
                               Service own) {
  Settings settings;
  settings.environment = std::move(environment);
  settings.profile_is_chosen = !options.profile.empty();
  settings.role_arn = options.role_arn;

  const auto profile =
      first_of({in_section(options.profile, "profile"), in_environment(settings, "AWS_PROFILE"),
                in_environment(settings, "AWS_DEFAULT_PROFILE")});
  settings.profile = profile ? profile->value : "default";

  const auto bundle = in_environment(settings, "AWS_CA_BUNDLE");
  if (bundle) settings.ca_bundle = bundle->value;

  auto status = set(
      &settings.region,
      region(first_of({in_section(options.region, "region"), in_environment(settings, "AWS_REGION"),
                       in_environment(settings, "AWS_DEFAULT_REGION")})));
  if (status) {
    status =
        set(&settings.max_attempts, max_attempts(in_environment(settings, "AWS_MAX_ATTEMPTS")));
  }
  if (status) {
    status = set(&settings.use_fips, flag(in_environment(settings, "AWS_USE_FIPS_ENDPOINT")));
  }
  if (status) {
    status =
        set(&settings.use_dual_stack, flag(in_environment(settings, "AWS_USE_DUALSTACK_ENDPOINT")));
  }
  if (status) status = find_endpoints(&settings, options, own);
  if (!status) return fail(std::move(status.error()));
  return settings;
}

}  // namespace certherd::aws

#include "aws/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "aws/shared_file.hpp"
#include "base/log.hpp"
#include "base/versioned_folder.hpp"
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

std::optional<Given> in_profile(const Settings& settings, const std::string& key) {
  auto value = settings.profile_value(settings.profile, key);
  if (value.empty()) return std::nullopt;
  return Given{std::move(value), fmt::format("{} of the AWS profile {}", key, settings.profile)};
}

/// In the section that the profile names for what is special to single services.
std::optional<Given> in_services(const Settings& settings, const std::string& service) {
  const auto name = settings.profile_value(settings.profile, "services");
  const auto found = settings.services.find(name);
  if (found == settings.services.end()) return std::nullopt;
  const auto own = found->second.find(service);
  if (own == found->second.end()) return std::nullopt;
  const auto url = own->second.find("endpoint_url");
  if (url == own->second.end() || url->second.empty()) return std::nullopt;
  return Given{url->second, fmt::format("endpoint_url of {} in [services {}]", service, name)};
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
  std::string_view key;       ///< in a services section
};
constexpr std::array services = {
    ServiceNames{Service::route53, "ROUTE_53", "route_53"},
    ServiceNames{Service::secrets_manager, "SECRETS_MANAGER", "secrets_manager"},
    ServiceNames{Service::acm, "ACM", "acm"}, ServiceNames{Service::sts, "STS", "sts"}};

Status find_endpoints(Settings* settings, const SectionOptions& options, Service own) {
  const auto ignored =
      flag(first_of({in_environment(*settings, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                     in_profile(*settings, "ignore_configured_endpoint_urls")}));
  if (!ignored) return fail(ignored.error());
  for (const auto& [service, variable, key] : services) {
    auto given = service == own ? in_section(options.endpoint, "endpoint") : std::nullopt;
    if (!given && !*ignored) {
      given = first_of({in_environment(*settings, fmt::format("AWS_ENDPOINT_URL_{}", variable)),
                        in_environment(*settings, "AWS_ENDPOINT_URL"),
                        in_services(*settings, std::string(key)),
                        in_profile(*settings, "endpoint_url")});
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

/// A path as a variable or the default of the SDKs names it; empty when there is none.
std::filesystem::path shared_path(const Environment& environment, const std::string& variable,
                                  std::string_view name) {
  const std::filesystem::path home = value_of(environment, "HOME");
  const auto named = value_of(environment, variable);
  if (named.starts_with("~/")) return home / named.substr(2);
  if (!named.empty()) return named;
  return home.empty() ? home : home / ".aws" / name;
}

/// A file that is missing or cannot be read is as good as an empty one, as to the SDKs.
Result<SharedFile> read_shared_file(const std::filesystem::path& path, SharedFileKind kind) {
  constexpr std::size_t limit = std::size_t{1} << 20U;
  if (path.empty()) return SharedFile();
  auto text = read_file(path, limit);
  if (!text) {
    if (text.error().kind != Kind::not_found) {
      log::warning("AWS settings are left out: {}", text.error().message());
    }
    return SharedFile();
  }
  const Secret<std::string> content(std::move(*text));
  return parse_shared_file(content.reveal(), kind, path);
}

Status read_shared_files(Settings* settings) {
  const auto& environment = settings->environment;
  const auto config_path = shared_path(environment, "AWS_CONFIG_FILE", "config");
  const auto credentials_path =
      shared_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  auto config = read_shared_file(config_path, SharedFileKind::config);
  if (!config) return fail(std::move(config.error()));
  auto credentials = read_shared_file(credentials_path, SharedFileKind::credentials);
  if (!credentials) return fail(std::move(credentials.error()));
  settings->config = std::move(config->profiles);
  settings->services = std::move(config->services);
  settings->credentials = std::move(credentials->profiles);
  settings->config_path = config_path;
  settings->credentials_path = credentials_path;
  return {};
}

Status choose_profile(Settings* settings, const SectionOptions& options) {
  settings->profile_is_chosen = !options.profile.empty();
  const auto given =
      first_of({in_section(options.profile, "profile"), in_environment(*settings, "AWS_PROFILE"),
                in_environment(*settings, "AWS_DEFAULT_PROFILE")});
  settings->profile = given ? given->value : "default";
  if (settings->profile == "default" || settings->has_profile(settings->profile)) return {};
  return wrong(*given,
               fmt::format("but no such profile is in {} or {}", settings->config_path.string(),
                           settings->credentials_path.string()));
}

Status read_all_else(Settings* settings, const SectionOptions& options, Service own) {
  const auto bundle =
      first_of({in_environment(*settings, "AWS_CA_BUNDLE"), in_profile(*settings, "ca_bundle")});
  if (bundle) settings->ca_bundle = bundle->value;
  auto status =
      set(&settings->region,
          region(first_of(
              {in_section(options.region, "region"), in_environment(*settings, "AWS_REGION"),
               in_environment(*settings, "AWS_DEFAULT_REGION"), in_profile(*settings, "region")})));
  if (status) {
    status = set(&settings->max_attempts,
                 max_attempts(first_of({in_environment(*settings, "AWS_MAX_ATTEMPTS"),
                                        in_profile(*settings, "max_attempts")})));
  }
  if (status) {
    status =
        set(&settings->use_fips, flag(first_of({in_environment(*settings, "AWS_USE_FIPS_ENDPOINT"),
                                                in_profile(*settings, "use_fips_endpoint")})));
  }
  if (status) {
    status = set(&settings->use_dual_stack,
                 flag(first_of({in_environment(*settings, "AWS_USE_DUALSTACK_ENDPOINT"),
                                in_profile(*settings, "use_dualstack_endpoint")})));
  }
  if (status) status = find_endpoints(settings, options, own);
  return status;
}

}  // namespace

bool Settings::has_profile(const std::string& name) const {
  return config.contains(name) || credentials.contains(name);
}

std::string Settings::profile_value(const std::string& name, const std::string& key) const {
  for (const auto* file : {&credentials, &config}) {
    const auto section = file->find(name);
    if (section == file->end()) continue;
    const auto value = section->second.find(key);
    if (value != section->second.end() && !value->second.empty()) return value->second;
  }
  return {};
}

Result<Settings> load_settings(Environment environment, const SectionOptions& options,
                               Service own) {
  Settings settings;
  settings.environment = std::move(environment);
  settings.role_arn = options.role_arn;
  settings.timeout = options.timeout;
  auto status = read_shared_files(&settings);
  if (status) status = choose_profile(&settings, options);
  if (status) status = read_all_else(&settings, options, own);
  if (!status) return fail(std::move(status.error()));
  return settings;
}

}  // namespace certherd::aws

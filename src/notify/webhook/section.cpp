#include "notify/webhook/section.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/curl_client.hpp"
#include "http/url.hpp"
#include "notify/section_parts.hpp"
#include "notify/webhook/webhook.hpp"

namespace certherd::notify {
namespace {

constexpr std::size_t answer_limit = 64U << 10U;

struct WebhookConfig {
  std::string url;
  std::optional<config::SecretSource> secret_url;  ///< in its place
  std::optional<config::SecretSource> token;
  http::Headers headers;
  std::filesystem::path trust;
  Duration timeout{};
};

class WebhookSection final : public NotifierSection {
 public:
  explicit WebhookSection(WebhookConfig config) : config_(std::move(config)) {}

  std::set<std::string> secret_variables() const override {
    std::set<std::string> names;
    for (const auto* const source : {&config_.secret_url, &config_.token}) {
      if (*source && !(*source)->env.empty()) names.insert((*source)->env);
    }
    return names;
  }

  Result<std::unique_ptr<Notifier>> open(const Surroundings& surroundings) const override {
    WebhookOptions options;
    options.url = Secret<std::string>(config_.url);
    options.headers = config_.headers;
    options.timeout = config_.timeout;
    if (config_.secret_url) {
      auto url = read_trimmed(*config_.secret_url);
      if (!url) return fail(std::move(url.error()));
      options.url = std::move(*url);
    }
    if (config_.token) {
      auto token = read_trimmed(*config_.token);
      if (!token) return fail(std::move(token.error()));
      options.token = std::move(*token);
    }
    auto trust = load_trust(config_.trust);
    if (!trust) return fail(std::move(trust.error()));
    options.trust_pem = *trust;
    http::CurlOptions connection;
    connection.user_agent = surroundings.user_agent;
    connection.trust_pem = std::move(*trust);
    connection.body_limit = answer_limit;
    auto client = http::make_curl_client(surroundings.loop, std::move(connection));
    return make_webhook(surroundings.loop, surroundings.offload, std::move(client),
                        std::move(options));
  }

 private:
  WebhookConfig config_;
};

/// RFC 9110 sections 5.1 and 5.5.
bool is_header(std::string_view name, std::string_view value) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const bool named = !name.empty() && std::ranges::all_of(name, [marks](char letter) {
    const bool alphanumeric = (letter >= '0' && letter <= '9') ||
                              (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    return alphanumeric || marks.find(letter) != std::string_view::npos;
  });
  return named && std::ranges::none_of(value, [](char letter) {
           return (static_cast<unsigned char>(letter) < 0x20U && letter != '\t') || letter == 0x7f;
         });
}

void read_url(config::Section& section, const std::filesystem::path& folder,
              WebhookConfig& config) {
  if (section.holds_table("url")) {
    config.secret_url = config::read_secret_source(section, "url", folder);
    return;
  }
  const auto url = section.text("url");
  if (!url) {
    section.fault("url", R"(must be the URL to POST to, or name where it is: { env = "NAME" } or )"
                         R"({ file = "PATH" })");
    return;
  }
  config.url = *url;
  if (auto fit = http::check_url(config.url); !fit) section.fault("url", fit.error().detail);
}

}  // namespace

std::shared_ptr<const NotifierSection> read_webhook(config::Section& section,
                                                    const std::filesystem::path& folder) {
  WebhookConfig config;
  read_url(section, folder, config);
  config.token = config::read_secret_source(section, "token", folder);
  config.headers = section.text_map("headers");
  for (const auto& [name, value] : config.headers) {
    if (is_header(name, value)) continue;
    section.fault("headers",
                  fmt::format("\"{}\" is no header, or its value has a line break", name));
  }
  config.trust = read_trust(section, folder);
  config.timeout = read_timeout(section, WebhookOptions{}.timeout);
  section.done();
  return std::make_shared<WebhookSection>(std::move(config));
}

}  // namespace certherd::notify

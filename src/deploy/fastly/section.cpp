#include "deploy/fastly/section.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/versioned_folder.hpp"
#include "config/secret_source.hpp"
#include "crypto/encoding.hpp"
#include "deploy/fastly/fastly.hpp"
#include "http/curl_client.hpp"
#include "http/url.hpp"

namespace certherd::deploy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t trust_limit = 1U << 20U;

// Fastly's API reference, "Rate limiting": 1,000 writes an hour for each user. What is under way
// when the hour turns may count for either, so a few are kept back.
constexpr int writes_per_hour = 990;

struct FastlyConfig {
  config::SecretSource token;
  std::string endpoint = fastly::ApiOptions{}.endpoint;
  std::string configuration_id;
  bool bulk = false;
  int writes_per_hour = deploy::writes_per_hour;
  Duration timeout = fastly::ApiOptions{}.timeout;
  fs::path trust;
  std::vector<Edge> edges;
};

std::string words_of(const config::SecretSource& source) {
  return source.env.empty() ? source.file.string() : "$" + source.env;
}

class FastlySection final : public TargetSection {
 public:
  explicit FastlySection(FastlyConfig config) : config_(std::move(config)) {}

  // Fastly's guide to TLS certificates takes these and no others.
  Acceptance accepts() const override {
    return {.keys = {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa_2048},
            .chain = config_.bulk ? Acceptance::Chain::with_intermediates : Acceptance::Chain::any};
  }

  std::set<std::string> secret_variables() const override {
    if (config_.token.env.empty()) return {};
    return {config_.token.env};
  }

  std::vector<Edge> edges() const override { return config_.edges; }

  Result<std::optional<WriteLimit>> limit() const override {
    auto token = config_.token.read();
    if (!token) return fail(std::move(token.error()));
    return WriteLimit{.allowance = allowance(*token),
                      .words = fmt::format("{} writes an hour at Fastly", config_.writes_per_hour)};
  }

  int writes(const Installing& installing) const override {
    const int key = installing.first || installing.new_key ? 1 : 0;
    const int certificate = 1;
    const bool activates = installing.first && !config_.bulk;
    return key + certificate + (activates ? static_cast<int>(installing.names) : 0);
  }

  int writes_in_all(const Installing& installing) const override {
    const int former_key = !installing.first && installing.new_key ? 1 : 0;
    return writes(installing) + former_key;
  }

  Result<std::unique_ptr<Target>> open(const Surroundings& surroundings) const override {
    auto token = config_.token.read();
    if (!token) return fail(std::move(token.error()));
    http::CurlOptions connection;
    connection.user_agent = surroundings.user_agent;
    if (!config_.trust.empty()) {
      auto trust = read_file(config_.trust, trust_limit);
      if (!trust) return fail(std::move(trust.error()).during("read trust"));
      connection.trust_pem = std::move(*trust);
    }
    FastlyOptions options;
    options.configuration_id = config_.configuration_id;
    options.bulk = config_.bulk;
    options.api.endpoint = config_.endpoint;
    options.api.allowance = allowance(*token);
    options.api.token = std::move(*token);
    options.api.token_source = words_of(config_.token);
    options.api.timeout = config_.timeout;
    return make_fastly(surroundings.loop, surroundings.offload,
                       http::make_curl_client(surroundings.loop, std::move(connection)),
                       surroundings.budget, std::move(options));
  }

 private:
  /// The budget is a user's: sections with one token share it. Those with several tokens of one
  /// user learn from the answers what the others have spent.
  runtime::Allowance allowance(const Secret<std::string>& token) const {
    constexpr std::size_t enough = 16;
    const auto hash = crypto::hex(crypto::sha256(token.reveal()));
    return {.name = "fastly/" + hash.substr(0, enough),
            .burst = static_cast<double>(config_.writes_per_hour),
            .window = std::chrono::hours(1)};
  }

  FastlyConfig config_;
};

/// "host", "host:port", or an IPv6 address in brackets with or without a port.
std::optional<Edge> read_edge(const std::string& text) {
  Edge edge;
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && !text.ends_with(']');
  edge.host = text.substr(0, has_port ? colon : std::string::npos);
  if (has_port) {
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, edge.port);
    if (failure != std::errc{} || stop != end || edge.port == 0) return std::nullopt;
  }
  const bool brackets = edge.host.starts_with('[') && edge.host.ends_with(']');
  if (brackets) edge.host = edge.host.substr(1, edge.host.size() - 2);
  const bool right = !edge.host.empty() && edge.host.find_first_of(" @/[]") == std::string::npos &&
                     (brackets || edge.host.find(':') == std::string::npos);
  if (!right) return std::nullopt;
  return edge;
}

}  // namespace

std::shared_ptr<const TargetSection> read_fastly(config::Section& section, const fs::path& folder) {
  FastlyConfig config;
  auto token = config::read_secret_source(section, "token", folder);
  if (token) {
    config.token = std::move(*token);
  } else {
    section.fault("token",
                  R"(must name where the API token is: { env = "NAME" } or { file = "PATH" })");
  }
  if (const auto endpoint = section.text("endpoint")) {
    config.endpoint = *endpoint;
    while (config.endpoint.ends_with('/')) config.endpoint.pop_back();
    if (auto fit = http::check_url(config.endpoint); !fit) {
      section.fault("endpoint", fit.error().detail);
    }
  }
  config.configuration_id = section.named("configuration_id");
  config.bulk = section.boolean("bulk").value_or(false);
  if (config.bulk && config.configuration_id.empty()) {
    section.fault("configuration_id", "must name the TLS configuration for the bulk certificates");
  }
  constexpr std::int64_t most_writes = 1'000'000;  // what support may have raised it to
  config.writes_per_hour = static_cast<int>(
      section.integer("writes_per_hour", 1, most_writes).value_or(config.writes_per_hour));
  config.timeout = section.duration("timeout").value_or(config.timeout);
  if (const auto trust = section.text("trust")) {
    config.trust = (folder / *trust).lexically_normal();
  }
  for (const auto& text : section.texts("endpoints").value_or(std::vector<std::string>{})) {
    if (auto edge = read_edge(text)) {
      config.edges.push_back(std::move(*edge));
    } else {
      section.fault("endpoints", fmt::format("\"{}\" is no host or host:port, such as "
                                             "\"j.sni.global.fastly.net\"",
                                             text));
    }
  }
  section.done();
  return std::make_shared<FastlySection>(std::move(config));
}

}  // namespace certherd::deploy

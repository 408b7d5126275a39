#include "notify/smtp/section.hpp"

#include <fmt/format.h>

#include <boost/url.hpp>

#include "notify/section_parts.hpp"
#include "notify/smtp/message.hpp"
#include "notify/smtp/smtp.hpp"

namespace certherd::notify {
namespace {

// RFC 6409 and RFC 8314: submission, and with TLS from the start.
constexpr std::string_view submission = "587";
constexpr std::string_view submissions = "465";

struct SmtpConfig {
  SmtpOptions options;  ///< less what is read when it is opened
  std::optional<config::SecretSource> password;
  std::filesystem::path trust;
};

class SmtpSection final : public NotifierSection {
 public:
  explicit SmtpSection(SmtpConfig config) : config_(std::move(config)) {}

  std::set<std::string> secret_variables() const override {
    if (!config_.password || config_.password->env.empty()) return {};
    return {config_.password->env};
  }

  Result<std::unique_ptr<Notifier>> open(const Surroundings& surroundings) const override {
    auto options = config_.options;
    if (config_.password) {
      auto password = read_trimmed(*config_.password);
      if (!password) return fail(std::move(password.error()));
      options.password = std::move(*password);
    }
    auto trust = load_trust(config_.trust);
    if (!trust) return fail(std::move(trust.error()));
    options.trust_pem = std::move(*trust);
    return make_smtp(surroundings.loop, std::move(options));
  }

 private:
  SmtpConfig config_;
};

void read_url(config::Section& section, SmtpOptions& options) {
  const auto text = section.text("url").value_or("");
  const auto url = boost::urls::parse_uri(text);
  const bool right = url && (url->scheme() == "smtp" || url->scheme() == "smtps") &&
                     !url->has_userinfo() && !url->host().empty() &&
                     (url->path().empty() || url->path() == "/") && !url->has_query();
  if (!right) {
    section.fault("url", R"(must be the mail server, such as "smtp://mail.example.com:587" or )"
                         R"("smtps://mail.example.com"; user and password have keys of their own)");
    return;
  }
  options.tls_from_start = url->scheme() == "smtps";
  options.host = std::string(url->encoded_host());
  options.port = std::string(url->port());
  if (options.port.empty()) options.port = options.tls_from_start ? submissions : submission;
}

}  // namespace

std::shared_ptr<const NotifierSection> read_smtp(config::Section& section,
                                                 const std::filesystem::path& folder) {
  SmtpConfig config;
  auto& options = config.options;
  read_url(section, options);
  options.user = section.named("user");
  config.password = config::read_secret_source(section, "password", folder);
  if (options.user.empty() == config.password.has_value()) {
    section.fault("user", "user and password go together: give both, or none");
  }
  options.from = section.text("from").value_or("");
  if (!smtp::is_address(options.from)) {
    section.fault("from", R"(must be an address, such as "certherd@example.com")");
  }
  options.to = section.text_or_texts("to").value_or(std::vector<std::string>());
  if (options.to.empty()) {
    section.fault("to", R"(must name who is told, such as ["ops@example.com"])");
  }
  for (const auto& address : options.to) {
    if (!smtp::is_address(address)) {
      section.fault("to", fmt::format("\"{}\" is no address, such as ops@example.com", address));
    }
  }
  config.trust = read_trust(section, folder);
  options.timeout = read_timeout(section, options.timeout);
  section.done();
  return std::make_shared<SmtpSection>(std::move(config));
}

}  // namespace certherd::notify

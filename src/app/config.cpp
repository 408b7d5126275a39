#include "app/config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "app/inventory_check.hpp"
#include "aws/access.hpp"
#include "base/versioned_folder.hpp"
#include "config/section.hpp"
#include "crypto/encoding.hpp"
#include "vault/secrets_manager/names.hpp"

namespace certherd::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t config_limit = 1U << 20U;
constexpr int most_failovers = 1000;
constexpr Duration shortest_feed_interval = std::chrono::seconds(1);
constexpr Duration shortest_probe_interval = std::chrono::seconds(1);

/// By these every AWS SDK, and so certherd, may be given what it signs with.
constexpr std::array secret_variables_of_aws = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                                "AWS_CONTAINER_AUTHORIZATION_TOKEN"};

/// Turns sections into typed values; one function per section.
class Reader {
 public:
  explicit Reader(fs::path file) : folder_(file.parent_path()) { config_.file = std::move(file); }

  Config read(config::Section top) {
    store(top.section("store"));
    for (auto& [name, vault] : all(top, "vault")) {
      vaults_.emplace(name);
      this->vault(VaultName(name), vault);
    }
    for (auto& [name, ca] : all(top, "ca")) this->ca(CaName(name), ca);
    for (auto& [name, dns] : all(top, "dns")) this->dns(DnsName(name), dns);
    for (auto& [name, target] : all(top, "target")) this->target(TargetName(name), target);
    for (auto& [name, table] : all(top, "notify")) notifier(NotifierName(name), table);
    for (auto& [name, feed] : all(top, "inventory")) this->inventory(name, feed);
    defaults(top.section("defaults"));
    resolver(top.section("resolver"));
    probe(top.section("probe"));
    top.done();
    if (!config_.route53.empty() || !config_.secrets_managers.empty()) {
      secret_variables_.insert(secret_variables_of_aws.begin(), secret_variables_of_aws.end());
    }
    for (const auto& [name, target] : config_.targets)
      secret_variables_.merge(target->secret_variables());
    for (const auto& [name, notifier] : config_.notifiers)
      secret_variables_.merge(notifier.section->secret_variables());
    config_.secret_variables = std::move(secret_variables_);
    return std::move(config_);
  }

 private:
  static std::vector<std::pair<std::string, config::Section>> all(config::Section& top,
                                                                  std::string_view key) {
    return top.section(key).sections();
  }

  fs::path absolute(const std::string& path) const { return (folder_ / path).lexically_normal(); }

  void store(config::Section table) {
    const auto url = table.text("url").value_or("sqlite:state.db");
    constexpr std::string_view scheme = "sqlite:";
    if (url.starts_with(scheme)) {
      config_.store_url = std::string(scheme) + absolute(url.substr(scheme.size())).string();
    } else {
      table.fault("url", "only sqlite:PATH is supported by this version");
    }
    if (auto source = secret(table, "seal_key")) {
      config_.seal_key = std::move(*source);
    } else {
      config_.seal_key.file = absolute("certherd.key");
    }
    for (auto& inner : table.tables("old_seal_keys")) {
      auto source = config::read_secret_table(inner, table.where("old_seal_keys"), folder_);
      if (!source.env.empty()) secret_variables_.insert(source.env);
      config_.old_seal_keys.push_back(std::move(source));
    }
    table.done();
  }

  std::optional<SecretSource> secret(config::Section& parent, std::string_view key) {
    auto source = config::read_secret_source(parent, key, folder_);
    if (source && !source->env.empty()) secret_variables_.insert(source->env);
    return source;
  }

  void ca(CaName name, config::Section& table) {
    CaConfig ca;
    ca.directory = table.text("directory").value_or("");
    if (!ca.directory.starts_with("https://")) {
      table.fault("directory", "must be the https:// URL of the CA's ACME directory");
    }
    for (auto& contact : table.texts("contact").value_or(std::vector<std::string>{})) {
      const bool bare = contact.find(':') == std::string::npos;
      ca.contact.push_back(bare ? "mailto:" + contact : contact);
    }
    ca.terms_of_service_agreed = table.boolean("terms_of_service_agreed").value_or(false);
    if (const auto key = table.text("account_key")) {
      const auto type = parse_key_type(*key);
      const std::array allowed = {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa_2048,
                                  KeyType::ed25519};
      if (type && std::ranges::count(allowed, *type) > 0) {
        ca.account_key = *type;
      } else {
        table.fault("account_key", "must be ecdsa-p256, ecdsa-p384, rsa-2048 or ed25519");
      }
    }
    ca.finalize_within = table.duration("finalize_within").value_or(ca.finalize_within);
    if (const auto trust = table.text("trust")) ca.trust = absolute(*trust);
    ca.max_in_flight =
        static_cast<int>(table.integer("max_in_flight", 1, 100'000).value_or(ca.max_in_flight));
    ca.requests_at_once =
        static_cast<int>(table.integer("requests_at_once", 1, 1'000).value_or(ca.requests_at_once));
    ca.timeout = table.duration("timeout").value_or(ca.timeout);
    if (auto eab = table.table("eab")) ca.eab = external_account(std::move(*eab));
    ca.account_vault = account_vault(table);
    ca.profile = table.named("profile");
    ca.preferred_chain = table.named("preferred_chain");
    ca.limits = limits(table, ca.directory);
    table.done();
    config_.cas.emplace(std::move(name), std::move(ca));
  }

  VaultName account_vault(config::Section& table) {
    VaultName name(table.named("account_vault"));
    if (!name.empty() && !vaults_.contains(name)) {
      table.fault("account_vault", fmt::format("there is no [vault.{}]", name));
    } else if (config_.directories.contains(name)) {
      table.fault("account_vault", fmt::format("[vault.{}] keeps no accounts: a vault of the type "
                                               "aws-secrets-manager does",
                                               name));
    }
    return name;
  }

  ExternalAccountConfig external_account(config::Section table) {
    ExternalAccountConfig eab;
    eab.kid = table.text("kid").value_or("");
    if (eab.kid.empty()) table.fault("kid", "must be the key id that the CA gave with the key");
    if (auto hmac = secret(table, "hmac")) {
      eab.hmac = std::move(*hmac);
    } else {
      table.fault("hmac", R"(must name where the key is: { env = "NAME" } or { file = "PATH" })");
    }
    table.done();
    return eab;
  }

  static policy::CaLimits limits(config::Section& table, const std::string& directory) {
    using Preset = policy::CaLimits::Preset;
    auto preset = Preset::none;
    if (directory.starts_with("https://acme-v02.api.letsencrypt.org/")) {
      preset = Preset::letsencrypt;
    } else if (directory.starts_with("https://acme-staging-v02.api.letsencrypt.org/")) {
      preset = Preset::letsencrypt_staging;
    }
    if (!table.holds_table("limits")) {
      return policy::CaLimits::of(limits_preset(table, "limits").value_or(preset));
    }
    auto inner = *table.table("limits");
    auto limits = policy::CaLimits::of(limits_preset(inner, "preset").value_or(preset));
    for (const auto limit : policy::all_ca_limits) {
      const auto key = to_string(limit);
      const auto text = inner.text(key);
      if (!text) continue;
      const auto rate = policy::parse_rate(*text);
      if (rate) {
        limits.rates.insert_or_assign(limit, *rate);
      } else if (*text == "none") {
        limits.rates.erase(limit);
      } else {
        inner.fault(key, fmt::format("\"{}\" is no limit: write so many in a period as "
                                     "\"300/3h\", or \"none\"",
                                     *text));
      }
    }
    inner.done();
    return limits;
  }

  static std::optional<policy::CaLimits::Preset> limits_preset(config::Section& table,
                                                               std::string_view key) {
    using Preset = policy::CaLimits::Preset;
    const auto text = table.text(key);
    if (!text) return std::nullopt;
    if (*text == "letsencrypt") return Preset::letsencrypt;
    if (*text == "letsencrypt-staging") return Preset::letsencrypt_staging;
    if (*text != "none") table.fault(key, "must be letsencrypt, letsencrypt-staging or none");
    return Preset::none;
  }

  /// The type of a section, which is one of `supported`; else nothing, and a fault.
  std::string type_of(config::Section& table, std::vector<std::string> supported) {
    auto type = table.text("type").value_or("");
    if (std::ranges::find(supported, type) != supported.end()) return type;
    table.fault("type", fmt::format("\"{}\" is not supported by this version; supported: \"{}\"",
                                    type, fmt::join(supported, "\", \"")));
    return {};
  }

  void dns(DnsName name, config::Section& table) {
    const auto type = type_of(table, {"responder", "route53"});
    if (type == "responder") {
      responder(std::move(name), table);
    } else if (type == "route53") {
      route53(std::move(name), table);
    }
  }

  void route53(DnsName name, config::Section& table) {
    Route53Config config;
    config.options = aws::read_section_options(table);
    // AWS raises the limit for some: more than a thousand is surely a slip.
    config.requests_per_second =
        table.number("requests_per_second", 0.01, 1'000).value_or(config.requests_per_second);
    table.done();
    config_.route53.emplace(std::move(name), std::move(config));
  }

  void responder(DnsName name, config::Section& table) {
    dns::ResponderOptions options;
    options.listen = servers(table, "listen", 53);
    if (options.listen.empty()) {
      table.fault("listen", R"(must name where to answer, such as ["0.0.0.0:53"])");
    }
    options.zones = names(table, "zones");
    if (options.zones.empty()) {
      table.fault("zones", R"(must name the zones to answer for, such as ["acme.example.net"])");
    }
    options.nameservers = names(table, "nameservers");
    options.addresses = table.texts("addresses").value_or(std::vector<std::string>{});
    options.ttl = static_cast<int>(table.integer("ttl", 0, 86'400).value_or(options.ttl));
    options.responses_per_second = static_cast<int>(
        table.integer("responses_per_second", 0, 1'000'000).value_or(options.responses_per_second));
    table.done();
    config_.responders.emplace(std::move(name), std::move(options));
  }

  void vault(VaultName name, config::Section& table) {
    const auto type = type_of(table, {"directory", "aws-secrets-manager"});
    if (type == "directory") {
      directory(std::move(name), table);
    } else if (type == "aws-secrets-manager") {
      secrets_manager(std::move(name), table);
    }
  }

  void secrets_manager(VaultName name, config::Section& table) {
    SecretsManagerConfig config;
    config.options = aws::read_section_options(table);
    config.prefix = table.text("prefix").value_or(config.prefix);
    if (auto fit = vault::secrets_manager::check_prefix(config.prefix); !fit) {
      table.fault("prefix", fit.error().detail);
    }
    const auto layout = table.text("layout").value_or("separate");
    config.bundle = layout == "bundle";
    if (layout != "separate" && layout != "bundle") {
      table.fault("layout", "must be separate (three secrets for each domain) or bundle (one)");
    }
    config.kms_key_id = table.named("kms_key_id");
    table.done();
    config_.secrets_managers.emplace(std::move(name), std::move(config));
  }

  void directory(VaultName name, config::Section& table) {
    const auto path = table.text("path");
    if (!path) table.fault("path", "must name the folder for the secrets");
    table.done();
    config_.directories.emplace(std::move(name), absolute(path.value_or(".")));
  }

  void target(TargetName name, config::Section& table) {
    const auto type = type_of(table, deploy::target_types());
    if (type.empty()) return;
    config_.targets.emplace(std::move(name), deploy::read_target(type, table, folder_));
  }

  void notifier(NotifierName name, config::Section& table) {
    const auto type = type_of(table, notify::notifier_types());
    if (type.empty()) return;
    auto read = notify::read_notifier(name, type, table, folder_);
    config_.notifiers.emplace(std::move(name), std::move(read));
  }

  void defaults(config::Section table) {
    auto& defaults = config_.defaults;
    cas(table);
    defaults.failover_after = static_cast<int>(
        table.integer("failover_after", 1, most_failovers).value_or(defaults.failover_after));
    defaults.dns = chosen<DnsName>(table, "dns", config_.dns_names());
    defaults.vault = chosen<VaultName>(table, "vault", config_.vault_names());
    for (auto& target : table.texts("targets").value_or(std::vector<std::string>{})) {
      TargetName name(std::move(target));
      if (!config_.targets.contains(name)) {
        table.fault("targets", fmt::format("there is no [target.{}]", name));
      }
      defaults.targets.push_back(std::move(name));
    }
    if (const auto key = table.text("key")) {
      const auto choice = parse_key_choice(*key);
      if (!choice) table.fault("key", "must be one of " + key_choices());
      defaults.key = choice.value_or(KeyChoice{});
    }
    if (auto fit = check_key(config_, Domain{}); !fit) table.fault("key", fit.error().detail);
    defaults.renew_at = table.number("renew_at", 0.1, 0.95).value_or(defaults.renew_at);
    defaults.prove_within = table.duration("prove_within").value_or(defaults.prove_within);
    table.done();
  }

  void cas(config::Section& table) {
    auto& cas = config_.defaults.cas;
    if (const auto named = table.text_or_texts("ca")) {
      for (const auto& text : *named) {
        CaName name(text);
        if (!config_.cas.contains(name))
          table.fault("ca", fmt::format("there is no [ca.{}]", text));
        if (std::ranges::count(cas, name) > 0)
          table.fault("ca", fmt::format("names {} twice", text));
        cas.push_back(std::move(name));
      }
    } else if (config_.cas.size() == 1) {
      cas = {config_.cas.begin()->first};  // there is nothing to choose
    }
  }

  template <typename Name, typename Sections>
  Name chosen(config::Section& table, std::string_view key, const Sections& sections) {
    if (const auto text = table.text(key)) {
      Name name(*text);
      if (!sections.contains(name))
        table.fault(key, fmt::format("there is no [{}.{}]", key, *text));
      return name;
    }
    // With a single section there is nothing to choose.
    return sections.size() == 1 ? name_of(*sections.begin()) : Name{};
  }

  template <typename Name>
  static Name name_of(const Name& name) {
    return name;
  }
  template <typename Name, typename Section>
  static Name name_of(const std::pair<const Name, Section>& entry) {
    return entry.first;
  }

  void resolver(config::Section table) {
    auto& resolver = config_.resolver;
    resolver.servers = servers(table, "servers", 53);
    using Check = dns::ResolverOptions::Check;
    const auto check = table.text("check").value_or("authoritative");
    if (check == "resolver") {
      resolver.check = Check::resolver;
    } else if (check == "off") {
      resolver.check = Check::off;
    } else if (check != "authoritative") {
      table.fault("check", "must be authoritative, resolver or off");
    }
    config_.defaults.check_within =
        table.duration("check_within").value_or(config_.defaults.check_within);
    resolver.authoritative_port =
        static_cast<std::uint16_t>(table.integer("authoritative_port", 1, 65'535).value_or(53));
    for (const auto& [host, server] : table.text_map("overrides")) {
      auto name = Fqdn::parse(host);
      auto address = dns::ServerAddress::parse(server, resolver.authoritative_port);
      if (!name) table.fault("overrides", name.error().detail);
      if (!address) table.fault("overrides", address.error().detail);
      if (name && address) resolver.overrides.emplace(*name, *address);
    }
    table.done();
  }

  void inventory(const std::string& name, config::Section table) {
    auto& feed = config_.inventories[name];
    feed.command = table.texts("command").value_or(std::vector<std::string>{});
    if (feed.command.empty() || feed.command.front().empty()) {
      table.fault("command", R"(must be a program and its arguments, such as ["./domains.sh"])");
    } else if (feed.command.front().contains('/')) {
      feed.command.front() = absolute(feed.command.front()).string();
    }
    feed.every = table.duration("every").value_or(feed.every);
    feed.timeout = table.duration("timeout").value_or(feed.timeout);
    if (feed.every < shortest_feed_interval) table.fault("every", "is too often: 1s at the least");
    feed.prune = table.boolean("prune").value_or(feed.prune);
    feed.retire = table.boolean("retire").value_or(feed.retire);
    if (feed.retire && !feed.prune) table.fault("retire", "goes with prune = true alone");
    // Each would disable what the other one prints.
    if (feed.prune && config_.inventories.size() > 1) {
      table.fault("prune", "goes with a single [inventory.NAME] alone");
    }
    table.done();
  }

  void probe(config::Section table) {
    if (const auto trust = table.text("trust")) config_.probe.trust = absolute(*trust);
    config_.probe.timeout = table.duration("timeout").value_or(config_.probe.timeout);
    config_.defaults.probe_timeout = config_.probe.timeout;
    config_.probe.warn_days =
        static_cast<int>(table.integer("warn_days", 0, 3'650).value_or(config_.probe.warn_days));
    config_.probe.every = table.duration("every").value_or(config_.probe.every);
    if (config_.probe.every < shortest_probe_interval) {
      table.fault("every", "is too often: 1s at the least");
    }
    table.done();
  }

  std::vector<dns::ServerAddress> servers(config::Section& table, std::string_view key,
                                          std::uint16_t port) {
    std::vector<dns::ServerAddress> parsed;
    for (const auto& text : table.texts(key).value_or(std::vector<std::string>{})) {
      auto server = dns::ServerAddress::parse(text, port);
      if (server) {
        parsed.push_back(std::move(*server));
      } else {
        table.fault(key, server.error().detail);
      }
    }
    return parsed;
  }

  std::vector<Fqdn> names(config::Section& table, std::string_view key) {
    std::vector<Fqdn> parsed;
    for (const auto& text : table.texts(key).value_or(std::vector<std::string>{})) {
      auto name = Fqdn::parse(text);
      if (name) {
        parsed.push_back(std::move(*name));
      } else {
        table.fault(key, name.error().detail);
      }
    }
    return parsed;
  }

  fs::path folder_;
  Config config_;
  std::set<VaultName> vaults_;              // of any type
  std::set<std::string> secret_variables_;  // named by any section
};

}  // namespace

std::string CaConfig::authority() const {
  const auto begin = directory.find("://") + 3;
  return directory.substr(begin, directory.find('/', begin) - begin);
}

std::set<DnsName> Config::dns_names() const {
  std::set<DnsName> names;
  for (const auto& [name, section] : responders) names.insert(name);
  for (const auto& [name, section] : route53) names.insert(name);
  return names;
}

std::set<VaultName> Config::vault_names() const {
  std::set<VaultName> names;
  for (const auto& [name, section] : directories) names.insert(name);
  for (const auto& [name, section] : secrets_managers) names.insert(name);
  return names;
}

Result<Secret<std::string>> ExternalAccountConfig::read_key() const {
  auto text = hmac.read();
  if (!text) return fail(std::move(text.error()));
  const auto& given = text->reveal();
  const auto begin = given.find_first_not_of(" \t\r\n");
  // Some CAs pad it, and most editors end a file with a line break.
  const auto end = given.find_last_not_of("= \t\r\n");
  const Secret<std::string> trimmed(begin == std::string::npos || end == std::string::npos ||
                                            end < begin
                                        ? ""
                                        : given.substr(begin, end + 1 - begin));
  auto key = crypto::from_base64url(trimmed.reveal());
  if (key && !key->empty()) return Secret<std::string>(std::move(*key));
  return fail(Error::Kind::misconfigured, hmac.where,
              "the key is no base64url text (letters, digits, - and _): copy it as the CA gave it");
}

Result<fs::path> find_config(const std::string& given) {
  if (!given.empty()) return fs::absolute(given);
  if (const char* named = std::getenv("CERTHERD_CONFIG"); named != nullptr && *named != '\0') {
    return fs::absolute(named);
  }
  const std::array<fs::path, 2> places = {fs::absolute("certherd.toml"),
                                          "/etc/certherd/certherd.toml"};
  for (const auto& place : places) {
    if (fs::exists(place)) return place;
  }
  return fail(Error::Kind::misconfigured, "find the config",
              fmt::format("neither {} nor {} exists: run `certherd init`, or name a config with "
                          "--config",
                          places[0].string(), places[1].string()));
}

Result<Config> load_config(const fs::path& file) {
  auto text = read_file(file, config_limit);
  if (!text) {
    auto error = std::move(text.error()).during("read the config");
    error.kind = Error::Kind::misconfigured;
    return fail(std::move(error));
  }
  auto document = config::Document::parse(file.string(), *text);
  if (!document) return fail(std::move(document.error()));
  auto config = Reader(fs::absolute(file)).read(document->root());
  if (!document->faults().empty()) return fail(std::move(document->faults()).error());
  return config;
}

}  // namespace certherd::app

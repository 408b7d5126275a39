#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/settings.hpp"
#include "base/secret.hpp"
#include "config/secret_source.hpp"
#include "deploy/target_section.hpp"
#include "dns/responder/responder.hpp"
#include "dns/visibility.hpp"
#include "fleet/ports.hpp"
#include "model/identifiers.hpp"
#include "model/key_type.hpp"
#include "notify/notifier_section.hpp"
#include "policy/ca_limits.hpp"

namespace certherd::app {

using config::SecretSource;

/// An account that exists outside of ACME and is to be bound to ours (RFC 8555 section 7.3.4).
struct ExternalAccountConfig {
  std::string kid;
  SecretSource hmac;

  /// The key in octets; the secret is its base64url, padding or not. Errors: misconfigured.
  Result<Secret<std::string>> read_key() const;
};

struct CaConfig {
  std::string directory;
  std::vector<std::string> contact;  ///< mailto: URLs
  bool terms_of_service_agreed = false;
  KeyType account_key = KeyType::ecdsa_p256;
  Duration finalize_within = std::chrono::minutes(3);
  std::filesystem::path trust;  ///< further roots for the CA's own HTTPS; empty: none
  std::optional<ExternalAccountConfig> eab;
  VaultName account_vault;      ///< that shares the account; empty: it stays in the store
  std::string profile;          ///< for domains that name none; empty: the CA chooses
  std::string preferred_chain;  ///< name of the topmost issuer; empty: the CA's default
  int max_in_flight = 500;      ///< orders open at one time
  int requests_at_once = 64;    ///< exchanges under way at one time
  policy::CaLimits limits;      ///< where the config says nothing, by the directory's host
  Duration timeout = std::chrono::seconds(60);  ///< for one exchange

  /// The host of the directory: by it sections share what the CA limits for all.
  std::string authority() const;
};

struct Route53Config {
  aws::SectionOptions options;
  double requests_per_second = 4.5;  ///< of the 5 that an account has by AWS's older word
};

struct SecretsManagerConfig {
  aws::SectionOptions options;
  std::string prefix = "tls/";
  bool bundle = false;  ///< one secret for each domain instead of three
  std::string kms_key_id;
};

struct ProbeConfig {
  std::filesystem::path trust;  ///< further roots for judging served chains; empty: none
  Duration timeout = std::chrono::seconds(10);
  Duration every = std::chrono::hours(6);  ///< between two looks of the service at an endpoint
  int warn_days = 14;                      ///< a scan calls what ends within them expiring
};

/// A program that knows the domains better than the inventory does ([inventory.NAME]).
struct InventoryFeedConfig {
  std::vector<std::string> command;  ///< program and arguments; it prints what `domain sync` reads
  Duration every = std::chrono::hours(1);
  Duration timeout = std::chrono::minutes(10);
  bool prune = false;   ///< disable the domains that it does not print
  bool retire = false;  ///< and take these off their targets
};

/// The config file as typed values; paths are absolute.
struct Config {
  std::filesystem::path file;
  std::string store_url;  ///< "sqlite:" and an absolute path
  SecretSource seal_key;
  std::vector<SecretSource> old_seal_keys;  ///< open what they sealed, seal nothing any more
  std::map<CaName, CaConfig> cas;
  std::map<DnsName, dns::ResponderOptions> responders;
  std::map<DnsName, Route53Config> route53;
  std::map<VaultName, std::filesystem::path> directories;
  std::map<VaultName, SecretsManagerConfig> secrets_managers;
  std::map<TargetName, std::shared_ptr<const deploy::TargetSection>> targets;  // shared by copies
  std::map<NotifierName, notify::ReadNotifier> notifiers;
  std::map<std::string, InventoryFeedConfig> inventories;
  fleet::Defaults defaults;
  dns::ResolverOptions resolver;
  ProbeConfig probe;
  std::set<std::string> secret_variables;  ///< of our environment that hold secrets

  /// All [dns.NAME], and all [vault.NAME], of whatever type.
  std::set<DnsName> dns_names() const;
  std::set<VaultName> vault_names() const;
};

/// Finds the config: `given`, else $CERTHERD_CONFIG, else ./certherd.toml, else
/// /etc/certherd/certherd.toml. Errors: misconfigured with the places looked at.
Result<std::filesystem::path> find_config(const std::string& given);

/// Reads and checks a config file. Errors: misconfigured; each cause is one fault, its op
/// "FILE:LINE: section.key".
Result<Config> load_config(const std::filesystem::path& file);

}  // namespace certherd::app

#pragma once

#include <map>

#include "acme/client.hpp"
#include "crypto/pki.hpp"
#include "crypto/private_key.hpp"
#include "crypto/sealer.hpp"
#include "deploy/acceptance.hpp"
#include "deploy/target.hpp"
#include "deploy/target_section.hpp"
#include "dns/change_batcher.hpp"
#include "dns/provider.hpp"
#include "dns/visibility.hpp"
#include "fleet/order_search.hpp"
#include "model/key_type.hpp"
#include "policy/ca_limits.hpp"
#include "probe/probe.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

namespace certherd::fleet {

/// One configured CA with the account that is used there.
struct CaPort {
  acme::Client* client = nullptr;       ///< may be null where `unusable` says why
  OrderSearch* order_search = nullptr;  ///< as client
  std::optional<Error> unusable;  ///< why there is no account there: its domains fail with this
  AccountUrl account;             ///< what the client signs for, and
  std::string account_key;        ///< the thumbprint of the key it signs by
  Duration finalize_within = std::chrono::minutes(3);
  int max_in_flight = 500;      ///< orders open at one time
  std::string profile;          ///< for domains that name none; empty: the CA chooses
  std::string preferred_chain;  ///< by its topmost issuer's name; empty: the CA's default
  policy::CaLimits limits;      ///< that it publishes
  std::string authority;        ///< whose limits they are: the host of its directory
};

/// One configured DNS host, and the batcher through which all its changes go.
struct DnsPort {
  dns::Provider* provider = nullptr;
  dns::ChangeBatcher* batcher = nullptr;
};

/// What a domain gets that says nothing itself: [defaults] of the config.
struct Defaults {
  std::vector<CaName> cas;  ///< the first one is preferred
  int failover_after = 3;   ///< failures in a row, until the next CA has its turn
  DnsName dns;
  VaultName vault;
  std::vector<TargetName> targets;
  KeyChoice key;
  double renew_at = 0.667;
  Duration prove_within = std::chrono::minutes(90);
  Duration check_within = std::chrono::minutes(10);
  Duration probe_timeout = std::chrono::seconds(10);
};

/// Everything outside that the fleet works with, by the names of the config. Owned by app; all of
/// it outlives the fleet.
struct Ports {
  runtime::EventLoop* loop = nullptr;
  runtime::Offload* offload = nullptr;
  runtime::Random* random = nullptr;
  crypto::KeySource* keys = nullptr;
  const crypto::Pki* pki = &crypto::openssl_pki();
  const crypto::Sealer* sealer = nullptr;
  store::Store* store = nullptr;
  dns::Visibility* visibility = nullptr;
  probe::Probe* probe = nullptr;
  std::map<CaName, CaPort> cas;
  std::map<DnsName, DnsPort> dns;
  std::map<VaultName, vault::Vault*> vaults;
  std::map<TargetName, deploy::Target*> targets;
  std::map<TargetName, deploy::Acceptance> accepts;       ///< of those of `targets`
  std::map<TargetName, std::vector<deploy::Edge>> edges;  ///< where these serve all their domains
  Defaults defaults;

  runtime::Clock& clock() const { return loop->clock(); }
};

/// Where the certificate of a domain is kept, installed and looked for.
struct Places {
  VaultName vault;
  std::vector<TargetName> targets;
  std::vector<Endpoint> endpoints;  ///< where proof is looked for; empty: nowhere
};

/// The choices of one domain with the defaults filled in.
struct Choices : Places {
  CaName ca;
  DnsName dns;
  KeyType key = KeyType::ecdsa_p256;
  bool keep_key = false;  ///< take the key of the certificate before, if it is of that type
};

/// The CAs that it may go to: its own, else the default ones.
const std::vector<CaName>& cas_of(const Domain& domain, const Defaults& defaults);

/// The CA whose turn it is, as policy::cas_by_turn() has it; empty when none is chosen.
CaName ca_of(const Domain& domain, const Defaults& defaults);

/// Where its certificate is to be installed: on its own targets, else the default ones.
const std::vector<TargetName>& targets_of(const Domain& domain, const Defaults& defaults);

/// Where a domain is served: its own endpoints, else the edges of its targets, else its name on
/// port 443, as a browser would look. A wildcard stands for no host: an edge is asked for one that
/// it covers, and without an edge it has none of itself.
std::vector<Endpoint> endpoints_of(const Domain& domain, const Ports& ports);

/// Errors: misconfigured when the domain names a section that is not configured.
Result<Places> places_of(const Domain& domain, const Ports& ports);

/// Its CA is the one whose turn it is, or the next one that can be used. Errors: misconfigured when
/// the domain names a section that is not configured, or a type of key that does not exist or not
/// all of its targets take; where none of its CAs can be used, why the first one cannot.
Result<Choices> choices_of(const Domain& domain, const Ports& ports);

}  // namespace certherd::fleet

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aws/session.hpp"
#include "crypto/sealer.hpp"
#include "dns/provider.hpp"
#include "fleet/ports.hpp"
#include "runtime/random.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/by_name.hpp"
#include "sim/fake_ca.hpp"
#include "sim/fake_probe.hpp"
#include "sim/fake_target.hpp"
#include "sim/fake_vault.hpp"
#include "sim/line.hpp"
#include "sim/on_line.hpp"
#include "sim/paper_pki.hpp"
#include "sim/program_loop.hpp"
#include "sim/route53_sight.hpp"
#include "sim/scenario.hpp"
#include "sim/scripted_route53.hpp"
#include "store/store.hpp"

namespace certherd::sim {

/// A domain of the fleet, and how it fares out there.
struct Site {
  DomainId id{};
  Fqdn name;
  std::vector<Fqdn> names;  ///< all of its certificate
  std::string zone;         ///< the hosted zone of its challenge name
  bool broken = false;      ///< nothing can be issued for it: it has lapsed, or the like
  Time recovers_from{};     ///< when it was mended last, or an outage ended that met it recovering
};

/// All that a fleet lives among: a CA with limits, Route 53 and what its servers show, a vault, a
/// target and what it serves, and the store, which outlives the processes of the program. Nothing
/// here knows what the program is about to do. On the virtual clock; the same for the same seed.
class World {
 public:
  /// `real_certificates`: keys and certificates are OpenSSL's, as adapters of real systems want
  /// them, and not of paper; for fleets that begin without any.
  explicit World(const Scenario& scenario, bool real_certificates = false);
  ~World();

  /// Adds the domains to the store, and where the fleet is an established one gives each a
  /// certificate of some age.
  Task<void> found();

  const Scenario& scenario() const { return scenario_; }
  runtime::VirtualLoop& loop() { return *loop_; }
  /// The same as the program has it: its clock may be wrong.
  ProgramLoop& program_loop() { return program_loop_; }
  Time now() { return loop_->clock().now(); }
  /// For what happens out there; the program has numbers of its own.
  runtime::Random& chance() { return random_; }

  std::vector<Site>& sites() { return sites_; }
  /// Null when it is none of them.
  Site* site(const Fqdn& name);

  FakeCa& ca() { return *ca_; }
  ScriptedRoute53& route53() { return *route53_; }
  Route53Sight& sight() { return *sight_; }
  FakeVault& vault() { return vault_; }
  FakeTarget& target() { return target_; }
  FakeProbe& probe() { return *probe_; }
  store::Store& store() { return *store_; }
  /// The provider that the program works by.
  dns::Provider& provider() { return *provider_; }
  const DnsName& dns_name() const { return dns_name_; }

  /// The ways to what changes something: CA, Route 53, vault, target.
  std::vector<Line*> lines();
  Line& ca_line() { return ca_->line(); }
  Line& dns_line() { return dns_line_; }
  Line& vault_line() { return vault_line_; }
  Line& target_line() { return target_line_; }

  /// What the program gets to see of all this; batcher and order search belong to a process.
  fleet::Ports& ports() { return ports_; }
  const crypto::Sealer& sealer() const { return sealer_; }
  const crypto::Pki& pki() const { return pki_; }

  /// Puts a value that is not the program's at the challenge name of a site.
  void plant(const Site& site, const std::string& value);
  /// Whether it still stands there.
  bool stands(const Site& site, const std::string& value) const;
  /// Gives a site another hosted zone; the inventory does not know.
  void move_zone(Site& site);

 private:
  void add_zones();
  Task<void> establish();
  std::string record_of(const Site& site) const;

  Scenario scenario_;
  std::unique_ptr<runtime::VirtualLoop> loop_;
  ProgramLoop program_loop_;
  std::unique_ptr<runtime::Offload> offload_;
  runtime::SeededRandom random_;
  runtime::SeededRandom random_of_program_;
  PaperPki paper_;
  crypto::SystemKeySource real_keys_;
  const crypto::Pki& pki_;
  crypto::Sealer sealer_;
  DnsName dns_name_{"dns"};
  std::unique_ptr<store::Store> store_;
  Line dns_line_;
  Line vault_line_;
  Line target_line_;
  std::unique_ptr<ScriptedRoute53> route53_;
  HttpOnLine to_route53_;
  std::unique_ptr<aws::Session> session_;
  std::unique_ptr<Route53Sight> sight_;
  std::unique_ptr<dns::Provider> provider_;
  std::unique_ptr<FakeCa> ca_;
  FakeVault vault_;
  VaultOnLine to_vault_;
  FakeTarget target_{pki_};
  TargetOnLine to_target_;
  std::unique_ptr<FakeProbe> probe_;
  fleet::Ports ports_;
  std::vector<Site> sites_;
  ByName<std::size_t> by_name_;
  int zones_given_ = 0;
};

}  // namespace certherd::sim

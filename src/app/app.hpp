#pragma once

#include <memory>
#include <set>
#include <string>

#include "app/accounts.hpp"
#include "app/config.hpp"
#include "dns/inspector.hpp"
#include "fleet/ports.hpp"
#include "runtime/event_loop.hpp"
#include "store/store.hpp"

namespace certherd::app {

/// A config made real: the only place that knows every concrete type. Opening it needs the store
/// and the seal key; the outside systems follow with start().
class App {
 public:
  /// Blocks on the disk, so before the loop runs; `loop` outlives it. Errors: misconfigured (seal
  /// key), those of Store::open.
  static Result<std::unique_ptr<App>> open(Config config, runtime::EventLoop& loop);
  ~App();

  const Config& config() const { return config_; }
  runtime::EventLoop& loop() { return loop_; }
  store::Store& store() { return *store_; }
  Accounts& accounts() { return *accounts_; }
  /// For what would hold up the loop.
  runtime::Offload& offload() { return *pool_; }

  /// The seal key, and the keys that it also opens.
  const crypto::Sealer& sealer() const { return *sealer_; }

  /// Reads the seal keys again: another process may have changed them since open(). Errors: as
  /// open_seal_keys().
  Status reopen_seal_keys();

  /// Builds DNS, vaults, targets and probe, and opens the accounts at all CAs that an enabled
  /// domain or an unfinished issuance names, and those that there are. A CA that cannot be used is
  /// marked so: its domains fail, the others do not. Errors: what concerns everybody, such as a
  /// responder that cannot listen.
  Task<Status> start();

  /// Opens a CA that start() could not, or that was not wanted then, if it is in the config. One
  /// that still cannot be used keeps its mark.
  Task<void> open_ca(CaName ca);

  /// What the fleet works with, once started.
  fleet::Ports& ports() { return ports_; }

  /// Builds only what check() needs, and the DNS providers that can be asked without being started.
  /// Errors: misconfigured.
  Status prepare_checks();

  /// Builds only what a fleet::Scan needs. Errors: misconfigured.
  Status prepare_scan();

  /// Tries each CA, DNS host, vault and target by its section, read-only; after prepare_checks().
  Task<std::vector<std::pair<std::string, Status>>> check();

  /// Builds only the DNS part of start(), and begins to answer for the responders: for the holder
  /// of the lease alone, since their ports belong to it. Errors: misconfigured.
  Task<Status> start_dns();

  /// Ends what start_dns() began.
  Task<void> stop_dns();

  /// Looks at the public DNS. Errors: misconfigured when no resolver is known.
  Result<std::unique_ptr<dns::Inspector>> make_inspector();

  /// Ends what start() or a prepare_…() began, also when that failed half way. Must be called
  /// before the loop ends.
  Task<void> stop();

 private:
  App(Config config, runtime::EventLoop& loop);
  Task<Result<std::set<CaName>>> needed_cas();
  Status start_places();
  Result<vault::AccountVault*> account_vault(const VaultName& name);
  Status start_providers();
  void add_batcher(dns::Provider& provider, dns::ChangeBatcher::Options options);
  Status start_probe(int look_ups);

  struct Services;

  Config config_;
  runtime::EventLoop& loop_;
  std::unique_ptr<runtime::Offload> pool_;
  std::unique_ptr<runtime::Offload> writer_;
  std::unique_ptr<runtime::Offload> look_ups_;
  std::unique_ptr<runtime::Random> random_;
  std::unique_ptr<crypto::KeySource> keys_;
  std::unique_ptr<crypto::Sealer> sealer_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Services> services_;
  fleet::Ports ports_;
};

}  // namespace certherd::app

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/sealer.hpp"
#include "dns/change_batcher.hpp"
#include "fleet/executor.hpp"
#include "fleet/order_search.hpp"
#include "fleet/scheduler.hpp"
#include "notify/notifier.hpp"
#include "runtime/random.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/fake_ca.hpp"
#include "sim/fake_dns_provider.hpp"
#include "sim/fake_probe.hpp"
#include "sim/fake_target.hpp"
#include "sim/fake_vault.hpp"
#include "sim/fake_visibility.hpp"
#include "store/store.hpp"

namespace certherd::sim {

/// Hands out one key again and again: a fleet of a thousand needs no thousand keys to be tested.
class OneKey final : public crypto::KeySource {
 public:
  Result<crypto::PrivateKey> generate(KeyType type) override;

 private:
  std::optional<crypto::PrivateKey> key_;
};

/// Who is told of alarms: keeps all that it was told.
class Listener final : public notify::Notifier {
 public:
  Task<Status> send(notify::Notice notice) override;
  Task<Status> check() override;
  std::size_t most_at_once() const override { return 1000; }

  /// How often it was told that an alarm of that kind began, or is over, by the domain or the CA
  /// that it is about.
  std::map<std::string, int> told(Alarm::Kind kind, bool over) const;
  std::size_t messages() const { return messages_; }

 private:
  std::size_t messages_ = 0;
  std::vector<Notification> notifications_;
};

/// The real fleet code and the real store on the virtual clock, with everything outside faked.
/// The same seed gives the same run.
class FleetSimulation {
 public:
  /// `shape` may change each domain before it is added.
  FleetSimulation(std::uint64_t seed, int domains,
                  const std::function<void(Domain&)>& shape = nullptr);
  ~FleetSimulation();

  /// Asks for a certificate for every domain and works until all have a result. What a kill would
  /// lose is lost when `kill_after` (a span of virtual time, from the start) is over: executor,
  /// batcher and everything they held; the store and the outside go on. `meanwhile` happens before
  /// the next process.
  void issue_all(std::optional<Duration> kill_after = std::nullopt,
                 const std::function<void()>& meanwhile = nullptr);

  /// Gives the account at the CA another key, or puts another account in its place.
  void change_account_key();
  void replace_account();

  /// From now on a kill takes the name server along, as it does with our own responder.
  void serve_dns_ourselves() { serves_dns_ = true; }

  /// Puts another DNS host in the place of the fake one: from now on changes go to `provider`, by a
  /// batcher with these options, `visibility` shows what can be seen, and the CA looks by `lookup`.
  struct Dns {
    dns::Provider* provider = nullptr;
    dns::Visibility* visibility = nullptr;
    sim::FakeVisibility::Lookup lookup;
    dns::ChangeBatcher::Options batching = {};
  };
  void use_dns(Dns dns);

  /// Asks for all of them, and once more after `again_after` while the first work still goes on.
  void issue_all_again_after(Duration again_after);

  /// Asks for all of them, and changes the inventory after `after` while they are worked on.
  using Change = std::function<store::InventoryChange(std::vector<store::DomainRow>)>;
  void issue_all_and_change_after(Duration after, Change change);
  /// Asks for that for every domain and works until all have a result. With `kill_after`, the
  /// command that asked dies with the executor, and nobody asks again.
  void do_for_all(WorkRequest::Kind kind, WorkRequest::Arguments arguments = {},
                  std::optional<Duration> kill_after = std::nullopt);
  /// Puts another CA beside the first one, for domains that are to fail over.
  sim::FakeCa& add_ca(const CaName& name);
  /// What the service does to open a CA that could not be used.
  void set_open_ca(std::function<Task<void>(CaName)> open_ca) { open_ca_ = std::move(open_ca); }
  /// Works as the service does for that long, and drains.
  void serve_for(Duration span);
  /// What a run does that nobody asked for anything.
  void run_idle();
  /// Asks for certificates for all, and after `after` for that; works until both are done.
  void issue_all_and(WorkRequest::Kind kind, WorkRequest::Arguments arguments, Duration after);
  /// A key of its own for each issuance, instead of one for all.
  void use_fresh_keys() { ports_.keys = &fresh_keys_; }
  void use_one_key() { ports_.keys = &keys_; }

  /// Asks for what is due of these and works until they have a result.
  void renew(const std::vector<store::DomainRow>& rows);

  std::vector<Event> events();
  std::vector<store::DomainRow> domains();
  std::vector<TxtRecord> ledger();
  /// How often each outcome, such as "issued", stands in the results of all requests since
  /// do_for_all() or issue_all_and() was last called, or since the beginning.
  int outcomes(const std::string& outcome) const;

  Fqdn name(int index) const;
  runtime::EventLoop& loop() { return *loop_; }
  sim::FakeCa& ca() { return *ca_; }
  sim::FakeDnsProvider& dns() { return *dns_; }
  sim::FakeVault& vault() { return vault_; }
  sim::FakeVisibility& visibility() { return *visibility_; }
  sim::FakeTarget& target() { return target_; }
  sim::FakeProbe& probe() { return *probe_; }
  const Listener& listener() const { return listener_; }
  store::Store& store() { return *store_; }
  fleet::Ports& ports() { return ports_; }

 private:
  Task<void> add_domains(std::function<void(Domain&)> shape);
  Task<void> submit(WorkRequest::Kind kind = WorkRequest::Kind::issue,
                    WorkRequest::Arguments arguments = {});
  Task<void> submit_for(std::vector<store::DomainRow> rows, WorkRequest::Kind kind,
                        WorkRequest::Arguments arguments);
  Task<void> die_after(Duration after);
  Task<void> execute();
  Task<void> serve(Duration span);
  Task<void> work(std::function<Task<Status>()> work);
  Task<void> execute_and_die(Duration after);
  Task<void> execute_and_submit(Duration after, WorkRequest::Kind kind,
                                WorkRequest::Arguments arguments);
  Task<void> execute_and_change(Duration after, Change change);
  void count_outcomes();

  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<runtime::Offload> offload_;
  runtime::SeededRandom random_;
  OneKey keys_;
  crypto::SystemKeySource fresh_keys_;
  crypto::Sealer sealer_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<sim::FakeDnsProvider> dns_;
  Dns in_use_;
  std::unique_ptr<sim::FakeCa> ca_;
  std::map<CaName, std::unique_ptr<sim::FakeCa>> further_cas_;
  Listener listener_;
  std::function<Task<void>(CaName)> open_ca_;
  std::unique_ptr<sim::FakeVisibility> visibility_;
  sim::FakeVault vault_;
  sim::FakeTarget target_;
  std::unique_ptr<sim::FakeProbe> probe_;
  fleet::Ports ports_;
  int domains_;
  std::string batch_ = "batch";  ///< of what is asked for now
  bool serves_dns_ = false;
  std::map<std::string, int> outcomes_;
};

}  // namespace certherd::sim

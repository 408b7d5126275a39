#include "fleet_simulation.hpp"

#include <fmt/format.h>

#include "crypto/jws.hpp"
#include "notify/delivery.hpp"
#include "runtime/task_group.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;

constexpr Time start = Time(std::chrono::days(20'780));

const DnsName dns_name("dns");
const NotifierName notifier("listener");

crypto::Sealer test_sealer() {
  return *crypto::Sealer::make(Secret<std::string>(std::string(32, 'k')));
}

Task<void> drain_after(runtime::Clock* clock, Duration span, fleet::Scheduler* scheduler) {
  co_await clock->sleep_for(span);
  scheduler->drain();
}

}  // namespace

Result<crypto::PrivateKey> OneKey::generate(KeyType type) {
  if (!key_) {
    auto made = crypto::PrivateKey::generate(type);
    if (!made) return made;
    key_ = *made;
  }
  return *key_;
}

Task<Status> Listener::send(notify::Notice notice) {
  messages_ += 1;
  for (auto& each : notice.notifications) notifications_.push_back(std::move(each));
  co_return Status{};
}

Task<Status> Listener::check() { co_return Status{}; }

std::map<std::string, int> Listener::told(Alarm::Kind kind, bool over) const {
  std::map<std::string, int> counts;
  for (const auto& each : notifications_) {
    const auto& key = each.alarm.key;
    if (key.kind == kind && each.over == over) counts[key.domain.text() + key.ca.text()] += 1;
  }
  return counts;
}

FleetSimulation::FleetSimulation(std::uint64_t seed, int domains,
                                 const std::function<void(Domain&)>& shape)
    : loop_(runtime::make_virtual_loop(start)),
      offload_(runtime::make_inline_offload()),
      random_(seed),
      sealer_(test_sealer()),
      domains_(domains) {
  auto& clock = loop_->clock();
  store_ = std::move(
      *store::Store::open({.url = "sqlite::memory:", .create = true}, *offload_, *offload_, clock));
  const dns::Zone zone{.id = ZoneId("zone"), .name = Fqdn::literal("fleet.test")};
  dns_ = std::make_unique<sim::FakeDnsProvider>(clock, std::vector{zone});
  dns_->set_answer_after(80ms);
  dns_->set_in_sync_after(2s);
  const auto lookup = [this](const Fqdn& name, const TxtValue& value) {
    return in_use_.lookup(name, value);
  };
  ca_ = std::make_unique<sim::FakeCa>(clock, random_, lookup);
  visibility_ = std::make_unique<sim::FakeVisibility>(clock, zone.name, lookup);
  use_dns({.provider = dns_.get(),
           .visibility = visibility_.get(),
           .lookup = [this](const Fqdn& name, const TxtValue& value) {
             return dns_->holds(name, value);
           }});
  probe_ = std::make_unique<sim::FakeProbe>(clock, target_);

  ports_.loop = loop_.get();
  ports_.offload = offload_.get();
  ports_.random = &random_;
  ports_.keys = &keys_;
  ports_.sealer = &sealer_;
  ports_.store = store_.get();
  ports_.probe = probe_.get();
  auto& port = ports_.cas[CaName("ca")];
  port.client = ca_.get();
  port.account = AccountUrl("https://ca.test/account/0");
  port.account_key = "own";
  ports_.vaults[VaultName("vault")] = &vault_;
  ports_.targets[TargetName("edge")] = &target_;
  ports_.defaults.cas = {CaName("ca")};
  ports_.defaults.dns = dns_name;
  ports_.defaults.vault = VaultName("vault");
  ports_.defaults.targets = {TargetName("edge")};
  loop_->run(add_domains(shape));
}

FleetSimulation::~FleetSimulation() = default;

sim::FakeCa& FleetSimulation::add_ca(const CaName& name) {
  const auto lookup = [this](const Fqdn& record, const TxtValue& value) {
    return in_use_.lookup(record, value);
  };
  auto& ca = further_cas_[name];
  ca = std::make_unique<sim::FakeCa>(loop_->clock(), random_, lookup);
  ca->number_from(0x100000 * (further_cas_.size() + 1));
  auto port = ports_.cas.at(CaName("ca"));
  port.client = ca.get();
  ports_.cas[name] = std::move(port);
  return *ca;
}

Fqdn FleetSimulation::name(int index) const {
  return Fqdn::literal(fmt::format("site-{:05}.fleet.test", index));
}

Task<void> FleetSimulation::add_domains(std::function<void(Domain&)> shape) {
  std::vector<Domain> domains;
  for (int i = 0; i < domains_; ++i) {
    Domain domain;
    domain.name = name(i);
    // Apex and wildcard in one certificate need two values at one name.
    if (i % 10 == 0) domain.names = {Fqdn::literal("*." + domain.name.text())};
    if (shape) shape(domain);
    domains.push_back(std::move(domain));
  }
  auto added = co_await store_->add_domains(std::move(domains), {});
  if (!added) throw std::runtime_error(added.error().message());
}

Task<void> FleetSimulation::submit(WorkRequest::Kind kind, WorkRequest::Arguments arguments) {
  auto rows = co_await store_->domains();
  co_await submit_for(std::move(*rows), kind, std::move(arguments));
}

Task<void> FleetSimulation::submit_for(std::vector<store::DomainRow> rows, WorkRequest::Kind kind,
                                       WorkRequest::Arguments arguments) {
  std::vector<WorkRequest> requests;
  for (const auto& row : rows) {
    WorkRequest request;
    request.batch = batch_;
    request.owner = "sim";
    request.kind = kind;
    request.arguments = arguments;
    request.domain_id = row.domain.id;
    request.domain = row.domain.name;
    request.requested_at = loop_->clock().now();
    requests.push_back(std::move(request));
  }
  auto submitted = co_await store_->submit(std::move(requests));
  if (!submitted) throw std::runtime_error(submitted.error().message());
}

Task<void> FleetSimulation::execute() {
  fleet::Executor executor(ports_, {.owner = "sim"});
  co_await work([&executor] { return executor.run(); });
}

Task<void> FleetSimulation::serve(Duration span) {
  // What happens every few seconds in the program would make the virtual months long.
  fleet::Scheduler::Options options;
  options.executor.owner = "sim";
  options.executor.request_poll = 2h;
  options.executor.lease_ttl = 24h;
  options.executor.sweep_every = 6h;
  options.longest_pause = 2h;
  options.open_ca = open_ca_;
  options.subscriptions = {{.notifier = notifier}};
  notify::Delivery delivery(*loop_, *store_, {{notifier, &listener_}}, {.look_anew = 2h});
  options.alarmed = [&delivery] { delivery.wake(); };
  fleet::Scheduler scheduler(ports_, std::move(options));
  runtime::TaskGroup group(*loop_);
  runtime::TaskGroup telling(*loop_);
  group.spawn(drain_after(&loop_->clock(), span, &scheduler));
  telling.spawn(delivery.run());
  co_await work([&scheduler] { return scheduler.run(); });
  co_await group.join();
  telling.cancel();
  co_await telling.join();
}

void FleetSimulation::serve_for(Duration span) { loop_->run(serve(span)); }

// What the work needs lives as long as it.
Task<void> FleetSimulation::work(std::function<Task<Status>()> work) {
  auto options = in_use_.batching;
  options.dns = dns_name;
  dns::ChangeBatcher batcher(*loop_, *in_use_.provider, *store_, std::move(options));
  ports_.dns[dns_name] = {.provider = in_use_.provider, .batcher = &batcher};
  std::vector<std::unique_ptr<fleet::OrderSearch>> searches;
  for (auto& [name, port] : ports_.cas) {
    searches.push_back(std::make_unique<fleet::OrderSearch>(*loop_, *port.client, *store_));
    port.order_search = searches.back().get();
  }
  std::exception_ptr ended;
  Status status;
  try {
    auto lease = co_await store_->acquire_lease("sim", 15s, nullptr);
    status = co_await work();
  } catch (...) {
    ended = std::current_exception();
  }
  co_await batcher.stop();
  if (ended) std::rethrow_exception(ended);
  if (!status) throw std::runtime_error(status.error().message());
}

void FleetSimulation::use_dns(Dns dns) {
  in_use_ = std::move(dns);
  ports_.visibility = in_use_.visibility;
}

Task<void> FleetSimulation::execute_and_die(Duration after) {
  runtime::TaskGroup group(*loop_);
  group.spawn(execute());
  co_await loop_->clock().sleep_for(after);
  group.cancel();
  co_await group.join();
  if (serves_dns_) ca_->fail_validations();
}

void FleetSimulation::change_account_key() {
  auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  ports_.cas.at(CaName("ca")).account_key = crypto::jwk_thumbprint(*key);
  auto changed = loop_->run(ca_->change_key(std::move(*key)));
  if (!changed) throw std::runtime_error(changed.error().message());
}

void FleetSimulation::replace_account() {
  ports_.cas.at(CaName("ca")).account = AccountUrl("https://ca.test/account/another");
}

void FleetSimulation::issue_all(std::optional<Duration> kill_after,
                                const std::function<void()>& meanwhile) {
  loop_->run(submit());
  if (kill_after) loop_->run(execute_and_die(*kill_after));
  if (meanwhile) meanwhile();
  loop_->run(execute());
  count_outcomes();
}

Task<void> FleetSimulation::execute_and_submit(Duration after, WorkRequest::Kind kind,
                                               WorkRequest::Arguments arguments) {
  runtime::TaskGroup group(*loop_);
  group.spawn(execute());
  co_await loop_->clock().sleep_for(after);
  co_await submit(kind, std::move(arguments));
  co_await group.join();
}

Task<void> FleetSimulation::die_after(Duration after) {
  co_await execute_and_die(after);
  // The next executor drops what the dead have asked for.
  auto dropped = co_await store_->withdraw_requests("sim");
  if (!dropped) throw std::runtime_error(dropped.error().message());
}

void FleetSimulation::do_for_all(WorkRequest::Kind kind, WorkRequest::Arguments arguments,
                                 std::optional<Duration> kill_after) {
  batch_ += "+";
  loop_->run(submit(kind, std::move(arguments)));
  if (kill_after) loop_->run(die_after(*kill_after));
  loop_->run(execute());
  count_outcomes();
}

void FleetSimulation::renew(const std::vector<store::DomainRow>& rows) {
  batch_ += "+";
  loop_->run(submit_for(rows, WorkRequest::Kind::renew, {}));
  loop_->run(execute());
  count_outcomes();
}

void FleetSimulation::run_idle() { loop_->run(execute()); }

void FleetSimulation::issue_all_and(WorkRequest::Kind kind, WorkRequest::Arguments arguments,
                                    Duration after) {
  batch_ += "+";
  loop_->run(submit());
  loop_->run(execute_and_submit(after, kind, std::move(arguments)));
  count_outcomes();
}

void FleetSimulation::issue_all_again_after(Duration again_after) {
  loop_->run(submit());
  loop_->run(execute_and_submit(again_after, WorkRequest::Kind::issue, {}));
  count_outcomes();
}

Task<void> FleetSimulation::execute_and_change(Duration after, Change change) {
  runtime::TaskGroup group(*loop_);
  group.spawn(execute());
  co_await loop_->clock().sleep_for(after);
  auto rows = co_await store_->domains();
  auto changed = co_await store_->change_inventory(change(std::move(*rows)));
  if (!changed) throw std::runtime_error(changed.error().message());
  co_await group.join();
}

void FleetSimulation::issue_all_and_change_after(Duration after, Change change) {
  loop_->run(submit());
  loop_->run(execute_and_change(after, std::move(change)));
  count_outcomes();
}

void FleetSimulation::count_outcomes() {
  outcomes_.clear();
  auto requests = loop_->run(store_->batch(batch_));
  for (const auto& request : *requests) {
    const auto report = fleet::parse_report(request.result);
    outcomes_[report ? std::string(report->at("outcome").as_string()) : "none"] += 1;
  }
}

int FleetSimulation::outcomes(const std::string& outcome) const {
  const auto found = outcomes_.find(outcome);
  return found == outcomes_.end() ? 0 : found->second;
}

std::vector<Event> FleetSimulation::events() {
  std::vector<Event> events;
  auto numbered = loop_->run(store_->events({}));
  for (auto& [number, event] : *numbered) events.push_back(std::move(event));
  return events;
}

std::vector<store::DomainRow> FleetSimulation::domains() { return *loop_->run(store_->domains()); }

std::vector<TxtRecord> FleetSimulation::ledger() { return *loop_->run(store_->entries(dns_name)); }

}  // namespace certherd::sim

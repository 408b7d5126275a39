#include "app/app.hpp"

#include "app/seal_keys.hpp"
#include "app/version.hpp"
#include "aws/access.hpp"
#include "base/log.hpp"
#include "base/versioned_folder.hpp"
#include "deploy/unusable.hpp"
#include "dns/live_visibility.hpp"
#include "dns/route53/route53.hpp"
#include "fleet/scan.hpp"
#include "probe/tls_probe.hpp"
#include "runtime/slots.hpp"
#include "vault/directory.hpp"
#include "vault/secrets_manager/secrets_manager.hpp"

namespace certherd::app {
namespace {

// Keys, RSA signatures and disk work; more threads than this gain nothing on small machines.
constexpr int pool_threads = 2;
// Host names of the probe. A resolver that does not answer keeps a thread for as long as half a
// minute, so a scan has one for each endpoint that it looks at.
constexpr int look_up_threads = 16;
constexpr int scan_look_up_threads = static_cast<int>(fleet::Scan::Options{}.at_once);
constexpr std::size_t trust_limit = 1U << 20U;

// A change takes a minute to reach all servers of Route 53, and each call is one of five a second:
// to wait a moment for the changes of others costs little and saves many.
constexpr Duration route53_gather = std::chrono::seconds(1);

// A request that was under way when its process ended is answered within the time that one of ours
// may take, its retries included; the rest is for clocks that differ.
constexpr Duration route53_late = std::chrono::minutes(10);

}  // namespace

struct App::Services {
  explicit Services(runtime::EventLoop& loop) : opening(loop, 1) {}

  std::map<DnsName, aws::Access> dns_access;
  std::map<VaultName, aws::Access> vault_access;
  bool placed = false;  ///< vaults and targets are there
  std::unique_ptr<dns::Visibility> visibility;
  std::map<DnsName, std::unique_ptr<dns::Provider>> providers;  ///< that need no start
  std::map<DnsName, std::unique_ptr<dns::Responder>> responders;
  std::map<DnsName, std::unique_ptr<dns::ChangeBatcher>> batchers;
  std::map<VaultName, std::unique_ptr<vault::Vault>> vaults;
  std::map<TargetName, std::unique_ptr<deploy::Target>> targets;
  std::map<CaName, std::unique_ptr<fleet::OrderSearch>> order_searches;
  runtime::Slots opening;  ///< of CAs: Accounts does one thing at a time
  std::unique_ptr<probe::Probe> probe;
};

App::App(Config config, runtime::EventLoop& loop)
    : config_(std::move(config)),
      loop_(loop),
      pool_(runtime::make_thread_offload(loop, pool_threads)),
      writer_(runtime::make_thread_offload(loop, 1)),
      random_(std::make_unique<runtime::SystemRandom>()),
      keys_(std::make_unique<crypto::SystemKeySource>()),
      services_(std::make_unique<Services>(loop)) {}

App::~App() = default;

Result<std::unique_ptr<App>> App::open(Config config, runtime::EventLoop& loop) {
  auto app = std::unique_ptr<App>(new App(std::move(config), loop));
  auto sealer = open_seal_keys(app->config_);
  if (!sealer) return fail(std::move(sealer.error()));
  app->sealer_ = std::make_unique<crypto::Sealer>(std::move(*sealer));

  auto store = store::Store::open({.url = app->config_.store_url, .create = false}, *app->writer_,
                                  *app->pool_, loop.clock());
  if (!store) return fail(std::move(store.error()));
  app->store_ = std::move(*store);
  auto* const self = app.get();
  app->accounts_ = std::make_unique<Accounts>(
      app->config_, loop, *app->pool_, *app->keys_, *app->sealer_, *app->store_,
      connect_by_https(loop, *app->pool_),
      [self](const VaultName& name) { return self->account_vault(name); });
  return app;
}

Status App::reopen_seal_keys() {
  auto sealer = open_seal_keys(config_);
  if (!sealer) return fail(std::move(sealer.error()));
  *sealer_ = std::move(*sealer);
  return {};
}

Task<Status> App::start() {
  if (auto keys = reopen_seal_keys(); !keys) co_return keys;
  ports_.loop = &loop_;
  ports_.offload = pool_.get();
  ports_.random = random_.get();
  ports_.keys = keys_.get();
  ports_.sealer = sealer_.get();
  ports_.store = store_.get();
  ports_.defaults = config_.defaults;

  if (auto placed = start_places(); !placed) co_return placed;
  if (auto probing = start_probe(look_up_threads); !probing) co_return probing;
  if (auto answering = co_await start_dns(); !answering) co_return answering;
  auto cas = co_await needed_cas();
  if (!cas) co_return fail(std::move(cas.error()));
  for (const auto& ca : *cas) co_await open_ca(ca);
  co_return Status{};
}

Task<Result<std::set<CaName>>> App::needed_cas() {
  std::set<CaName> cas;
  auto rows = co_await store_->domains();
  if (!rows) co_return fail(std::move(rows.error()));
  for (const auto& row : *rows) {
    if (!row.domain.enabled) continue;
    const auto& wanted = fleet::cas_of(row.domain, config_.defaults);
    cas.insert(wanted.begin(), wanted.end());
  }
  auto active = co_await store_->active_issuances();
  if (!active) co_return fail(std::move(active.error()));
  for (const auto& issuance : *active) cas.insert(issuance.ca);
  // Where there is an account there may be certificates to revoke; opening it asks the CA nothing.
  for (const auto& [ca, config] : config_.cas) {
    auto account = co_await store_->account(ca);
    if (!account) co_return fail(std::move(account.error()));
    if (*account && (*account)->status == "valid") cas.insert(ca);
  }
  co_return cas;
}

Status App::prepare_checks() {
  if (auto placed = start_places(); !placed) return placed;
  return config_.route53.empty() ? Status() : start_providers();
}

Status App::prepare_scan() {
  ports_.loop = &loop_;
  ports_.store = store_.get();
  if (auto placed = start_places(); !placed) return placed;
  return start_probe(scan_look_up_threads);
}

Result<vault::AccountVault*> App::account_vault(const VaultName& name) {
  if (auto placed = start_places(); !placed) return fail(std::move(placed.error()));
  const auto found = services_->vaults.find(name);
  auto* const vault = found == services_->vaults.end()
                          ? nullptr
                          : dynamic_cast<vault::AccountVault*>(found->second.get());
  if (vault != nullptr) return vault;
  return fail(Error::Kind::misconfigured, "choose an account_vault",
              fmt::format("[vault.{}] keeps no accounts", name));
}

Status App::start_places() {
  if (services_->placed) return {};
  for (const auto& [name, path] : config_.directories) {
    auto& vault = services_->vaults[name];
    vault = vault::make_directory(*pool_, path);
    ports_.vaults[name] = vault.get();
  }
  for (const auto& [name, section] : config_.secrets_managers) {
    const auto op = fmt::format("open [vault.{}]", name);
    auto access = aws::open(section.options, aws::Service::secrets_manager, loop_, *pool_, *random_,
                            user_agent());
    if (!access) return fail(std::move(access.error()).during(op));
    auto& kept = services_->vault_access[name];
    kept = std::move(*access);
    vault::SecretsManagerOptions options;
    options.prefix = section.prefix;
    options.layout = section.bundle ? vault::SecretsManagerOptions::Layout::bundle
                                    : vault::SecretsManagerOptions::Layout::separate;
    options.kms_key_id = section.kms_key_id;
    auto& vault = services_->vaults[name];
    vault = vault::make_secrets_manager(*kept.session, std::move(options), *store_);
    ports_.vaults[name] = vault.get();
  }
  const deploy::Surroundings surroundings{.loop = loop_,
                                          .offload = *pool_,
                                          .random = *random_,
                                          .budget = *store_,
                                          .user_agent = user_agent(),
                                          .withheld = config_.secret_variables};
  for (const auto& [name, section] : config_.targets) {
    auto opened = section->open(surroundings);
    auto& target = services_->targets[name];
    target = opened ? std::move(*opened)
                    : deploy::make_unusable(
                          std::move(opened.error()).during(fmt::format("open [target.{}]", name)));
    ports_.targets[name] = target.get();
    ports_.accepts[name] = section->accepts();
    ports_.edges[name] = section->edges();
  }
  services_->placed = true;
  return {};
}

Status App::start_probe(int look_ups) {
  std::string trust;
  if (!config_.probe.trust.empty()) {
    auto read = read_file(config_.probe.trust, trust_limit);
    if (!read) return fail(std::move(read.error()).during("open [probe] trust"));
    trust = std::move(*read);
  }
  auto roots = crypto::TrustedRoots::load(trust);
  if (!roots) return fail(std::move(roots.error()).during("open [probe] trust"));
  probe::TlsProbeOptions options{.roots = std::move(*roots)};
  look_ups_ = runtime::make_thread_offload(loop_, look_ups);
  services_->probe = probe::make_tls_probe(loop_, *pool_, *look_ups_, std::move(options));
  ports_.probe = services_->probe.get();
  return {};
}

Status App::start_providers() {
  if (services_->visibility) return {};
  auto visibility = dns::make_visibility(loop_, *random_, config_.resolver);
  if (!visibility) return fail(std::move(visibility.error()).during("open [resolver]"));
  services_->visibility = std::move(*visibility);
  ports_.visibility = services_->visibility.get();

  for (const auto& [name, section] : config_.route53) {
    const auto op = fmt::format("open [dns.{}]", name);
    auto access =
        aws::open(section.options, aws::Service::route53, loop_, *pool_, *random_, user_agent());
    if (!access) return fail(std::move(access.error()).during(op));
    auto& kept = services_->dns_access[name];
    kept = std::move(*access);
    dns::Route53Options options;
    options.section = name;
    options.requests_per_second = section.requests_per_second;
    options.delegation = [visibility = ports_.visibility](Fqdn zone) {
      return visibility->name_servers(std::move(zone));
    };
    auto& provider = services_->providers[name];
    provider = dns::make_route53(*kept.session, *store_, std::move(options));
    ports_.dns[name].provider = provider.get();
  }
  return {};
}

void App::add_batcher(dns::Provider& provider, dns::ChangeBatcher::Options options) {
  const auto name = options.dns;
  auto& batcher = services_->batchers[name];
  batcher = std::make_unique<dns::ChangeBatcher>(loop_, provider, *store_, std::move(options));
  ports_.dns[name] = {.provider = &provider, .batcher = batcher.get()};
}

Task<Status> App::start_dns() {
  if (auto ready = start_providers(); !ready) co_return ready;
  for (const auto& [name, provider] : services_->providers) {
    dns::ChangeBatcher::Options options;
    options.dns = name;
    options.gather = route53_gather;
    options.late = route53_late;
    add_batcher(*provider, std::move(options));
  }
  for (const auto& [name, options] : config_.responders) {
    // A responder forgets with its process; the ledger does not.
    auto standing = co_await store_->entries(name);
    if (!standing) co_return fail(std::move(standing.error()));
    auto responder = dns::Responder::start(loop_, options, std::move(*standing));
    if (!responder) {
      co_return fail(std::move(responder.error()).during(fmt::format("start [dns.{}]", name)));
    }
    auto& kept = services_->responders[name];
    kept = std::move(*responder);
    dns::ChangeBatcher::Options batching;
    batching.dns = name;
    add_batcher(*kept, std::move(batching));
  }
  co_return Status{};
}

Task<void> App::stop_dns() {
  for (auto& [name, batcher] : services_->batchers) co_await batcher->stop();
  for (auto& [name, responder] : services_->responders) co_await responder->stop();
  ports_.dns.clear();
  for (const auto& [name, provider] : services_->providers) {
    ports_.dns[name].provider = provider.get();
  }
  services_->batchers.clear();
  services_->responders.clear();
}

Result<std::unique_ptr<dns::Inspector>> App::make_inspector() {
  auto inspector = dns::Inspector::make(loop_, *random_, config_.resolver);
  if (!inspector) return fail(std::move(inspector.error()).during("open [resolver]"));
  return inspector;
}

Task<void> App::open_ca(CaName ca) {
  const auto section = config_.cas.find(ca);
  if (section == config_.cas.end()) co_return;
  const auto one_at_a_time = co_await services_->opening.take();
  const auto& config = section->second;
  fleet::CaPort port;
  port.finalize_within = config.finalize_within;
  port.max_in_flight = config.max_in_flight;
  port.profile = config.profile;
  port.preferred_chain = config.preferred_chain;
  port.limits = config.limits;
  port.authority = config.authority();
  auto account = co_await accounts_->ensure_registered(ca);
  const auto known = ports_.cas.find(ca);
  const bool told = known != ports_.cas.end() && known->second.unusable;
  if (!account) {
    if (!told) log::warning("[ca.{}] cannot be used: {}", ca, account.error().message());
    port.unusable = std::move(account.error());
  } else {
    if (told) log::info("[ca.{}] can be used now", ca);
    port.account = account->url;
    port.account_key = account->thumbprint;
  }
  if (auto client = co_await accounts_->client(ca)) {
    port.client = *client;
    auto& search = services_->order_searches[ca];
    if (!search) search = std::make_unique<fleet::OrderSearch>(loop_, **client, *store_);
    port.order_search = search.get();
  }
  ports_.cas[ca] = std::move(port);
}

Task<std::vector<std::pair<std::string, Status>>> App::check() {
  std::vector<std::pair<std::string, Status>> findings;
  for (const auto& [name, config] : config_.cas) {
    Status status;
    auto directory = co_await accounts_->directory(name);
    if (!directory) status = fail(std::move(directory.error()));
    if (status && config.eab) {
      if (auto key = config.eab->read_key(); !key) status = fail(std::move(key.error()));
    }
    findings.emplace_back(fmt::format("ca.{}", name), std::move(status));
  }
  for (const auto& [name, provider] : services_->providers) {
    auto status = co_await provider->check();
    findings.emplace_back(fmt::format("dns.{}", name), std::move(status));
  }
  for (const auto& [name, vault] : services_->vaults) {
    auto status = co_await vault->check();
    findings.emplace_back(fmt::format("vault.{}", name), std::move(status));
  }
  for (const auto& [name, target] : services_->targets) {
    auto status = co_await target->check();
    findings.emplace_back(fmt::format("target.{}", name), std::move(status));
  }
  co_return findings;
}

Task<void> App::stop() {
  co_await stop_dns();
  for (auto& [name, target] : services_->targets) co_await target->stop();
}

}  // namespace certherd::app

#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "crypto/csr.hpp"
#include "crypto/x509.hpp"
#include "dns/route53/route53.hpp"
#include "store/memory_store.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr Time start{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}};

// The program's own pace, which must not hang on what happens out there.
constexpr std::uint64_t seed_of_program = 0x5EED;
// How much of the past outside systems and store remember, so that years fit into memory.
constexpr std::size_t calls_kept = 20'000;
constexpr std::size_t events_kept = 200'000;
// Of what is over: a lost order is looked for among those that no issuance holds.
constexpr std::size_t former_kept = 20;
constexpr Duration orders_kept = days(7);

aws::Credentials credentials() {
  aws::Credentials credentials;
  credentials.access_key_id = "AKIDEXAMPLE";
  credentials.secret_access_key = Secret<std::string>("secret-of-the-simulation");
  return credentials;
}

ScriptedRoute53::Options route53_options(const Scenario& scenario) {
  ScriptedRoute53::Options options;
  options.credentials = credentials();
  options.calls_per_second = scenario.calls_per_second;
  options.calls_at_once = std::max(1.0, scenario.calls_per_second);
  options.least_to_in_sync = scenario.least_to_in_sync;
  options.most_to_in_sync = scenario.most_to_in_sync;
  options.slow_changes = scenario.mishaps ? 0.01 : 0;
  options.calls_kept = calls_kept;
  return options;
}

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message());
}

}  // namespace

World::World(const Scenario& scenario, bool real_certificates)
    : scenario_(scenario),
      loop_(runtime::make_virtual_loop(start)),
      program_loop_(*loop_),
      offload_(runtime::make_inline_offload()),
      random_(scenario.seed),
      random_of_program_(scenario.seed + seed_of_program),
      pki_(real_certificates ? crypto::openssl_pki() : paper_),
      sealer_(must(crypto::Sealer::make(Secret<std::string>(std::string(32, 'k'))))),
      dns_line_(loop_->clock(), random_),
      vault_line_(loop_->clock(), random_),
      target_line_(loop_->clock(), random_),
      route53_(
          std::make_unique<ScriptedRoute53>(loop_->clock(), random_, route53_options(scenario))),
      to_route53_(*route53_, dns_line_),
      to_vault_(vault_, vault_line_),
      to_target_(target_, target_line_) {
  auto& clock = loop_->clock();
  if (scenario.store == Scenario::Keeping::memory) {
    store_ = store::make_memory_store(
        program_loop_.clock(),
        {.keep_events = events_kept, .keep_former = scenario.watches_all() ? former_kept : 0});
  } else {
    store_ = must(store::Store::open({.url = "sqlite::memory:", .create = true}, *offload_,
                                     *offload_, program_loop_.clock()));
  }
  // Its server has a time of its own to answer.
  dns_line_.set_options({.least = 0us, .most = 0us});

  const Layout layout{.delegated = scenario.delegated};
  sight_ = std::make_unique<Route53Sight>(clock, *route53_, layout);
  ca_ = std::make_unique<FakeCa>(clock, random_, [this](const Fqdn& name, const TxtValue& value) {
    return sight_->shows(name, value);
  });
  BoulderLimits::Options limits;
  const auto take = [&scenario](policy::CaLimit limit, BoulderLimits::Limit& into) {
    const auto rate = scenario.limits.rates.find(limit);
    if (rate == scenario.limits.rates.end()) {
      into = {.count = 1'000'000'000, .period = 1s};
    } else {
      into = {.count = rate->second.units, .period = rate->second.period};
    }
  };
  take(policy::CaLimit::new_orders, limits.orders);
  take(policy::CaLimit::certificates_per_domain, limits.per_domain);
  take(policy::CaLimit::certificates_for_same_names, limits.per_names);
  take(policy::CaLimit::failed_validations, limits.failures);
  if (!real_certificates) ca_->issue_paper(paper_);
  ca_->keep_limits(limits);
  ca_->tell_times_by(program_loop_.clock());
  ca_->set_validity(scenario.validity);
  ca_->give_windows(scenario.asked_again_after);
  ca_->forget_after(orders_kept);
  if (scenario.mishaps) ca_->validate_within(200ms, 90s);
  vault_.keep_versions(3);
  probe_ = std::make_unique<FakeProbe>(clock, target_);

  auto settings =
      must(aws::load_settings({{"AWS_ACCESS_KEY_ID", credentials().access_key_id},
                               {"AWS_SECRET_ACCESS_KEY", credentials().secret_access_key.reveal()}},
                              {}, aws::Service::route53));
  session_ = std::make_unique<aws::Session>(program_loop_, *offload_, random_of_program_,
                                            to_route53_, std::move(settings));
  dns::Route53Options options;
  options.requests_per_second = scenario.calls_per_second * 0.9;
  options.delegation = [this](Fqdn zone) { return sight_->name_servers(std::move(zone)); };
  provider_ = dns::make_route53(*session_, *store_, std::move(options));

  ports_.loop = &program_loop_;
  ports_.offload = offload_.get();
  ports_.random = &random_of_program_;
  ports_.keys = &paper_;
  if (real_certificates) ports_.keys = &real_keys_;
  ports_.pki = &pki_;
  ports_.sealer = &sealer_;
  ports_.store = store_.get();
  ports_.visibility = sight_.get();
  ports_.probe = probe_.get();
  auto& port = ports_.cas[CaName("ca")];
  port.client = ca_.get();
  port.account = AccountUrl("https://ca.test/account/0");
  port.account_key = "own";
  port.limits = scenario.limits;
  port.authority = "ca.test";
  port.max_in_flight = scenario.max_in_flight;
  ports_.vaults[VaultName("vault")] = &to_vault_;
  ports_.targets[TargetName("edge")] = &to_target_;
  ports_.defaults.cas = {CaName("ca")};
  ports_.defaults.dns = dns_name_;
  ports_.defaults.vault = VaultName("vault");
  ports_.defaults.targets = {TargetName("edge")};
}

World::~World() = default;

std::vector<Line*> World::lines() {
  return {&ca_->line(), &dns_line_, &vault_line_, &target_line_};
}

Site* World::site(const Fqdn& name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &sites_[found->second];
}

Task<void> World::found() {
  std::vector<Domain> domains;
  for (int i = 0; i < scenario_.domains; ++i) {
    const int brand = i / scenario_.names_per_registered_domain;
    Domain domain;
    domain.name = Fqdn::literal(fmt::format("site-{:06}.brand-{:06}.test", i, brand));
    if (i < scenario_.wildcards * scenario_.domains) {
      domain.names = {Fqdn::literal("*." + domain.name.text())};
    }
    Site site;
    site.name = domain.name;
    site.names = domain.all_names();
    by_name_.emplace(site.name, sites_.size());
    sites_.push_back(std::move(site));
    domains.push_back(std::move(domain));
  }
  add_zones();
  for (std::size_t i = 0; i < domains.size(); ++i) domains[i].zone_id = ZoneId(sites_[i].zone);
  auto added = co_await store_->add_domains(std::move(domains), {});
  must(added);
  auto rows = must(co_await store_->domains());
  for (const auto& row : rows) site(row.domain.name)->id = row.domain.id;
  if (scenario_.established) co_await establish();
}

void World::add_zones() {
  const std::vector<std::string> servers = {"ns-1.awsdns-00.com.", "ns-2.awsdns-00.net."};
  if (scenario_.delegated) {
    route53_->zones().add(
        {.id = "ZACME", .name = Fqdn::literal("acme.test"), .name_servers = servers});
    for (auto& site : sites_) site.zone = "ZACME";
    return;
  }
  for (auto& site : sites_) {
    site.zone = fmt::format("Z{:06}", ++zones_given_);
    route53_->zones().add({.id = site.zone, .name = site.name, .name_servers = servers});
  }
}

void World::move_zone(Site& site) {
  if (scenario_.delegated) return;
  route53_->zones().remove(site.zone);
  site.zone = fmt::format("Z{:06}", ++zones_given_);
  route53_->zones().add({.id = site.zone,
                         .name = site.name,
                         .name_servers = {"ns-3.awsdns-00.org.", "ns-4.awsdns-00.net."}});
}

// One key for all: the age of a fleet is not about its keys.
Task<void> World::establish() {
  const auto key = must(paper_.generate(KeyType::ecdsa_p256));
  const auto pem = key.to_pem();
  for (auto& site : sites_) {
    const auto age =
        std::chrono::duration_cast<Duration>(scenario_.validity * 0.65 * random_.fraction());
    const Time not_before = now() - age;
    const auto chain =
        ca_->give(site.names, key.public_key(), not_before, not_before + scenario_.validity);
    const auto leaf = must(pki_.read_chain(chain)).front();
    const Material material{.csr = crypto::csr_to_pem(must(pki_.make_csr(key, site.names))),
                            .private_key = pem,
                            .fullchain = chain};
    auto kept = must(co_await vault_.store(
        site.name, material,
        {.key = leaf.serial.text(), .not_after = leaf.not_after, .owner = {}}));
    must(co_await target_.install(site.name, material, leaf.serial.text()));
    Certificate certificate;
    certificate.domain_id = site.id;
    certificate.domain = site.name;
    certificate.serial = leaf.serial;
    certificate.names = site.names;
    certificate.issuer = leaf.issuer;
    certificate.not_before = leaf.not_before;
    certificate.not_after = leaf.not_after;
    certificate.fingerprint = leaf.fingerprint;
    certificate.ari_id = leaf.ari_id;
    certificate.ca = CaName("ca");
    certificate.key_type = KeyType::ecdsa_p256;
    certificate.vault_name = VaultName("vault");
    certificate.vault = std::move(kept);
    certificate.targets[TargetName("edge")] = Installed::installed;
    certificate.served = true;
    store::Changes changes;
    changes.certificate = std::move(certificate);
    must(co_await store_->amend(site.id, std::move(changes)));
  }
}

std::string World::record_of(const Site& site) const {
  const Layout layout{.delegated = scenario_.delegated};
  return layout.record(site.name.challenge_name()).text() + ".";
}

void World::plant(const Site& site, const std::string& value) {
  route53_->zones().put(site.zone, {.name = record_of(site),
                                    .type = "TXT",
                                    .ttl = 300,
                                    .values = {fmt::format("\"{}\"", value)}});
}

bool World::stands(const Site& site, const std::string& value) const {
  const auto* set = route53_->zones().set(site.zone, record_of(site), "TXT");
  return set != nullptr &&
         std::ranges::find(set->values, fmt::format("\"{}\"", value)) != set->values.end();
}

}  // namespace certherd::sim

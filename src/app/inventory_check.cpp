#include "app/inventory_check.hpp"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "policy/key_choice.hpp"
#include "policy/public_suffix.hpp"

namespace certherd::app {
namespace {

constexpr std::size_t letsencrypt_names = 100;  // docs/rate-limits.md of Let's Encrypt, 2026-08-05

}  // namespace

Status check_key(const Config& config, const Domain& domain) {
  std::vector<policy::KeyTaker> takers;
  for (const auto& name : fleet::targets_of(domain, config.defaults)) {
    const auto target = config.targets.find(name);
    if (target == config.targets.end()) continue;
    takers.push_back({fmt::format("[target.{}]", name), target->second->accepts().keys});
  }
  const auto choice =
      domain.key.empty() ? std::optional(config.defaults.key) : parse_key_choice(domain.key);
  auto key = policy::choose_key(choice.value_or(KeyChoice{}).type, takers);
  if (!key) return fail(std::move(key.error()));
  return {};
}

std::vector<Error> misfits(const Config& config, const Domain& domain) {
  std::vector<Error> missing;
  const auto look = [&missing](std::string_view column, std::string_view kind, const auto& name,
                               const auto& sections) {
    if (name.empty() || sections.contains(name)) return;
    missing.push_back(fail(Error::Kind::misconfigured, std::string(column),
                           fmt::format("there is no [{}.{}] in the config", kind, name))
                          .value());
  };
  for (const auto& ca : domain.cas) look("ca", "ca", ca, config.cas);
  look("dns", "dns", domain.dns, config.dns_names());
  look("vault", "vault", domain.vault, config.vault_names());
  for (const auto& target : domain.targets) {
    look("targets", "target", target, config.targets);
  }
  if (auto fit = check_key(config, domain); !fit) {
    missing.push_back(fail(fit.error().kind, "key", fit.error().detail).value());
  }
  return missing;
}

std::vector<std::string> doubts_about(const Config& config, const Domain& domain) {
  std::vector<std::string> doubts;
  const auto& cas = fleet::cas_of(domain, config.defaults);
  const auto strict = std::ranges::find_if(cas, [&config](const CaName& ca) {
    const auto section = config.cas.find(ca);
    return section != config.cas.end() &&
           section->second.limits.preset != policy::CaLimits::Preset::none;
  });
  if (strict == cas.end()) return doubts;
  const auto& name = *strict;
  const auto all = domain.all_names();
  for (const auto& each : all) {
    const auto why = policy::not_public_because(each);
    if (why.empty()) continue;
    doubts.push_back(fmt::format("{}: [ca.{}] will refuse {}: {}", domain.name, name, each, why));
  }
  if (all.size() > letsencrypt_names) {
    doubts.push_back(fmt::format("{}: [ca.{}] will refuse {} names on one certificate, it takes {}",
                                 domain.name, name, all.size(), letsencrypt_names));
  }
  return doubts;
}

std::vector<std::string> shared_names(const std::vector<Domain>& inventory,
                                      const std::set<Fqdn>& changed) {
  std::unordered_map<std::string_view, const Domain*> first;
  std::vector<std::string> shared;
  const auto look = [&](const Domain& domain, const Fqdn& name) {
    const auto [holder, is_new] = first.emplace(name.text(), &domain);
    if (is_new || holder->second == &domain) return;
    const auto& other = holder->second->name;
    if (!changed.contains(domain.name) && !changed.contains(other)) return;
    shared.push_back(
        fmt::format("{} stands on the certificates of both {} and {}", name, other, domain.name));
  };
  for (const auto& domain : inventory) {
    look(domain, domain.name);
    for (const auto& name : domain.names) look(domain, name);
  }
  return shared;
}

}  // namespace certherd::app

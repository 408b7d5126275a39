#include "fleet/ports.hpp"

#include "policy/ca_choice.hpp"
#include "policy/key_choice.hpp"

namespace certherd::fleet {
namespace {

template <typename Name, typename Port>
Status configured(const std::map<Name, Port>& ports, const Name& name, std::string_view kind) {
  if (ports.contains(name)) return {};
  const auto detail =
      name.empty()
          ? fmt::format("no {} is chosen: set {} under [defaults] or for the domain", kind, kind)
          : fmt::format("there is no [{}.{}] in the config", kind, name);
  return fail(Error::Kind::misconfigured, "choose " + std::string(kind), detail);
}

template <typename Name>
const Name& either(const Name& own, const Name& fallback) {
  return own.empty() ? fallback : own;
}

// Some host that a wildcard covers: whoever serves the wildcard serves it.
Fqdn host_under(const Fqdn& name) {
  if (!name.is_wildcard()) return name;
  return Fqdn::literal("certherd-proof." + name.without_wildcard().text());
}

/// The types of key that the domain's targets take, and the domain's own wish.
Result<KeyType> key_of(const Domain& domain, const KeyChoice& choice, const Ports& ports) {
  std::vector<policy::KeyTaker> takers;
  for (const auto& target : targets_of(domain, ports.defaults)) {
    const auto accepts = ports.accepts.find(target);
    if (accepts == ports.accepts.end()) continue;
    takers.push_back({fmt::format("[target.{}]", target), accepts->second.keys});
  }
  return policy::choose_key(choice.type, takers);
}

Result<CaName> usable_ca(const Domain& domain, const Ports& ports) {
  const auto& defaults = ports.defaults;
  const auto& named = cas_of(domain, defaults);
  if (named.empty()) return fail(configured(ports.cas, CaName(), "ca").error());
  const auto cas = policy::cas_by_turn(named, domain.failures, defaults.failover_after);
  for (const auto& ca : cas) {
    if (auto known = configured(ports.cas, ca, "ca"); !known) return fail(known.error());
  }
  for (const auto& ca : cas) {
    if (!ports.cas.at(ca).unusable) return ca;
  }
  return fail(*ports.cas.at(named.front()).unusable);
}

}  // namespace

const std::vector<CaName>& cas_of(const Domain& domain, const Defaults& defaults) {
  return domain.cas.empty() ? defaults.cas : domain.cas;
}

CaName ca_of(const Domain& domain, const Defaults& defaults) {
  const auto cas =
      policy::cas_by_turn(cas_of(domain, defaults), domain.failures, defaults.failover_after);
  return cas.empty() ? CaName() : cas.front();
}

const std::vector<TargetName>& targets_of(const Domain& domain, const Defaults& defaults) {
  return domain.targets.empty() ? defaults.targets : domain.targets;
}

std::vector<Endpoint> endpoints_of(const Domain& domain, const Ports& ports) {
  if (!domain.endpoints.empty()) return domain.endpoints;
  std::vector<Endpoint> endpoints;
  for (const auto& target : targets_of(domain, ports.defaults)) {
    const auto edges = ports.edges.find(target);
    if (edges == ports.edges.end()) continue;
    for (const auto& edge : edges->second) {
      endpoints.push_back(
          {.host = host_under(domain.name), .port = edge.port, .address = edge.host});
    }
  }
  if (!endpoints.empty()) return endpoints;
  if (domain.name.is_wildcard()) return {};
  return {Endpoint{.host = domain.name, .port = 443, .address = {}}};
}

Result<Places> places_of(const Domain& domain, const Ports& ports) {
  const auto& defaults = ports.defaults;
  Places places;
  places.vault = either(domain.vault, defaults.vault);
  places.targets = targets_of(domain, defaults);
  if (!places.targets.empty()) places.endpoints = endpoints_of(domain, ports);

  if (auto known = configured(ports.vaults, places.vault, "vault"); !known) {
    return fail(known.error());
  }
  for (const auto& target : places.targets) {
    if (auto known = configured(ports.targets, target, "target"); !known) {
      return fail(known.error());
    }
  }
  return places;
}

Result<Choices> choices_of(const Domain& domain, const Ports& ports) {
  const auto& defaults = ports.defaults;
  Choices choices;
  choices.dns = either(domain.dns, defaults.dns);
  const auto choice =
      domain.key.empty() ? std::optional(defaults.key) : parse_key_choice(domain.key);
  if (!choice) {
    return fail(Error::Kind::misconfigured, "choose key",
                fmt::format("key \"{}\" is none of {}", domain.key, key_choices()));
  }
  auto key = key_of(domain, *choice, ports);
  if (!key) return fail(std::move(key.error()));
  choices.key = *key;
  choices.keep_key = choice->keep;
  auto ca = usable_ca(domain, ports);
  if (!ca) return fail(std::move(ca.error()));
  choices.ca = std::move(*ca);
  if (auto known = configured(ports.dns, choices.dns, "dns"); !known) return fail(known.error());
  auto places = places_of(domain, ports);
  if (!places) return fail(std::move(places.error()));
  static_cast<Places&>(choices) = std::move(*places);
  return choices;
}

}  // namespace certherd::fleet

#include "fleet/ports.hpp"

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

}  // namespace

const std::vector<TargetName>& targets_of(const Domain& domain, const Defaults& defaults) {
  return domain.targets.empty() ? defaults.targets : domain.targets;
}

std::vector<Endpoint> endpoints_of(const Domain& domain) {
  if (!domain.endpoints.empty()) return domain.endpoints;
  if (domain.name.is_wildcard()) return {};
  return {Endpoint{.host = domain.name, .port = 443, .address = {}}};
}

Result<Places> places_of(const Domain& domain, const Ports& ports) {
  const auto& defaults = ports.defaults;
  Places places;
  places.vault = either(domain.vault, defaults.vault);
  places.targets = targets_of(domain, defaults);
  if (!places.targets.empty()) places.endpoints = endpoints_of(domain);

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
  choices.ca = either(domain.ca, defaults.ca);
  choices.dns = either(domain.dns, defaults.dns);
  choices.key = defaults.key;
  // "auto" is what every target type takes today: ECDSA P-256.
  if (domain.key == "auto") choices.key = KeyType::ecdsa_p256;
  if (!domain.key.empty() && domain.key != "auto") {
    const auto key = parse_key_type(domain.key);
    if (!key || *key == KeyType::ed25519) {
      return fail(Error::Kind::misconfigured, "choose key",
                  fmt::format("key type \"{}\" is none of auto, ecdsa-p256, ecdsa-p384, rsa-2048, "
                              "rsa-3072, rsa-4096",
                              domain.key));
    }
    choices.key = *key;
  }
  if (auto known = configured(ports.cas, choices.ca, "ca"); !known) return fail(known.error());
  if (const auto& unusable = ports.cas.at(choices.ca).unusable) return fail(*unusable);
  if (auto known = configured(ports.dns, choices.dns, "dns"); !known) return fail(known.error());
  auto places = places_of(domain, ports);
  if (!places) return fail(std::move(places.error()));
  static_cast<Places&>(choices) = std::move(*places);
  return choices;
}

}  // namespace certherd::fleet

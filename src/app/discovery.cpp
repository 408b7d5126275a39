#include "app/discovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "model/certificate_name.hpp"

namespace certherd::app {

Discovery discover(std::vector<dns::Zone> zones, const std::vector<store::DomainRow>& inventory,
                   const DiscoveryOptions& options) {
  std::set<Fqdn> known;
  for (const auto& row : inventory) {
    for (auto& name : row.domain.all_names()) known.insert(std::move(name));
  }
  Discovery discovery;
  for (auto& zone : zones) {
    const bool reverse =
        zone.name.text().ends_with(".in-addr.arpa") || zone.name.text().ends_with(".ip6.arpa");
    const auto fit = check_certificate_name(zone.name);
    if (reverse || !fit) {
      auto reason =
          reverse ? "it is for addresses, and no CA signs such names" : fit.error().detail;
      discovery.passed_over.push_back({.zone = std::move(zone), .reason = std::move(reason)});
    } else if (known.contains(zone.name)) {
      discovery.passed_over.push_back(
          {.zone = std::move(zone), .reason = "it is in the inventory already"});
    } else {
      Domain domain;
      domain.zone_id = zone.id;
      domain.dns = options.dns;
      if (options.wildcard) domain.names = {Fqdn::literal("*." + zone.name.text())};
      domain.name = std::move(zone.name);
      discovery.proposed.push_back(std::move(domain));
    }
  }
  return discovery;
}

Task<Result<std::vector<dns::Zone>>> zones_in_use(dns::Provider* provider,
                                                  std::vector<PassedOver>* passed_over) {
  auto zones = co_await provider->zones();
  if (!zones) co_return zones;
  std::vector<dns::Zone> in_use;
  in_use.reserve(zones->size());
  for (auto first = zones->begin(); first != zones->end();) {
    const auto end = std::find_if(
        first, zones->end(), [&first](const dns::Zone& zone) { return zone.name != first->name; });
    if (end - first == 1) {
      in_use.push_back(std::move(*first));
    } else {
      auto name = first->name;
      const auto chosen = co_await provider->find_zone(std::move(name));
      for (; first != end; ++first) {
        if (chosen && chosen->id == first->id) {
          in_use.push_back(std::move(*first));
          continue;
        }
        auto reason = chosen ? fmt::format("the delegation of this name leads to {}", chosen->id)
                             : chosen.error().detail;
        passed_over->push_back({.zone = std::move(*first), .reason = std::move(reason)});
      }
    }
    first = end;
  }
  co_return in_use;
}

}  // namespace certherd::app

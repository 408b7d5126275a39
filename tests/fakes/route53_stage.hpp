#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/session.hpp"
#include "dns/route53/route53.hpp"
#include "fakes/memory_budget.hpp"
#include "runtime/offload.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/scripted_route53.hpp"

namespace certherd::fakes {

/// A Route 53 provider and the scripted account that it writes to, on the virtual clock.
class Route53Stage {
 public:
  static constexpr Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

  Route53Stage()
      : server(loop->clock(), random, {.credentials = keys()}),
        session(*loop, *offload, random, server, aws::Settings(), keys()),
        provider(make_provider()) {}

  static aws::Credentials keys() {
    aws::Credentials credentials;
    credentials.access_key_id = "AKIDEXAMPLE";
    credentials.secret_access_key = Secret<std::string>("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    credentials.source = "the test";
    return credentials;
  }

  /// Adds a zone with four name servers of its own, to which its name is delegated, unless it is
  /// already.
  dns::Zone add_zone(const std::string& id, std::string_view name, bool is_private = false) {
    sim::HostedZone zone{
        .id = id, .name = Fqdn::literal(name), .is_private = is_private, .name_servers = {}};
    std::vector<Fqdn> servers;
    for (const auto* domain : {"org", "com", "net", "co.uk"}) {
      auto ns = Fqdn::literal("ns-" + id + ".awsdns." + domain);
      zone.name_servers.push_back(ns.text());
      servers.push_back(std::move(ns));
    }
    if (!is_private) delegations.try_emplace(zone.name, std::move(servers));
    dns::Zone added{.id = ZoneId(id), .name = zone.name};
    server.zones().add(std::move(zone));
    return added;
  }

  /// The TXT values that stand at a name, as Route 53 has them; nothing when there is no set.
  std::optional<std::vector<std::string>> texts(const dns::Zone& zone,
                                                std::string_view name) const {
    const auto* set = server.zones().set(zone.id.text(), std::string(name) + ".", "TXT");
    if (set == nullptr) return std::nullopt;
    return set->values;
  }

  std::unique_ptr<dns::Provider> make_provider() {
    dns::Route53Options options;
    options.section = DnsName("aws");
    options.delegation = [this](Fqdn zone) { return delegation(std::move(zone)); };
    return dns::make_route53(session, budget, std::move(options));
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(start);
  runtime::SeededRandom random{1};
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  sim::ScriptedRoute53 server;
  aws::Session session;
  MemoryBudget budget{loop->clock()};
  std::map<Fqdn, std::vector<Fqdn>> delegations;  ///< what the public DNS says
  std::unique_ptr<dns::Provider> provider;

 private:
  Task<Result<std::vector<Fqdn>>> delegation(Fqdn zone) {
    const auto found = delegations.find(zone);
    if (found == delegations.end()) {
      co_return fail(Error::Kind::not_found, "look up NS", "nobody serves it");
    }
    co_return found->second;
  }
};

}  // namespace certherd::fakes

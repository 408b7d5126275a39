#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/discovery.hpp"
#include "base/log.hpp"
#include "cli/domain.hpp"
#include "cli/table.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string dns;
  bool wildcard = false;
  bool add = false;
};

/// The section whose zones are asked for. Errors: misconfigured.
Result<DnsName> section_of(const app::Config& config, const std::string& given) {
  DnsName dns = given.empty() ? config.defaults.dns : DnsName(given);
  const auto refuse = [](std::string detail) {
    return fail(Error::Kind::misconfigured, "discover", std::move(detail));
  };
  if (dns.empty()) return refuse("name a section of the config: --dns NAME");
  if (!config.dns_names().contains(dns)) {
    return refuse(fmt::format("there is no [dns.{}] in the config", dns));
  }
  if (config.responders.contains(dns)) {
    return refuse(
        fmt::format("[dns.{}] is a responder, which answers for challenge names and "
                    "knows no domains: name a section of type route53",
                    dns));
  }
  return dns;
}

json::object proposal_json(const Domain& domain) {
  json::array names;
  for (const auto& name : domain.names) names.push_back(json::string(name.text()));
  return {{"domain", domain.name.text()},
          {"zone_id", domain.zone_id.text()},
          {"names", std::move(names)}};
}

json::object passed_over_json(const app::PassedOver& passed_over) {
  return {{"domain", passed_over.zone.name.text()},
          {"zone_id", passed_over.zone.id.text()},
          {"reason", passed_over.reason}};
}

void print_discovery(const Context& context, const app::Discovery& discovery, bool added,
                     json::array warnings) {
  if (context.json) {
    json::array proposed;
    for (const auto& domain : discovery.proposed) proposed.push_back(proposal_json(domain));
    json::array passed_over;
    for (const auto& each : discovery.passed_over) passed_over.push_back(passed_over_json(each));
    print_json(json::object{{"proposed", std::move(proposed)},
                            {"passed_over", std::move(passed_over)},
                            {"added", added},
                            {"warnings", std::move(warnings)}});
    return;
  }
  Table table({"DOMAIN", "ZONE ID", "NAMES", "STATE"});
  for (const auto& domain : discovery.proposed) {
    table.add({domain.name.text(), domain.zone_id.text(),
               fmt::format("{}", fmt::join(domain.names, " ")), added ? "added" : "new"});
  }
  for (const auto& [zone, reason] : discovery.passed_over) {
    table.add({zone.name.text(), zone.id.text(), "", reason});
  }
  table.print("the account has no public zone");
  if (!added && !discovery.proposed.empty()) {
    fmt::print("{} to be added: the same with --add\n", domains_text(discovery.proposed.size()));
  }
  if (added) fmt::print("{} added\n", domains_text(discovery.proposed.size()));
}

Task<int> discover_domains(app::App* app, Context context, Options options) {
  auto dns = section_of(app->config(), options.dns);
  if (!dns) co_return report(context, dns.error());
  auto inventory = co_await app->store().domains();
  if (!inventory) co_return report(context, inventory.error());
  if (auto prepared = app->prepare_checks(); !prepared) {
    co_return report(context, prepared.error());
  }
  std::vector<app::PassedOver> passed_over;
  auto zones = co_await app::zones_in_use(app->ports().dns.at(*dns).provider, &passed_over);
  co_await app->stop();
  if (!zones) co_return report(context, zones.error());

  app::DiscoveryOptions wanted;
  if (*dns != app->config().defaults.dns) wanted.dns = *dns;
  wanted.wildcard = options.wildcard;
  auto discovery = app::discover(std::move(*zones), *inventory, wanted);
  std::ranges::move(passed_over, std::back_inserter(discovery.passed_over));

  json::array warnings;
  const bool adds = options.add && !discovery.proposed.empty();
  if (adds) {
    warnings = warn_about(*app, *inventory, discovery.proposed);
    store::InventoryChange change;
    for (const auto& domain : discovery.proposed) {
      change.events.push_back({.at = app->loop().clock().now(),
                               .domain = domain.name,
                               .event = "domain.added",
                               .detail = {{"zone_id", domain.zone_id.text()}}});
    }
    change.added = discovery.proposed;
    auto written = co_await write_inventory(app, context, std::move(change));
    if (!written) co_return report(context, written.error());
  }
  print_discovery(context, discovery, adds, std::move(warnings));
  co_return all_done;
}

}  // namespace

void add_domain_discover(CLI::App& domain, Context& context) {
  auto* command =
      domain.add_subcommand("discover", "Propose the zones of a DNS host as domains, and add them");
  command->footer(
      "Asks the host for its public zones and changes nothing unless told to --add. Where two\n"
      "zones bear one name, the one that the name's delegation leads to is taken.\n\n"
      "Examples:\n"
      "  certherd domain discover\n"
      "  certherd domain discover --dns aws --wildcard --add");
  auto options = std::make_shared<Options>();
  command->add_option("--dns", options->dns, "The section of the config; else the default one")
      ->type_name("DNS");
  command->add_flag("--wildcard", options->wildcard, "Each with a wildcard on its certificate");
  command->add_flag("--add", options->add, "Add them to the inventory");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context,
                      [&](app::App* app) { return discover_domains(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/inventory_file.hpp"
#include "cli/domain.hpp"
#include "cli/input.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

// Sections that do not exist are told now, not when a certificate runs out.
Status check_sections(const app::Config& config, const Domain& domain) {
  const auto missing = [&domain](std::string_view kind, std::string_view name) {
    return fail(Error::Kind::misconfigured, domain.name.text(),
                fmt::format("there is no [{}.{}] in the config", kind, name));
  };
  if (!domain.ca.empty() && !config.cas.contains(domain.ca)) {
    return missing("ca", domain.ca.text());
  }
  if (!domain.dns.empty() && !config.responders.contains(domain.dns)) {
    return missing("dns", domain.dns.text());
  }
  if (!domain.vault.empty() && !config.directories.contains(domain.vault)) {
    return missing("vault", domain.vault.text());
  }
  for (const auto& target : domain.targets) {
    if (!config.files_targets.contains(target)) return missing("target", target.text());
  }
  return {};
}

Task<int> add_all(app::App* app, Context context, std::vector<Domain> domains) {
  Error faults;
  faults.kind = Error::Kind::misconfigured;
  faults.op = "add domains";
  faults.detail = "nothing was changed";
  for (const auto& domain : domains) {
    if (auto known = check_sections(app->config(), domain); !known) {
      faults.causes.push_back(std::move(known.error()));
    }
  }
  if (!faults.causes.empty()) co_return report(context, faults);

  const Time now = app->loop().clock().now();
  std::vector<Event> events;
  json::array added;
  for (const auto& domain : domains) {
    events.push_back({.at = now, .domain = domain.name, .event = "domain.added", .detail = {}});
    added.push_back(json::string(domain.name.text()));
  }
  auto status = co_await app->store().add_domains(std::move(domains), std::move(events));
  if (!status) co_return report(context, status.error());
  if (context.json) {
    print_json(json::object{{"added", std::move(added)}});
  } else {
    fmt::print("{} domain{} added\n", added.size(), added.size() == 1 ? "" : "s");
  }
  co_return all_done;
}

struct AddOptions {
  std::string name;
  std::string zone_id;
  std::vector<std::string> names;
  std::vector<std::string> settings;
};

Result<Domain> domain_from(const AddOptions& options) {
  app::InventoryRow row;
  for (const auto& setting : options.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Error::Kind::misconfigured, "--set",
                  fmt::format("\"{}\" is not of the form KEY=VALUE", setting));
    }
    row[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  row["domain"] = options.name;
  if (!options.zone_id.empty()) row["zone_id"] = options.zone_id;
  for (const auto& name : options.names) row["names"] += " " + name;
  return app::domain_of(row);
}

Task<int> add(app::App* app, Context context, AddOptions options) {
  auto domain = domain_from(options);
  if (!domain) co_return report(context, domain.error());
  co_return co_await add_all(app, context, {std::move(*domain)});
}

Task<int> import(app::App* app, Context context, std::string path) {
  auto text = read_input(path, app::inventory_limit, "read the inventory");
  if (!text) co_return report(context, text.error());
  auto domains = app::read_inventory(*text);
  if (!domains) co_return report(context, domains.error());
  co_return co_await add_all(app, context, std::move(*domains));
}

}  // namespace

void add_domain_add(CLI::App& domain, Context& context) {
  auto* adding = domain.add_subcommand("add", "Add a domain to the inventory");
  adding->footer(
      "KEY of --set is a column of the inventory file (ca, dns, vault, targets, key, endpoints,\n"
      "owner, enabled) or metadata of your own.\n\n"
      "Examples:\n"
      "  certherd domain add www.example.com\n"
      "  certherd domain add example.com --name '*.example.com' --set owner=web --set team=7");
  auto options = std::make_shared<AddOptions>();
  adding->add_option("NAME", options->name, "The primary name")->type_name("NAME")->required();
  adding->add_option("--zone-id", options->zone_id, "The DNS host's id of its zone")
      ->type_name("Z");
  adding->add_option("--name", options->names, "A further name on the same certificate")
      ->type_name("N")
      ->expected(1)
      ->take_all();
  adding->add_option("--set", options->settings, "A column or metadata")
      ->type_name("K=V")
      ->expected(1)
      ->take_all();
  adding->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return add(app, context, *options); });
    };
  });
}

void add_domain_import(CLI::App& domain, Context& context) {
  auto* importing = domain.add_subcommand(
      "import", "Add the domains of a file: CSV with a header, or JSON lines; all or nothing");
  importing->footer(
      "Columns: domain (required), zone_id, names, ca, dns, vault, targets, key, endpoints, "
      "owner,\n"
      "enabled; every other column is kept as metadata.\n\n"
      "Example:\n"
      "  printf 'domain,owner\\nwww.example.com,web\\n' | certherd domain import -");
  auto path = std::make_shared<std::string>();
  importing->add_option("FILE", *path, "The file; - is standard input")
      ->type_name("FILE")
      ->required();
  importing->callback([&context, path] {
    context.action = [&context, path] {
      return with_app(context, [&](app::App* app) { return import(app, context, *path); });
    };
  });
}

}  // namespace certherd::cli

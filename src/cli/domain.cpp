#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/inventory_file.hpp"
#include "cli/context.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "fleet/report.hpp"
#include "policy/domain_state.hpp"
#include "policy/due.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

/// What happens next to a domain, and when.
struct NextAction {
  std::string action;
  std::optional<Time> at;
};

NextAction next_action(const store::DomainRow& row, double renew_at, Time now) {
  if (!row.domain.enabled) return {.action = "none", .at = {}};
  if (row.working) {
    return {.action = std::string(to_string(*row.working)), .at = row.working_next_at};
  }
  const auto due = policy::when_due(row.domain, row.certificate, renew_at, now);
  return {.action = row.certificate ? "renew" : "issue",
          .at = std::max(due.at, row.domain.next_at.value_or(due.at))};
}

std::string_view state_text(const store::DomainRow& row, double renew_at, Time now) {
  return to_string(policy::state_of(row.domain, row.certificate, row.working, renew_at, now));
}

json::value time_or_null(std::optional<Time> time) {
  if (!time) return nullptr;
  return json::string(format_time(*time));
}

json::object domain_json(const store::DomainRow& row, double renew_at, Time now) {
  const auto& domain = row.domain;
  json::array names;
  for (const auto& name : domain.all_names()) names.push_back(json::string(name.text()));
  json::object metadata;
  for (const auto& [key, value] : domain.metadata) metadata[key] = value;
  const auto next = next_action(row, renew_at, now);
  json::object object{
      {"domain", domain.name.text()},
      {"zone_id", domain.zone_id.text()},
      {"names", std::move(names)},
      {"state", state_text(row, renew_at, now)},
      {"not_after", row.certificate ? time_or_null(row.certificate->not_after) : nullptr},
      {"next_action", next.action},
      {"next_at", time_or_null(next.at)},
      {"last_error", domain.last_error ? json::value(fleet::to_json(*domain.last_error)) : nullptr},
      {"metadata", std::move(metadata)}};
  if (!domain.owner.empty()) object["owner"] = domain.owner;
  return object;
}

Task<int> list(app::App* app, Context context) {
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  const double renew_at = app->config().defaults.renew_at;
  const Time now = app->loop().clock().now();
  if (context.json) {
    json::array documents;
    for (const auto& row : *rows) documents.push_back(domain_json(row, renew_at, now));
    print_json(json::object{{"domains", std::move(documents)}});
    co_return all_done;
  }
  Table table({"DOMAIN", "STATE", "NOT AFTER", "NEXT", "AT", "OWNER", "LAST ERROR"});
  for (const auto& row : *rows) {
    const auto next = next_action(row, renew_at, now);
    table.add({row.domain.name.text(), std::string(state_text(row, renew_at, now)),
               row.certificate ? format_time(row.certificate->not_after) : "-", next.action,
               next.at ? format_time(*next.at) : "-", row.domain.owner,
               row.domain.last_error ? row.domain.last_error->message() : ""});
  }
  table.print();
  co_return all_done;
}

Task<int> show(app::App* app, Context context, std::string text) {
  auto name = Fqdn::parse(text);
  if (!name) co_return report(context, name.error());
  auto row = co_await app->store().domain(*name);
  if (!row) co_return report(context, row.error());
  const double renew_at = app->config().defaults.renew_at;
  const Time now = app->loop().clock().now();
  if (context.json) {
    print_json(domain_json(*row, renew_at, now));
    co_return all_done;
  }
  const auto line = [](std::string_view label, std::string_view value) {
    if (!value.empty()) fmt::print("{:<12} {}\n", label, value);
  };
  const auto next = next_action(*row, renew_at, now);
  const auto& domain = row->domain;
  line("domain", domain.name.text());
  for (const auto& further : domain.names) line("name", further.text());
  line("state", state_text(*row, renew_at, now));
  line("zone id", domain.zone_id.text());
  line("ca", domain.ca.text());
  line("dns", domain.dns.text());
  line("vault", domain.vault.text());
  for (const auto& target : domain.targets) line("target", target.text());
  for (const auto& endpoint : domain.endpoints) line("endpoint", endpoint.text());
  line("key", domain.key);
  line("owner", domain.owner);
  if (row->certificate) {
    line("serial", row->certificate->serial.text());
    line("not after", format_time(row->certificate->not_after));
  }
  line("next", next.action + (next.at ? " at " + format_time(*next.at) : ""));
  if (domain.last_error) line("last error", domain.last_error->message());
  for (const auto& [key, value] : domain.metadata) line(key, value);
  co_return all_done;
}

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

void add_adding(CLI::App& command, Context& context) {
  auto* adding = command.add_subcommand("add", "Add a domain to the inventory");
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

}  // namespace

void add_domain(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("domain", "The inventory");
  command->footer(
      "Examples:\n"
      "  certherd domain add www.example.com\n"
      "  certherd domain list");
  require_command(*command);
  add_adding(*command, context);

  auto* importing = command->add_subcommand(
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

  auto* listing = command->add_subcommand("list", "All domains and how they fare");
  listing->footer(
      "Examples:\n"
      "  certherd domain list\n"
      "  certherd domain list --json | jq -r '.domains[] | select(.state==\"failing\").domain'");
  listing->callback([&context] {
    context.action = [&context] {
      return with_app(context, [&](app::App* app) { return list(app, context); });
    };
  });

  auto* showing = command->add_subcommand("show", "Everything about one domain");
  showing->footer("Example:\n  certherd domain show www.example.com");
  auto name = std::make_shared<std::string>();
  showing->add_option("NAME", *name, "The primary name")->type_name("DOMAIN")->required();
  showing->callback([&context, name] {
    context.action = [&context, name] {
      return with_app(context, [&](app::App* app) { return show(app, context, *name); });
    };
  });
}

}  // namespace certherd::cli

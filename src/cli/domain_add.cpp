#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>
#include <set>

#include "app/inventory_check.hpp"
#include "cli/domain.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

constexpr auto already_there =
    "is in the inventory already: change it with certherd domain set, or make the whole inventory "
    "equal to a file with certherd domain sync";

// `inventory` was read before: a domain that was added since makes the store refuse all of it.
Task<int> add_all(app::App* app, Context context, std::vector<store::DomainRow> inventory,
                  std::vector<Domain> domains) {
  auto warnings = warn_about(*app, inventory, domains);
  store::InventoryChange change;
  json::array added;
  const Time now = app->loop().clock().now();
  change.events.reserve(domains.size());
  for (const auto& domain : domains) {
    change.events.push_back(
        {.at = now, .domain = domain.name, .event = "domain.added", .detail = {}});
    added.push_back(json::string(domain.name.text()));
  }
  change.added = std::move(domains);
  auto status = co_await write_inventory(app, context, std::move(change));
  if (!status) co_return report(context, status.error());
  if (context.json) {
    print_json(json::object{{"added", std::move(added)}, {"warnings", std::move(warnings)}});
  } else {
    fmt::print("{} added\n", domains_text(added.size()));
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
  auto columns = settings_from(options.settings);
  if (!columns) return fail(std::move(columns.error()));
  (*columns)["domain"] = options.name;
  if (!options.zone_id.empty()) (*columns)["zone_id"] = options.zone_id;
  for (const auto& name : options.names) ((*columns)["names"] += " ") += name;
  return app::domain_of(*columns);
}

Task<int> add(app::App* app, Context context, AddOptions options) {
  auto domain = domain_from(options);
  if (!domain) co_return report(context, domain.error());
  if (auto missing = app::misfits(app->config(), *domain); !missing.empty()) {
    co_return report(context, missing.front());
  }
  auto inventory = co_await app->store().domains();
  if (!inventory) co_return report(context, inventory.error());
  for (const auto& row : *inventory) {
    if (row.domain.name != domain->name) continue;
    const auto conflict = fail(Error::Kind::conflict, domain->name.text(), already_there);
    co_return report(context, conflict.value());
  }
  co_return co_await add_all(app, context, std::move(*inventory), {std::move(*domain)});
}

Task<int> import(app::App* app, Context context, std::string path) {
  auto file = co_await read_inventory(app, context, std::move(path));
  if (!file) co_return report(context, file.error());
  auto inventory = co_await app->store().domains();
  if (!inventory) co_return report(context, inventory.error());
  std::set<std::string_view> present;
  for (const auto& row : *inventory) present.insert(row.domain.name.text());
  for (const auto& row : file->rows) {
    if (present.contains(row.domain.name.text())) {
      file->faults.add(row.number,
                       fail(Error::Kind::conflict, row.domain.name.text(), already_there).value());
    }
  }
  if (!file->faults.empty()) co_return report(context, file->faults.error());
  co_return co_await add_all(app, context, std::move(*inventory), std::move(*file).domains());
}

}  // namespace

void add_domain_add(CLI::App& domain, Context& context) {
  auto* adding = domain.add_subcommand("add", "Add a domain to the inventory");
  adding->footer(
      "KEY of --set is a column of the inventory file (ca, dns, vault, targets, key, profile,\n"
      "endpoints, owner, enabled, hold, window) or metadata of your own.\n\n"
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
      "Columns: domain (required), zone_id, names, ca, dns, vault, targets, key, profile,\n"
      "endpoints, owner, enabled, hold, window; every other column is kept as metadata. Each bad\n"
      "row is named by its line, and a single one keeps all others from being added.\n\n"
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

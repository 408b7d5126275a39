#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/inventory_check.hpp"
#include "cli/domain.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string name;
  std::vector<std::string> settings;
};

Task<int> set(app::App* app, Context context, Options options) {
  auto name = Fqdn::parse(options.name);
  if (!name) co_return report(context, name.error());
  auto columns = settings_from(options.settings);
  if (!columns) co_return report(context, columns.error());
  auto row = co_await app->store().domain(*name);
  if (!row) co_return report(context, row.error());
  auto after = app::with_columns(row->domain, *columns);
  if (!after) co_return report(context, after.error());
  if (auto missing = app::misfits(app->config(), *after); !missing.empty()) {
    co_return report(context, missing.front());
  }
  auto columns_changed = app::difference(row->domain, *after);
  const app::DomainChange change{.after = std::move(*after), .columns = std::move(columns_changed)};
  json::array warnings;
  if (!change.columns.empty()) {
    if (app::concerns_names(change)) {
      auto inventory = co_await app->store().domains();
      if (!inventory) co_return report(context, inventory.error());
      warnings = warn_about(*app, *inventory, {change.after});
    }
    store::InventoryChange written;
    written.events = {app::change_event(change, app->loop().clock().now())};
    written.changed = {change.after};
    auto status = co_await write_inventory(app, context, std::move(written));
    if (!status) co_return report(context, status.error());
  }
  if (context.json) {
    print_json(json::object{{"domain", name->text()},
                            {"columns", columns_json(change.columns)},
                            {"warnings", std::move(warnings)}});
  } else if (change.columns.empty()) {
    fmt::print("{}: nothing to change\n", *name);
  } else {
    fmt::print("{}: {}\n", *name, columns_text(change.columns));
  }
  co_return all_done;
}

}  // namespace

void add_domain_set(CLI::App& domain, Context& context) {
  auto* command = domain.add_subcommand("set", "Change columns and metadata of a domain");
  command->footer(
      "K is a column of the inventory file (zone_id, names, ca, dns, vault, targets, key, "
      "profile,\n"
      "endpoints, owner, enabled, hold, window) or metadata of your own; K= clears it. Other "
      "names\n"
      "make a new certificate due. An order that is under way for former names, another CA, key "
      "or\n"
      "profile ends and is begun anew.\n\n"
      "With hold, yes or the moment at which it ends, nothing is begun for the domain by itself.\n"
      "With window, times in UTC, work on it is begun within these times, unless its certificate\n"
      "would end before.\n\n"
      "Examples:\n"
      "  certherd domain set www.example.com owner=web team=7\n"
      "  certherd domain set www.example.com names='example.com api.example.com' team=\n"
      "  certherd domain set www.example.com enabled=no\n"
      "  certherd domain set www.example.com hold=2026-12-27 window='sat,sun 02:00-05:00'");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "A domain of the inventory")
      ->type_name("DOMAIN")
      ->required();
  command->add_option("SETTING", options->settings, "A column or metadata and its new text")
      ->type_name("K=V")
      ->required();
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return set(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/inventory_feed.hpp"
#include "base/log.hpp"
#include "cli/domain.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string path;
  std::string feed;
  bool prune = false;
  bool dry_run = false;
  bool yes = false;
};

json::object plan_json(const app::SyncPlan& plan, json::array warnings, bool written) {
  json::array added;
  for (const auto& domain : plan.added) added.push_back(json::string(domain.name.text()));
  json::array changed;
  for (const auto& change : plan.changed) {
    changed.push_back(json::object{{"domain", change.after.name.text()},
                                   {"columns", columns_json(change.columns)}});
  }
  json::array disabled;
  for (const auto& change : plan.disabled) {
    disabled.push_back(json::string(change.after.name.text()));
  }
  return {{"added", std::move(added)},
          {"changed", std::move(changed)},
          {"disabled", std::move(disabled)},
          {"unchanged", plan.unchanged},
          {"written", written},
          {"warnings", std::move(warnings)}};
}

void print_plan(const app::SyncPlan& plan) {
  for (const auto& domain : plan.added) fmt::print("+ {}\n", domain.name);
  for (const auto& change : plan.changed) {
    fmt::print("~ {}  {}\n", change.after.name, columns_text(change.columns));
  }
  for (const auto& change : plan.disabled) fmt::print("- {}  disabled\n", change.after.name);
  fmt::print("{} added · {} changed · {} disabled · {} unchanged\n", plan.added.size(),
             plan.changed.size(), plan.disabled.size(), plan.unchanged);
}

Error too_many(const app::SyncPlan& plan) {
  return fail(Error::Kind::misconfigured, "domain sync",
              fmt::format("would change {} and disable {} of {} in the inventory, more than a "
                          "tenth of it; nothing was changed: look at the difference with "
                          "--dry-run, and say --yes if it is meant",
                          plan.changed.size(), plan.disabled.size(), domains_text(plan.before)))
      .value();
}

std::vector<Domain> with_new_names(const app::SyncPlan& plan) {
  auto domains = plan.added;
  domains.reserve(plan.added.size() + plan.changed.size());
  for (const auto& change : plan.changed) {
    if (app::concerns_names(change)) domains.push_back(change.after);
  }
  return domains;
}

Task<Result<app::InventoryFile>> read_named_feed(app::App* app, std::string name) {
  if (app->config().inventories.contains(name)) co_return co_await app::read_feed(app, name);
  co_return fail(Error::Kind::misconfigured, "--feed",
                 fmt::format("there is no [inventory.{}] in the config", name));
}

Task<int> sync(app::App* app, Context context, Options options) {
  auto file = options.feed.empty() ? co_await read_inventory(app, context, options.path)
                                   : co_await read_named_feed(app, options.feed);
  if (!file) co_return report(context, file.error());
  if (!file->faults.empty()) co_return report(context, file->faults.error());
  auto inventory = co_await app->store().domains();
  if (!inventory) co_return report(context, inventory.error());
  const bool prune =
      options.prune || (!options.feed.empty() && app->config().inventories.at(options.feed).prune);
  const auto plan = app::plan_sync(*inventory, file->rows, prune);

  const bool many = plan.touched() > plan.allowance();
  const bool write = !options.dry_run && !plan.empty();
  if (write && many && !options.yes) co_return report(context, too_many(plan));
  auto warnings = warn_about(*app, *inventory, with_new_names(plan));
  if (!plan.stay_disabled.empty()) {
    auto warning = fmt::format(
        "{} of the file, such as {}, stay disabled: it has no column \"enabled\" for them",
        domains_text(plan.stay_disabled.size()), plan.stay_disabled.front());
    log::warning("{}", warning);
    warnings.push_back(json::string(warning));
  }
  if (write) {
    auto change = app::to_change(plan, app->loop().clock().now());
    auto status = co_await write_inventory(app, context, std::move(change));
    if (!status) co_return report(context, status.error());
  }
  if (context.json) {
    print_json(plan_json(plan, std::move(warnings), write));
    co_return all_done;
  }
  print_plan(plan);
  if (options.dry_run) {
    fmt::print("nothing was changed: --dry-run{}\n",
               many ? "; without it, --yes will be needed" : "");
  }
  co_return all_done;
}

}  // namespace

void add_domain_sync(CLI::App& domain, Context& context) {
  auto* command = domain.add_subcommand("sync", "Make the inventory equal to a file");
  command->footer(
      "Adds what is missing, changes what differs, and shows both. Columns that the file does not\n"
      "have stay as they are. What is not in the file stays too, unless --prune disables it. All\n"
      "or nothing. When more than a tenth of the inventory (one domain in any case) is to be\n"
      "changed or disabled, it wants --yes; additions do not count.\n\n"
      "Examples:\n"
      "  certherd domain sync fleet.csv --dry-run\n"
      "  certherd domain sync fleet.csv --prune\n"
      "  certherd domain sync --feed company --dry-run\n"
      "  certherd domain export | sed s/,web,/,ops,/ | certherd domain sync - --yes");
  auto options = std::make_shared<Options>();
  auto* file = command->add_option("FILE", options->path,
                                   "CSV or JSON lines, as for import; - is standard input");
  file->type_name("FILE");
  command
      ->add_option("--feed", options->feed, "What the program of [inventory.NAME] prints instead")
      ->type_name("NAME")
      ->excludes(file);
  command->add_flag("--prune", options->prune, "Disable the domains that are not in the file");
  command->add_flag("--dry-run", options->dry_run, "Only show what would change");
  command->add_flag("--yes", options->yes,
                    "Also when it changes more than a tenth of the inventory");
  command->callback([&context, options, command] {
    if (options->path.empty() && options->feed.empty()) {
      throw CLI::RequiredError(command->get_name() + ": FILE or --feed");
    }
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return sync(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

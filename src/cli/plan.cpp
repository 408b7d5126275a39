#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <set>

#include "app/fleet_plan.hpp"
#include "cli/context.hpp"
#include "cli/table.hpp"
#include "cli/where.hpp"
#include "fleet/report.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::vector<std::string> names;
  bool all = false;
  std::string where;
};

using Item = app::FleetPlan::Item;

json::object item_json(const Item& item) {
  const auto& domain = item.row->domain;
  json::value at = nullptr;
  if (const auto moment = item.plan.moment()) at = format_time(*moment);
  json::value limited_by = nullptr;
  if (!item.plan.limited_by.empty()) limited_by = item.plan.limited_by;
  json::value not_after = nullptr;
  if (item.row->certificate) not_after = format_time(item.row->certificate->not_after);
  json::value error = nullptr;
  if (domain.last_error) error = fleet::to_json(*domain.last_error);
  return {{"domain", domain.name.text()},
          {"action", to_string(item.plan.action)},
          {"reason", item.plan.reason},
          {"at", std::move(at)},
          {"limited_by", std::move(limited_by)},
          {"not_after", std::move(not_after)},
          {"error", std::move(error)}};
}

void print_document(const app::FleetPlan& plans, bool all, Time now) {
  json::array items;
  items.reserve(plans.due().size() + plans.later().size());
  for (const auto& item : plans.due()) items.push_back(item_json(item));
  if (all) {
    for (const auto& item : plans.later()) items.push_back(item_json(item));
  }
  json::value finish_at = nullptr;
  if (const auto finish = plans.finish_at()) finish_at = format_time(*finish);
  print_json(json::object{{"now", format_time(now)},
                          {"due", plans.due().size()},
                          {"finish_at", std::move(finish_at)},
                          {"items", std::move(items)}});
}

void add_row(Table& table, const Item& item, Time now) {
  const auto& domain = item.row->domain;
  const auto moment = item.plan.moment();
  const auto at = !moment ? "-" : *moment <= now ? "now" : format_time(*moment);
  table.add({domain.name.text(), std::string(to_string(item.plan.action)), at, item.plan.reason,
             item.plan.limited_by, domain.last_error ? domain.last_error->message() : ""});
}

void print_table(const app::FleetPlan& plans, bool all, Time now) {
  Table table({"DOMAIN", "ACTION", "AT", "REASON", "LIMITED BY", "LAST ERROR"});
  for (const auto& item : plans.due()) add_row(table, item, now);
  if (all) {
    for (const auto& item : plans.later()) add_row(table, item, now);
  }
  if (!plans.due().empty() || all) table.print();

  const auto without_end =
      std::ranges::count_if(plans.due(), [](const Item& item) { return !item.plan.moment(); });
  const auto held_back =
      std::ranges::count_if(plans.due(), [now](const Item& item) { return item.plan.at > now; }) -
      without_end;
  fmt::print("{} of {} due", plans.due().size(), plans.due().size() + plans.later().size());
  if (held_back > 0) {
    fmt::print(" · {} held back, the last until {}", held_back, format_time(*plans.finish_at()));
  }
  if (without_end > 0) fmt::print(" · {} held without an end", without_end);
  if (!plans.later().empty() && plans.later().front().plan.moment()) {
    const auto& next = plans.later().front();
    fmt::print(" · next {} at {}", next.row->domain.name, format_time(next.plan.at));
  }
  fmt::print("\n");
}

Task<Result<std::vector<store::DomainRow>>> rows_of(app::App* app, std::vector<std::string> names,
                                                    std::string where) {
  if (names.empty()) co_return co_await domains_where(app, std::move(where));
  std::vector<store::DomainRow> rows;
  rows.reserve(names.size());
  for (const auto& text : names) {
    auto name = Fqdn::parse(text);
    if (!name) co_return fail(std::move(name.error()));
    auto row = co_await app->store().domain(*name);
    if (!row) co_return fail(std::move(row.error()));
    if (!row->domain.enabled) {
      co_return fail(Error::Kind::misconfigured, "plan",
                     fmt::format("{} is disabled in the inventory: nothing is done for it", *name));
    }
    rows.push_back(std::move(*row));
  }
  co_return rows;
}

Task<int> plan(app::App* app, Context context, Options options) {
  // Who asks for a domain by its name wants to see it, due or not.
  const bool all = options.all || !options.names.empty();
  auto shown = co_await rows_of(app, std::move(options.names), std::move(options.where));
  if (!shown) co_return report(context, shown.error());
  // What the others need holds back these, too.
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  const Time now = app->loop().clock().now();
  auto limits = co_await app::OutsideLimits::read(app);
  if (!limits) co_return report(context, limits.error());
  app::FleetPlan plans(std::move(*rows), app->config().defaults, std::move(*limits), now);
  std::set<DomainId> ids;
  for (const auto& row : *shown) ids.insert(row.domain.id);
  plans.keep(ids);
  if (context.json) {
    print_document(plans, all, now);
  } else {
    print_table(plans, all, now);
  }
  co_return all_done;
}

}  // namespace

void add_plan(CLI::App& parent, Context& context) {
  auto* command =
      parent.add_subcommand("plan", "What is due, why, when it is done, and what holds it back");
  command->footer(
      "Shows what `run --once` would do now, and changes nothing. What failed before is held back\n"
      "until its pause is over, a new certificate until the limits of its CA have room for it,\n"
      "what a target takes only so much of in an hour until that hour has come, and a domain with\n"
      "a hold or a maintenance window until these let it begin. Disabled domains are left out.\n\n"
      "Examples:\n"
      "  certherd plan\n"
      "  certherd plan www.example.com\n"
      "  certherd plan --where owner=web\n"
      "  certherd plan --all --json | jq -r '.items[] | [.at, .action, .domain] | @tsv'");
  auto options = std::make_shared<Options>();
  auto* names = command->add_option("NAME", options->names, "Only these domains, due or not")
                    ->type_name("DOMAIN");
  names->excludes(
      add_where(*command, options->where, "Only domains like that: see certherd domain list"));
  command->add_flag("--all", options->all, "What is not due yet, too");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return plan(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/domain.hpp"
#include "cli/table.hpp"
#include "cli/where.hpp"
#include "fleet/report.hpp"
#include "policy/domain_state.hpp"
#include "policy/plan.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

/// What happens next to a domain, and when.
struct NextAction {
  std::string action;
  std::optional<Time> at;
};

NextAction next_action(const store::DomainRow& row, const fleet::Defaults& defaults, Time now) {
  if (!row.domain.enabled) return {.action = "none", .at = {}};
  if (row.working) {
    return {.action = std::string(to_string(*row.working)), .at = row.working_next_at};
  }
  const auto plan =
      policy::plan_for(row.domain, row.certificate, row.working,
                       fleet::targets_of(row.domain, defaults), defaults.renew_at, now);
  const bool due = plan.action != policy::Action::none;
  return {.action = due ? std::string(to_string(plan.action)) : "renew", .at = plan.moment()};
}

std::string_view state_text(const store::DomainRow& row, const fleet::Defaults& defaults,
                            Time now) {
  return to_string(
      policy::state_of(row.domain, row.certificate, row.working, defaults.renew_at, now));
}

json::value time_or_null(std::optional<Time> time) {
  if (!time) return nullptr;
  return json::string(format_time(*time));
}

json::object domain_json(const store::DomainRow& row, const fleet::Defaults& defaults, Time now) {
  const auto& domain = row.domain;
  json::array names;
  for (const auto& name : domain.all_names()) names.push_back(json::string(name.text()));
  json::object metadata;
  for (const auto& [key, value] : domain.metadata) metadata[key] = value;
  const auto next = next_action(row, defaults, now);
  json::object object{
      {"domain", domain.name.text()},
      {"zone_id", domain.zone_id.text()},
      {"names", std::move(names)},
      {"state", state_text(row, defaults, now)},
      {"not_after", row.certificate ? time_or_null(row.certificate->not_after) : nullptr},
      {"next_action", next.action},
      {"next_at", time_or_null(next.at)},
      {"last_error", domain.last_error ? json::value(fleet::to_json(*domain.last_error)) : nullptr},
      {"metadata", std::move(metadata)}};
  if (!domain.owner.empty()) object["owner"] = domain.owner;
  if (!domain.hold.empty()) object["hold"] = domain.hold;
  if (!domain.window.empty()) object["window"] = domain.window;
  return object;
}

Task<int> list(app::App* app, Context context, std::string where) {
  const bool all = where.empty();
  auto rows = co_await domains_where(app, std::move(where));
  if (!rows) co_return report(context, rows.error());
  const auto& defaults = app->config().defaults;
  const Time now = app->loop().clock().now();
  if (context.json) {
    json::array documents;
    documents.reserve(rows->size());
    for (const auto& row : *rows) documents.push_back(domain_json(row, defaults, now));
    print_json(json::object{{"domains", std::move(documents)}});
    co_return all_done;
  }
  Table table({"DOMAIN", "STATE", "NOT AFTER", "NEXT", "AT", "OWNER", "LAST ERROR"});
  for (const auto& row : *rows) {
    const auto next = next_action(row, defaults, now);
    table.add({row.domain.name.text(), std::string(state_text(row, defaults, now)),
               row.certificate ? format_time(row.certificate->not_after) : "-", next.action,
               next.at ? format_time(*next.at) : "-", row.domain.owner,
               row.domain.last_error ? row.domain.last_error->message() : ""});
  }
  table.print(all ? "the inventory is empty: certherd domain add www.example.com adds a domain, "
                    "certherd domain import FILE many"
                  : "no domain is like that");
  co_return all_done;
}

Task<int> show(app::App* app, Context context, std::string text) {
  auto name = Fqdn::parse(text);
  if (!name) co_return report(context, name.error());
  auto row = co_await app->store().domain(*name);
  if (!row) co_return report(context, row.error());
  const auto& defaults = app->config().defaults;
  const Time now = app->loop().clock().now();
  if (context.json) {
    print_json(domain_json(*row, defaults, now));
    co_return all_done;
  }
  const auto line = [](std::string_view label, std::string_view value) {
    if (!value.empty()) fmt::print("{:<12} {}\n", label, value);
  };
  const auto next = next_action(*row, defaults, now);
  const auto& domain = row->domain;
  line("domain", domain.name.text());
  for (const auto& further : domain.names) line("name", further.text());
  line("state", state_text(*row, defaults, now));
  line("zone id", domain.zone_id.text());
  for (const auto& ca : domain.cas) line("ca", ca.text());
  line("dns", domain.dns.text());
  line("vault", domain.vault.text());
  for (const auto& target : domain.targets) line("target", target.text());
  for (const auto& endpoint : domain.endpoints) line("endpoint", endpoint.text());
  line("key", domain.key);
  line("profile", domain.profile);
  line("owner", domain.owner);
  line("hold", domain.hold);
  line("window", domain.window);
  if (row->certificate) {
    line("serial", row->certificate->serial.text());
    line("not after", format_time(row->certificate->not_after));
  }
  line("next", next.action + (next.at ? " at " + format_time(*next.at) : ""));
  if (domain.last_error) line("last error", domain.last_error->message());
  for (const auto& [key, value] : domain.metadata) line(key, value);
  co_return all_done;
}

}  // namespace

void add_domain_list(CLI::App& domain, Context& context) {
  auto* listing = domain.add_subcommand("list", "All domains and how they fare");
  listing->footer(
      "TERMS of --where stand between spaces and must all hold: KEY=VALUE or KEY!=VALUE, where *\n"
      "in VALUE stands for anything. KEY is a column of the inventory file, metadata of your own,\n"
      "or state: new, ok, due, working, failing, expired, disabled. The present certificate has\n"
      "certificate.ca, certificate.issuer, certificate.key, certificate.not_after and\n"
      "certificate.serial. A VALUE with spaces stands between quotation marks.\n\n"
      "Examples:\n"
      "  certherd domain list\n"
      "  certherd domain list --where 'owner=web state=failing'\n"
      "  certherd domain list --where 'names=*.example.com team!=\"web shop\"'\n"
      "  certherd domain list --json | jq -r '.domains[] | select(.state==\"failing\").domain'");
  auto where = std::make_shared<std::string>();
  add_where(*listing, *where, "Only those for which all of it holds");
  listing->callback([&context, where] {
    context.action = [&context, where] {
      return with_app(context, [&](app::App* app) { return list(app, context, *where); });
    };
  });
}

void add_domain_show(CLI::App& domain, Context& context) {
  auto* showing = domain.add_subcommand("show", "Everything about one domain");
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

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/domain.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

// What else is to be done for a domain that goes, such as taking its certificate off its targets,
// comes before its row goes: a request needs the domain in the inventory.
Task<int> remove(app::App* app, Context context, std::vector<std::string> texts) {
  store::InventoryChange change;
  json::array removed;
  const Time now = app->loop().clock().now();
  for (const auto& text : texts) {
    auto name = Fqdn::parse(text);
    if (!name) co_return report(context, name.error());
    auto row = co_await app->store().domain(*name);
    if (!row) co_return report(context, row.error());
    removed.push_back(json::string(name->text()));
    change.events.push_back({.at = now, .domain = *name, .event = "domain.removed", .detail = {}});
    change.removed.push_back(std::move(row->domain));
  }
  auto status = co_await app->store().change_inventory(std::move(change));
  if (!status) co_return report(context, status.error());
  if (context.json) {
    print_json(json::object{{"removed", std::move(removed)}});
  } else {
    fmt::print("{} domain{} removed; certificates and secrets are kept\n", removed.size(),
               removed.size() == 1 ? "" : "s");
  }
  co_return all_done;
}

}  // namespace

void add_domain_remove(CLI::App& domain, Context& context) {
  auto* command = domain.add_subcommand("remove", "Take domains out of the inventory");
  command->footer(
      "Nothing is renewed for them any more, and an issuance that is under way ends. What was\n"
      "issued stays where it is: certificates, secrets, what targets serve, and the audit trail.\n"
      "A domain that is added again has its certificate again.\n\n"
      "Example:\n"
      "  certherd domain remove www.example.com");
  auto names = std::make_shared<std::vector<std::string>>();
  command->add_option("NAME", *names, "Domains of the inventory")->type_name("DOMAIN")->required();
  command->callback([&context, names] {
    context.action = [&context, names] {
      return with_app(context, [&](app::App* app) { return remove(app, context, *names); });
    };
  });
}

}  // namespace certherd::cli

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/domain.hpp"
#include "cli/where.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string format = "csv";
  std::string where;
};

}  // namespace

json::object row_json(const Domain& domain) {
  const auto texts = [](const auto& list) {
    json::array array;
    for (const auto& each : list) array.push_back(json::string(each.text()));
    return array;
  };
  std::string cas;
  for (const auto& ca : domain.cas) cas += (cas.empty() ? "" : " ") + ca.text();
  json::object row{{"domain", domain.name.text()},
                   {"zone_id", domain.zone_id.text()},
                   {"names", texts(domain.names)},
                   {"ca", cas},
                   {"dns", domain.dns.text()},
                   {"vault", domain.vault.text()},
                   {"targets", texts(domain.targets)},
                   {"key", domain.key},
                   {"profile", domain.profile},
                   {"endpoints", texts(domain.endpoints)},
                   {"owner", domain.owner},
                   {"enabled", domain.enabled},
                   {"hold", domain.hold},
                   {"window", domain.window}};
  for (const auto& [key, value] : domain.metadata) row[key] = value;
  return row;
}

namespace {

Task<int> print_inventory(app::App* app, Context context, Options options) {
  auto rows = co_await domains_where(app, std::move(options.where));
  if (!rows) co_return report(context, rows.error());
  std::vector<Domain> domains;
  domains.reserve(rows->size());
  for (auto& row : *rows) domains.push_back(std::move(row.domain));

  if (context.json) {
    json::array documents;
    documents.reserve(domains.size());
    for (const auto& domain : domains) documents.push_back(row_json(domain));
    print_json(json::object{{"domains", std::move(documents)}});
  } else if (options.format == "jsonl") {
    for (const auto& domain : domains) print_json(row_json(domain));
  } else {
    fmt::print("{}", app::write_csv(domains));
  }
  co_return all_done;
}

}  // namespace

void add_domain_export(CLI::App& domain, Context& context) {
  auto* command = domain.add_subcommand("export", "The inventory as a file");
  command->footer(
      "What it prints can be given to domain import and domain sync again, without loss. With\n"
      "--json it is one document instead, {\"domains\": [...]}, which they read too.\n\n"
      "Examples:\n"
      "  certherd domain export > fleet.csv\n"
      "  certherd domain export --format jsonl | jq -r .domain\n"
      "  certherd domain export --where owner=web > web.csv");
  auto options = std::make_shared<Options>();
  command->add_option("--format", options->format, "CSV, or JSON lines")
      ->check(CLI::IsMember({"csv", "jsonl"}))
      ->type_name("FORMAT");
  add_where(*command, options->where, "Only these: see certherd domain list");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context,
                      [&](app::App* app) { return print_inventory(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

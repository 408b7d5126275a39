#include <CLI/CLI.hpp>
#include <memory>

#include "cli/context.hpp"
#include "cli/where.hpp"
#include "cli/work_command.hpp"

namespace certherd::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  bool all = false;
  std::string where;
};

Task<int> issue(app::App* app, Context context, Options options) {
  std::vector<WorkRequest> requests;
  if (options.names.empty()) {
    auto rows = co_await domains_where(app, options.where);
    if (!rows) co_return report(context, rows.error());
    leave_out_held(*rows, app->loop().clock().now());
    for (const auto& row : *rows) {
      if (!row.domain.enabled) continue;
      requests.push_back(request_for(row.domain, WorkRequest::Kind::issue));
    }
    if (requests.empty() && !options.where.empty()) {
      Error error;
      error.kind = Error::Kind::not_found;
      error.op = "issue --where";
      error.detail =
          fmt::format("no enabled domain that is not held is like \"{}\"", options.where);
      co_return report(context, error);
    }
  }
  for (const auto& text : options.names) {
    auto name = Fqdn::parse(text);
    if (!name) co_return report(context, name.error());
    auto row = co_await app->store().domain(*name);
    if (!row) co_return report(context, row.error());
    if (!row->domain.enabled) {
      Error error;
      error.kind = Error::Kind::misconfigured;
      error.op = "issue";
      error.detail = fmt::format("{} is disabled in the inventory", *name);
      co_return report(context, error);
    }
    requests.push_back(request_for(row->domain, WorkRequest::Kind::issue));
  }
  co_return co_await carry_out(app, context, std::move(requests));
}

}  // namespace

void add_issue(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("issue", "Get certificates now, due or not");
  command->footer(
      "Orders a certificate for each domain, stores it, installs it, and sees it served. What an\n"
      "earlier run began is taken up where it stopped. One failing domain stops no other. Domains\n"
      "with a hold are left out unless they are named.\n\n"
      "Examples:\n"
      "  certherd issue www.example.com\n"
      "  certherd issue --where 'owner=web state=failing'\n"
      "  certherd issue --all --json | jq .summary");
  auto options = std::make_shared<Options>();
  auto* names =
      command->add_option("NAME", options->names, "Domains of the inventory")->type_name("DOMAIN");
  auto* all = command->add_flag("--all", options->all, "Every enabled domain");
  auto* where =
      add_where(*command, options->where, "Every enabled domain like that: see domain list");
  names->excludes(all)->excludes(where);
  all->excludes(where);
  command->callback([&context, options, command] {
    if (options->names.empty() && !options->all && options->where.empty()) {
      throw CLI::RequiredError(command->get_name() + ": NAME, --where or --all");
    }
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return issue(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

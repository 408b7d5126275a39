#include <CLI/CLI.hpp>
#include <memory>

#include "cli/context.hpp"
#include "cli/work_command.hpp"

namespace certherd::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  bool all = false;
};

Task<int> issue(app::App* app, Context context, Options options) {
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  std::vector<WorkRequest> requests;
  if (options.all) {
    for (const auto& row : *rows) {
      if (!row.domain.enabled) continue;
      requests.push_back(request_for(row.domain, WorkRequest::Kind::issue));
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
      "earlier run began is taken up where it stopped. One failing domain stops no other.\n\n"
      "Examples:\n"
      "  certherd issue www.example.com\n"
      "  certherd issue --all --json | jq .summary");
  auto options = std::make_shared<Options>();
  auto* names =
      command->add_option("NAME", options->names, "Domains of the inventory")->type_name("DOMAIN");
  auto* all = command->add_flag("--all", options->all, "Every enabled domain");
  names->excludes(all);
  command->callback([&context, options, command] {
    if (options->names.empty() && !options->all) {
      throw CLI::RequiredError(command->get_name() + ": NAME or --all");
    }
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return issue(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

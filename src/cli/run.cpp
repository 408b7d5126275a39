#include <CLI/CLI.hpp>
#include <memory>

#include "cli/context.hpp"
#include "cli/work_command.hpp"

namespace certherd::cli {
namespace {

Task<int> run_once(app::App* app, Context context) {
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  std::vector<WorkRequest> requests;
  for (const auto& row : *rows) {
    if (!row.domain.enabled) continue;
    requests.push_back(request_for(row.domain, WorkRequest::Kind::renew));
  }
  co_return co_await carry_out(app, context, std::move(requests));
}

}  // namespace

void add_run(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("run", "Do all that is due, prove it, and exit");
  command->footer(
      "Goes through the enabled domains, gets a certificate for each one that is due, installs it\n"
      "where it is missing, and takes up what an earlier run left unfinished. Domains whose\n"
      "certificate is good are \"current\". What it would do now is shown by `certherd plan`.\n\n"
      "Example, from a timer:\n"
      "  certherd --config /etc/certherd/certherd.toml run --once");
  auto once = std::make_shared<bool>(false);
  command->add_flag("--once", *once, "Exit when nothing is due any more: the only way so far")
      ->required();
  command->callback([&context, once] {  // keeps `once` alive while the line is parsed
    context.action = [&context] {
      return with_app(context, [&](app::App* app) { return run_once(app, context); });
    };
  });
}

}  // namespace certherd::cli

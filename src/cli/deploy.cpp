#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/context.hpp"
#include "cli/work_command.hpp"

namespace certherd::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  std::string target;
  bool all = false;
};

/// What may be deployed: nothing is begun when the caller has named something that may not.
Status check(const app::App& app, const store::DomainRow& row, const TargetName& wanted) {
  const auto refused = [&row](Error::Kind kind, std::string_view detail) {
    return fail(kind, "deploy", fmt::format("{} {}", row.domain.name, detail));
  };
  if (!row.certificate) {
    return refused(Error::Kind::not_found, "has no certificate yet: run certherd issue");
  }
  const auto& own = row.domain.targets;
  const auto& targets = own.empty() ? app.config().defaults.targets : own;
  if (targets.empty()) return refused(Error::Kind::misconfigured, "has no target");
  if (wanted.empty() || std::ranges::find(targets, wanted) != targets.end()) return {};
  std::vector<std::string> known;
  known.reserve(targets.size());
  for (const auto& target : targets) known.push_back(target.text());
  return refused(Error::Kind::misconfigured,
                 fmt::format("has no target {}, only {}", wanted, fmt::join(known, ", ")));
}

Task<Result<std::vector<store::DomainRow>>> chosen(app::App* app, Options options) {
  const TargetName target(options.target);
  if (options.all) {
    auto rows = co_await app->store().domains();
    if (!rows) co_return rows;
    // Of all, those that have something to deploy, and the target that is asked for.
    std::erase_if(*rows, [app, &target](const store::DomainRow& row) {
      return !row.domain.enabled || !check(*app, row, target);
    });
    leave_out_held(*rows, app->loop().clock().now());
    co_return rows;
  }
  std::vector<store::DomainRow> rows;
  rows.reserve(options.names.size());
  for (const auto& text : options.names) {
    auto name = Fqdn::parse(text);
    if (!name) co_return fail(std::move(name.error()));
    auto row = co_await app->store().domain(*name);
    if (!row) co_return fail(std::move(row.error()));
    if (auto fit = check(*app, *row, target); !fit) co_return fail(std::move(fit.error()));
    rows.push_back(std::move(*row));
  }
  co_return rows;
}

Task<int> deploy(app::App* app, Context context, Options options) {
  auto rows = co_await chosen(app, options);
  if (!rows) co_return report(context, rows.error());
  std::vector<WorkRequest> requests;
  requests.reserve(rows->size());
  for (const auto& row : *rows) {
    requests.push_back(request_for(row.domain, WorkRequest::Kind::deploy));
    requests.back().arguments.target = TargetName(options.target);
  }
  co_return co_await carry_out(app, context, std::move(requests));
}

}  // namespace

void add_deploy(CLI::App& parent, Context& context) {
  auto* command =
      parent.add_subcommand("deploy", "Install the present certificates on their targets again");
  command->footer(
      "Takes each certificate out of the vault, installs it on the domain's targets, and sees it\n"
      "served. What a target has already stays as it is. No certificate is ordered. One that was\n"
      "revoked is refused. Domains with a hold are left out unless they are named.\n\n"
      "Examples:\n"
      "  certherd deploy www.example.com\n"
      "  certherd deploy --all --target edge");
  auto options = std::make_shared<Options>();
  auto* names =
      command->add_option("NAME", options->names, "Domains of the inventory")->type_name("DOMAIN");
  auto* all =
      command->add_flag("--all", options->all, "Every enabled domain that has a certificate");
  command->add_option("--target", options->target, "On this one only, section [target.NAME]")
      ->type_name("TARGET");
  names->excludes(all);
  command->callback([&context, options, command] {
    if (options->names.empty() && !options->all) {
      throw CLI::RequiredError(command->get_name() + ": NAME or --all");
    }
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return deploy(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

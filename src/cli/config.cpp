#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "app/inventory_check.hpp"
#include "app/notifiers.hpp"
#include "cli/context.hpp"
#include "cli/table.hpp"
#include "fleet/report.hpp"

namespace certherd::cli {
namespace {

/// "a.example" or "a.example, b.example and 98 more".
std::string names_of(const std::vector<Fqdn>& domains) {
  constexpr std::size_t most = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(most, domains.size()); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", domains[i]);
  }
  return domains.size() <= most ? names
                                : fmt::format("{} and {} more", names, domains.size() - most);
}

/// What of the inventory does not go with the config; domains with the same fault together.
std::vector<std::pair<std::string, Status>> clashes(const app::Config& config,
                                                    const std::vector<store::DomainRow>& rows) {
  std::map<std::string, std::pair<Error, std::vector<Fqdn>>> by_words;
  for (const auto& row : rows) {
    if (!row.domain.enabled) continue;
    for (auto& misfit : app::misfits(config, row.domain)) {
      auto& [error, domains] = by_words[misfit.message()];
      error = std::move(misfit);
      domains.push_back(row.domain.name);
    }
  }
  std::vector<std::pair<std::string, Status>> found;
  found.reserve(by_words.size());
  for (auto& [words, clash] : by_words) {
    found.emplace_back(names_of(clash.second), fail(std::move(clash.first)));
  }
  return found;
}

Task<int> check(app::App* app, Context context) {
  // Only what is read-only is tried: no account is made, no responder takes the port from a
  // running service.
  if (auto prepared = app->prepare_checks(); !prepared) {
    co_return report(context, prepared.error());
  }
  auto findings = co_await app->check();
  co_await app->stop();
  const auto notifiers = app::open_notifiers(app->config(), app->loop(), app->offload());
  for (auto& finding : co_await app::check_notifiers(&notifiers)) {
    findings.push_back(std::move(finding));
  }
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  for (auto& clash : clashes(app->config(), *rows)) findings.push_back(std::move(clash));

  int failed = 0;
  Table table({"SECTION", "STATE", "FINDING"});
  boost::json::array documents;
  for (const auto& [section, status] : findings) {
    if (!status) ++failed;
    table.add({section, status ? "ok" : "fault", status ? "" : status.error().message()});
    documents.push_back(boost::json::object{
        {"section", section},
        {"ok", status.has_value()},
        {"error", status ? boost::json::value(nullptr)
                         : boost::json::value(fleet::to_json(status.error()))}});
  }
  if (context.json) {
    print_json(boost::json::object{{"config", app->config().file.string()},
                                   {"checks", std::move(documents)}});
  } else {
    fmt::print("{} is well-formed\n", app->config().file.string());
    table.print();
  }
  co_return failed == 0 ? all_done : some_failed;
}

}  // namespace

void add_config(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("config", "The config file");
  command->footer("Example:\n  certherd config check");
  require_command(*command);
  auto* checking = command->add_subcommand(
      "check", "Name every fault by file, line and key, then try each outside system read-only");
  checking->footer(
      "Makes no account, orders nothing, and listens nowhere, so it may be run beside a service\n"
      "and before each change of the config goes live.\n\n"
      "Examples:\n"
      "  certherd config check\n"
      "  certherd --config /etc/certherd/new.toml config check && mv new.toml certherd.toml");
  checking->callback([&context] {
    context.action = [&context] {
      return with_app(context, [&](app::App* app) { return check(app, context); });
    };
  });
}

}  // namespace certherd::cli

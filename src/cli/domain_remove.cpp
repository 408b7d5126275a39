#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json.hpp>
#include <memory>

#include "cli/confirm.hpp"
#include "cli/domain.hpp"
#include "cli/tell.hpp"
#include "cli/work_command.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::vector<std::string> names;
  bool retire = false;
  bool revoke = false;
  bool yes = false;
};

Task<Result<std::vector<store::DomainRow>>> named(app::App* app, std::vector<std::string> texts) {
  std::vector<store::DomainRow> rows;
  rows.reserve(texts.size());
  for (const auto& text : texts) {
    auto name = Fqdn::parse(text);
    if (!name) co_return fail(std::move(name.error()));
    auto row = co_await app->store().domain(*name);
    if (!row) co_return fail(std::move(row.error()));
    rows.push_back(std::move(*row));
  }
  co_return rows;
}

std::vector<WorkRequest> requests_for(const std::vector<store::DomainRow>& rows,
                                      WorkRequest::Kind kind) {
  std::vector<WorkRequest> requests;
  requests.reserve(rows.size());
  for (const auto& row : rows) {
    if (kind == WorkRequest::Kind::revoke && !row.certificate) continue;
    requests.push_back(request_for(row.domain, kind));
    requests.back().arguments.reason = RevocationReason::cessation_of_operation;
  }
  return requests;
}

bool agreed(const Context& context, const Options& options) {
  if (!options.revoke || options.yes) return true;
  return confirmed(
      context, fmt::format("Revoke the certificate{} of {}? This cannot be undone.",
                           options.names.size() == 1 ? "" : "s", fmt::join(options.names, ", ")));
}

int tell_removed(const Context& context, const std::vector<store::DomainRow>& rows) {
  if (context.json) {
    json::array removed;
    for (const auto& row : rows) removed.push_back(json::string(row.domain.name.text()));
    print_json(json::object{{"removed", std::move(removed)}});
  } else {
    fmt::print("{} domain{} removed; certificates and secrets are kept\n", rows.size(),
               rows.size() == 1 ? "" : "s");
  }
  return all_done;
}

// Nothing is removed when something before that has failed: what is left to do needs the domain.
int tell_failed(const Context& context, const WorkResults& worked, std::string_view what) {
  if (context.json) {
    json::array results;
    for (const auto& result : worked.results) results.emplace_back(result);
    print_json(json::object{{"removed", json::array()}, {"results", std::move(results)}});
  } else {
    print_results(worked);
  }
  tell_trouble(fmt::format("not every domain could be {}, so none is removed: run it again", what));
  return worked.status == all_done ? some_failed : worked.status;
}

// First off the targets: what is still served must not be revoked. Its row goes last, because a
// request needs the domain in the inventory.
Task<int> remove(app::App* app, Context context, Options options) {
  auto rows = co_await named(app, options.names);
  if (!rows) co_return report(context, rows.error());
  if (!agreed(context, options)) {
    Error error;
    error.kind = Error::Kind::misconfigured;
    error.op = "domain remove";
    error.detail = "not confirmed, so nothing was done";
    co_return report(context, error);
  }
  struct Stage {
    bool wanted;
    WorkRequest::Kind kind;
    std::string_view what;
  };
  const std::array stages = {Stage{options.retire, WorkRequest::Kind::retire, "taken off"},
                             Stage{options.revoke, WorkRequest::Kind::revoke, "revoked"}};
  for (const auto& stage : stages) {
    if (!stage.wanted) continue;
    auto requests = requests_for(*rows, stage.kind);
    if (requests.empty()) continue;
    const auto asked = requests.size();
    auto worked = co_await work_off(app, context, std::move(requests));
    if (!worked) co_return report(context, worked.error());
    const bool done = worked->status == all_done && worked->results.size() == asked;
    if (!done) co_return tell_failed(context, *worked, stage.what);
  }

  store::InventoryChange change;
  const Time now = app->loop().clock().now();
  for (const auto& row : *rows) {
    change.events.push_back(
        {.at = now, .domain = row.domain.name, .event = "domain.removed", .detail = {}});
    change.removed.push_back(row.domain);
  }
  auto status = co_await app->store().change_inventory(std::move(change));
  if (!status) co_return report(context, status.error());
  co_return tell_removed(context, *rows);
}

}  // namespace

void add_domain_remove(CLI::App& domain, Context& context) {
  auto* command = domain.add_subcommand("remove", "Take domains out of the inventory");
  command->footer(
      "Nothing is renewed for them any more, and an issuance that is under way ends. What was\n"
      "issued stays where it is: certificates, secrets, what targets serve, and the audit trail.\n"
      "A domain that is added again has its certificate again. --retire takes it off its targets\n"
      "first, --revoke revokes its certificate (cessationOfOperation); when one of these fails "
      "for\n"
      "one of the domains, none is removed.\n\n"
      "Examples:\n"
      "  certherd domain remove www.example.com\n"
      "  certherd domain remove www.example.com --retire --revoke");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->names, "Domains of the inventory")
      ->type_name("DOMAIN")
      ->required();
  command->add_flag("--retire", options->retire, "Take them off their targets first");
  command->add_flag("--revoke", options->revoke, "Have their certificates revoked, too");
  command->add_flag("--yes", options->yes, "Do not ask, on a terminal, whether it is meant");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return remove(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

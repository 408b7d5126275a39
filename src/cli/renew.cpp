#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <set>

#include "app/fleet_plan.hpp"
#include "app/list_file.hpp"
#include "app/serial_list.hpp"
#include "base/log.hpp"
#include "cli/confirm.hpp"
#include "cli/context.hpp"
#include "cli/input.hpp"
#include "cli/renew_choice.hpp"
#include "cli/renew_forecast.hpp"
#include "cli/table.hpp"
#include "cli/where.hpp"
#include "cli/work_command.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

// So many certificates are replaced without a question.
constexpr std::size_t unasked = 10;
// So many names a sentence may hold.
constexpr std::size_t named = 10;

struct Options {
  std::vector<std::string> names;
  bool all = false;
  std::string where;
  std::string serials;
  std::string within;
  bool dry_run = false;
  bool yes = false;
};

/// A domain that was chosen, and is not done when the command ends.
struct Unfinished {
  Fqdn domain;
  bool begun = false;  ///< in the store: whoever executes goes on with it
};

Error fault(Error::Kind kind, std::string_view op, std::string detail) {
  Error error;
  error.kind = kind;
  error.op = op;
  error.detail = std::move(detail);
  return error;
}

Result<std::optional<Time>> deadline_of(const Options& options, Time now) {
  if (options.within.empty()) return std::nullopt;
  const auto span = parse_duration(options.within);
  if (span && *span > Duration::zero()) return now + *span;
  return fail(fault(Error::Kind::misconfigured, "--within",
                    fmt::format("\"{}\" is no span such as 90m, 24h or 5d", options.within)));
}

Result<RenewWish> wish_of(Options options) {
  RenewWish wish;
  wish.names = std::move(options.names);
  wish.where = std::move(options.where);
  if (options.serials.empty()) return wish;
  auto text = read_input(options.serials, app::list_limit, "read the serials");
  if (!text) return fail(std::move(text.error()));
  auto serials = app::read_serials(*text);
  if (!serials) return fail(std::move(serials.error()));
  wish.serials = std::move(*serials);
  return wish;
}

std::set<DomainId> ids_of(const std::vector<store::DomainRow>& rows) {
  std::set<DomainId> ids;
  for (const auto& row : rows) ids.insert(row.domain.id);
  return ids;
}

Task<Result<RenewForecast>> foresee(app::App* app, std::set<DomainId> chosen,
                                    std::optional<Time> deadline) {
  auto rows = co_await app->store().domains();
  if (!rows) co_return fail(std::move(rows.error()));
  auto limits = co_await app::OutsideLimits::read(app);
  if (!limits) co_return fail(std::move(limits.error()));
  const Time now = app->loop().clock().now();
  app::FleetPlan plan(std::move(*rows), app->config().defaults, std::move(*limits), now, chosen);
  plan.keep(chosen);
  co_return forecast_of(plan, now, deadline);
}

json::object document_of(const RenewChoice& choice, const RenewForecast& forecast,
                         bool by_serials) {
  json::value serials = nullptr;
  if (by_serials) {
    serials = json::object{{"replaced", choice.replaced}, {"unknown", choice.unknown}};
  }
  return {{"forecast", forecast_json(forecast)},
          {"left_out", left_out_json(choice)},
          {"serials", std::move(serials)}};
}

void tell_choice(const RenewChoice& choice) {
  if (choice.replaced > 0) {
    log::info("{} of the serials are of former certificates: they were replaced already",
              choice.replaced);
  }
  if (choice.unknown > 0) {
    log::warning("{} of the serials are of no certificate of the inventory", choice.unknown);
  }
  if (const auto text = left_out_text(choice); !text.empty()) log::warning("{}", text);
}

int show_forecast(const Context& context, const RenewChoice& choice, const RenewForecast& forecast,
                  bool by_serials) {
  if (context.json) {
    auto document = document_of(choice, forecast, by_serials);
    document["items"] = items_json(forecast);
    print_json(document);
  } else {
    Table table({"DOMAIN", "SERIAL", "NOT AFTER", "DONE AT", "LIMITED BY"});
    for (const auto& item : forecast.items) {
      table.add({item.domain.text(), item.serial.text(), format_time(item.not_after),
                 format_time(item.done_at), item.limited_by});
    }
    if (!forecast.items.empty()) table.print();
    fmt::print("{}\n", forecast_text(forecast));
    if (const auto advice = advice_text(forecast); !advice.empty()) fmt::print("{}\n", advice);
  }
  return forecast.done_in_time() ? all_done : some_failed;
}

std::vector<WorkRequest> requests_for(const std::vector<store::DomainRow>& rows,
                                      std::optional<Time> deadline) {
  std::vector<WorkRequest> requests;
  requests.reserve(rows.size());
  for (const auto& row : rows) {
    requests.push_back(request_for(row.domain, WorkRequest::Kind::issue));
    requests.back().arguments.serial = row.certificate.value().serial;
    requests.back().arguments.patient_until = deadline;
  }
  return requests;
}

/// Those that have no result yet, or one that says that they were put off.
Task<Result<std::vector<Unfinished>>> unfinished(app::App* app, std::set<Fqdn> chosen,
                                                 const WorkResults* worked) {
  for (const auto& result : worked->results) {
    if (result.at("outcome") == "deferred") continue;
    if (auto name = Fqdn::parse(std::string(result.at("domain").as_string()))) chosen.erase(*name);
  }
  std::vector<Unfinished> list;
  if (chosen.empty()) co_return list;
  auto rows = co_await app->store().domains();
  if (!rows) co_return fail(std::move(rows.error()));
  for (const auto& row : *rows) {
    if (!chosen.contains(row.domain.name)) continue;
    list.push_back({.domain = row.domain.name, .begun = row.working.has_value()});
  }
  co_return list;
}

void print_unfinished(const std::vector<Unfinished>& list, std::optional<Time> deadline) {
  if (list.empty()) return;
  std::string names;
  for (std::size_t i = 0; i < std::min(named, list.size()); ++i) {
    names += (i == 0 ? "" : ", ") + list[i].domain.text();
  }
  if (list.size() > named) names += fmt::format(" and {} more", list.size() - named);
  fmt::print("{} not done{}: {}\n", list.size(),
             deadline ? " by " + format_time(*deadline) : std::string(), names);
  const auto begun = static_cast<std::size_t>(std::ranges::count_if(list, &Unfinished::begun));
  if (begun > 0) {
    fmt::print("{} of them begun: certherd run goes on with them, and so does run --once\n", begun);
  }
  if (begun < list.size()) {
    fmt::print("{} of them not begun: give the same command again\n", list.size() - begun);
  }
}

json::array unfinished_json(const std::vector<Unfinished>& list) {
  json::array array;
  for (const auto& each : list) {
    array.push_back(json::object{{"domain", each.domain.text()}, {"begun", each.begun}});
  }
  return array;
}

Task<int> replace(app::App* app, Context context, RenewChoice choice, RenewForecast forecast,
                  bool by_serials) {
  const auto deadline = forecast.deadline;
  Result<WorkResults> worked;
  if (!choice.rows.empty()) {
    auto requests = requests_for(choice.rows, deadline);
    worked = co_await work_off(app, context, std::move(requests), nullptr, deadline);
  }
  if (!worked) co_return report(context, worked.error());
  std::set<Fqdn> chosen;
  for (const auto& row : choice.rows) chosen.insert(row.domain.name);
  auto left = co_await unfinished(app, std::move(chosen), &*worked);
  if (!left) co_return report(context, left.error());
  if (context.json) {
    auto document = document_of(choice, forecast, by_serials);
    for (auto& member : results_json(*worked)) document[member.key()] = std::move(member.value());
    document["unfinished"] = unfinished_json(*left);
    print_json(document);
  } else {
    if (choice.rows.empty()) log::info("nothing is left to replace");
    print_results(*worked);
    print_counts(*worked);
    print_unfinished(*left, deadline);
  }
  co_return worked->status;
}

Task<int> renew(app::App* app, Context context, Options options) {
  const auto deadline = deadline_of(options, app->loop().clock().now());
  if (!deadline) co_return report(context, deadline.error());
  auto wish = wish_of(options);
  if (!wish) co_return report(context, wish.error());
  const bool by_serials = wish->serials.has_value();
  const bool by_name = !wish->names.empty();
  auto choice = co_await choose_to_renew(app, std::move(*wish));
  if (!choice) co_return report(context, choice.error());
  if (by_name && choice->rows.empty() && !choice->left_out.empty()) {
    co_return report(context, fault(Error::Kind::not_found, "renew", left_out_text(*choice)));
  }
  tell_choice(*choice);
  auto chosen = ids_of(choice->rows);
  auto forecast = co_await foresee(app, std::move(chosen), *deadline);
  if (!forecast) co_return report(context, forecast.error());
  if (options.dry_run) co_return show_forecast(context, *choice, *forecast, by_serials);
  if (*deadline || !forecast->bottleneck.empty()) log::info("{}", forecast_text(*forecast));
  if (const auto advice = advice_text(*forecast); !advice.empty()) log::warning("{}", advice);
  const auto count = choice->rows.size();
  if (count > unasked && !options.yes &&
      !confirmed(context, fmt::format("Replace the certificates of {} domains?", count))) {
    co_return report(
        context, fault(Error::Kind::misconfigured, "renew", "not confirmed, so nothing was done"));
  }
  co_return co_await replace(app, context, std::move(*choice), std::move(*forecast), by_serials);
}

}  // namespace

void add_renew(CLI::App& parent, Context& context) {
  auto* command =
      parent.add_subcommand("renew", "Replace certificates now, as before a revocation");
  command->footer(
      "Gets each chosen domain another certificate in place of its present one, due or not, what\n"
      "ends first first, stores it, installs it, and sees it served. --where chooses by the\n"
      "inventory (see certherd domain list) and by the present certificate: certificate.ca,\n"
      "certificate.issuer, certificate.key, certificate.not_after and certificate.serial.\n"
      "--serials chooses what stands in a list, one serial a line (- is standard input), and goes\n"
      "with NAME or --where, too.\n\n"
      "--within foretells first how many will be done by then and what holds up the others, waits\n"
      "for the limits of the CA and tries again what fails until then. What is begun when the "
      "time\n"
      "is over goes on with certherd run. --dry-run only foretells, and ends with 1 when it would\n"
      "not be done in time.\n\n"
      "After a break, give the same command again: a list of serials, and terms of certificate.*\n"
      "that a new certificate does not meet, choose only what is not replaced yet.\n\n"
      "Examples:\n"
      "  certherd renew --where 'certificate.issuer=R10' --within 24h --dry-run\n"
      "  certherd renew --where 'certificate.issuer=R10' --within 24h --yes\n"
      "  certherd renew --serials affected.txt --within 5d\n"
      "  certherd renew --where 'owner=web certificate.key=rsa-2048'\n"
      "  certherd renew www.example.com");
  auto options = std::make_shared<Options>();
  auto* names =
      command->add_option("NAME", options->names, "Domains of the inventory")->type_name("DOMAIN");
  auto* all = command->add_flag("--all", options->all, "Every enabled domain with a certificate");
  auto* where = add_where(*command, options->where, "Every enabled domain like that");
  command->add_option("--serials", options->serials, "Only these certificates, one serial a line")
      ->type_name("FILE");
  command->add_option("--within", options->within, "The deadline, from now on")->type_name("SPAN");
  command->add_flag("--dry-run", options->dry_run,
                    "Foretell only: nothing is asked for or changed");
  command->add_flag("--yes", options->yes,
                    "Do not ask, on a terminal, whether more than ten are meant");
  names->excludes(all)->excludes(where);
  all->excludes(where);
  command->callback([&context, options, command] {
    if (options->names.empty() && !options->all && options->where.empty() &&
        options->serials.empty()) {
      throw CLI::RequiredError(command->get_name() + ": NAME, --where, --serials or --all");
    }
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return renew(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli

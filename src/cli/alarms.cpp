#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <utility>

#include "cli/context.hpp"
#include "cli/table.hpp"

namespace certherd::cli {
namespace {

Task<int> print_alarms(app::App* app, Context context) {
  auto standing = co_await app->store().standing_alarms();
  if (!standing) co_return report(context, standing.error());
  boost::json::array documents;
  Table table({"SINCE", "ALARM", "ABOUT", "WHAT"});
  for (const auto& alarm : *standing) {
    const auto& [kind, domain, ca] = alarm.key;
    table.add({format_time(alarm.since), std::string(to_string(kind)),
               ca.empty() ? domain.text() : fmt::format("[ca.{}]", ca), alarm.detail});
    documents.push_back(boost::json::object{{"id", std::to_underlying(alarm.id)},
                                            {"kind", to_string(kind)},
                                            {"domain", domain.text()},
                                            {"ca", ca.text()},
                                            {"since", format_time(alarm.since)},
                                            {"detail", alarm.detail}});
  }
  if (context.json) {
    print_json(boost::json::object{{"alarms", std::move(documents)}});
  } else {
    table.print("no alarm stands");
  }
  co_return standing->empty() ? all_done : some_failed;
}

}  // namespace

void add_alarms(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("alarms", "What is wrong now, since when, and what to do");
  command->footer(
      "An alarm stands while a domain keeps failing, while what is held or served for it ends "
      "soon,\n"
      "while something else is served than what was installed, and while the account at a CA "
      "cannot\n"
      "be used. The service raises and clears them: without one, this is how it was when the last\n"
      "one ended. Exit status 1 when one stands.\n\n"
      "Examples:\n"
      "  certherd alarms\n"
      "  certherd --json alarms");
  command->callback([&context] {
    context.action = [&context] {
      return with_app(context, [&](app::App* app) { return print_alarms(app, context); });
    };
  });
}

}  // namespace certherd::cli

#include "cli/context.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "cli/tell.hpp"
#include "fleet/report.hpp"

namespace certherd::cli {

void print_json(const boost::json::value& document) {
  fmt::print("{}\n", boost::json::serialize(document));
}

int report(const Context& context, const Error& error) {
  auto head = error;
  head.causes.clear();
  tell_trouble(head.message());
  for (const auto& cause : error.causes) tell_part(cause.message());
  if (context.json) print_json(boost::json::object{{"error", fleet::to_json(error)}});
  switch (error.kind) {
    case Error::Kind::misconfigured:
    case Error::Kind::not_found:
    case Error::Kind::conflict:
      return wrong_usage;
    case Error::Kind::transient:
    case Error::Kind::throttled:
    case Error::Kind::denied:
    case Error::Kind::rejected:
    case Error::Kind::deadline:
      return some_failed;
  }
  return some_failed;
}

// What is wrong with the words that are left over, explain_usage() finds out.
void require_command(CLI::App& app) {
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.callback([&app] {
    if (app.get_subcommands().empty()) throw CLI::RequiredError("a command");
  });
}

int with_app(const Context& context, const std::function<Task<int>(app::App*)>& command) {
  auto file = app::find_config(context.config);
  if (!file) return report(context, file.error());
  auto config = app::load_config(*file);
  if (!config) return report(context, config.error());
  auto loop = runtime::make_event_loop();
  auto app = app::App::open(std::move(*config), *loop);
  if (!app) {
    (void)report(context, app.error());
    return wrong_usage;
  }
  return loop->run(command(app->get()));
}

}  // namespace certherd::cli

#include "cli/context.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "fleet/report.hpp"

namespace certherd::cli {

void print_json(const boost::json::value& document) {
  fmt::print("{}\n", boost::json::serialize(document));
}

int report(const Context& context, const Error& error) {
  auto head = error;
  head.causes.clear();
  fmt::print(stderr, "certherd: {}\n", head.message());
  for (const auto& cause : error.causes) fmt::print(stderr, "  {}\n", cause.message());
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

// CLI11 alone would say of an unknown command that one is missing.
void require_command(CLI::App& app) {
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.callback([&app] {
    if (!app.get_subcommands().empty()) return;
    // What no command knows has fallen through to the topmost one.
    const auto* top = &app;
    while (top->get_parent() != nullptr) top = top->get_parent();
    const auto rest = top->remaining(true);
    const auto known = app.get_name().empty() ? std::string("certherd") : app.get_name();
    throw CLI::RequiredError(rest.empty() ? known + ": a command"
                                          : "\"" + rest.front() + "\" is no command of " + known +
                                                "; one of its commands");
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

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>

#include "app/service.hpp"
#include "base/log.hpp"
#include "cli/context.hpp"
#include "cli/work_command.hpp"
#include "runtime/signals.hpp"
#include "runtime/task_group.hpp"

namespace certherd::cli {
namespace {

constexpr int signal_status = 128;

Task<int> run_once(app::App* app, Context context) {
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  leave_out_held(*rows, app->loop().clock().now());
  std::vector<WorkRequest> requests;
  for (const auto& row : *rows) {
    if (!row.domain.enabled) continue;
    requests.push_back(request_for(row.domain, WorkRequest::Kind::renew));
  }
  co_return co_await carry_out(app, context, std::move(requests));
}

// SIGHUP reads the config again; the others ask for a drain, and a second one ends it at once.
Task<void> watch_signals(runtime::EventLoop* loop, app::Service* service) {
  int signal = SIGHUP;
  while (signal == SIGHUP) {
    signal = co_await runtime::wait_for_termination(loop);
    if (signal == SIGHUP) service->reload();
  }
  log::info("saving what is under way (once more to end at once)");
  service->drain();
  do {
    signal = co_await runtime::wait_for_termination(loop);
  } while (signal == SIGHUP);
  // Every step is journalled before it is begun, so ending here loses nothing either.
  _exit(signal_status + signal);
}

Task<int> serve(runtime::EventLoop* loop, app::Config config, Context context) {
  app::Service service(*loop, std::move(config));
  runtime::TaskGroup background(*loop);
  background.spawn(watch_signals(loop, &service));
  auto status = co_await service.run();
  background.cancel();
  co_await background.join();
  if (!status) co_return report(context, status.error());
  co_return all_done;
}

int serve(const Context& context) {
  auto file = app::find_config(context.config);
  if (!file) return report(context, file.error());
  auto config = app::load_config(*file);
  if (!config) return report(context, config.error());
  auto loop = runtime::make_event_loop();
  return loop->run(serve(loop.get(), std::move(*config), context));
}

}  // namespace

void add_run(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("run", "Keep all certificates valid: the service");
  command->footer(
      "Renews each certificate when its CA wants it renewed, or by its age, installs it, sees\n"
      "that it is served, and takes up what an earlier process left unfinished. Every endpoint\n"
      "is looked at again and again. What is wrong now is shown by `certherd alarms`, what was\n"
      "done by `certherd log`, and what comes next, and when, by `certherd plan`. Other commands\n"
      "work beside it.\n\n"
      "SIGTERM ends it within seconds, with all progress saved. SIGHUP reads the config again;\n"
      "one with faults is refused, and the old one stays. One process executes for a store: a\n"
      "second one says who does, and exits with 2.\n\n"
      "With --once it does all that is due now, proves it, and exits. Domains with a hold are\n"
      "left out.\n\n"
      "Examples:\n"
      "  certherd --config /etc/certherd/certherd.toml run\n"
      "  certherd --config /etc/certherd/certherd.toml run --once   # from a timer");
  auto once = std::make_shared<bool>(false);
  command->add_flag("--once", *once, "Exit when nothing is due any more");
  command->callback([&context, once] {  // keeps `once` alive while the line is parsed
    context.action = [&context, once] {
      if (!*once) return serve(context);
      return with_app(context, [&](app::App* app) { return run_once(app, context); });
    };
  });
}

}  // namespace certherd::cli

#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "app/app.hpp"
#include "base/result.hpp"
#include "runtime/task.hpp"

namespace CLI {
class App;
}

namespace certherd::cli {

/// How the program ends; README.md tells users the same.
enum ExitStatus : int { all_done = 0, some_failed = 1, wrong_usage = 2, interrupted = 130 };

/// The options before the command, and what the command line came to.
struct Context {
  std::string config;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  std::string log = "text";     ///< or "json"
  std::function<int()> action;  ///< set by the command that was given
};

// One per command, each in the file of its name: they add it to its parent.
void add_init(CLI::App& parent, Context& context);
void add_config(CLI::App& parent, Context& context);
void add_account(CLI::App& parent, Context& context);
void add_domain(CLI::App& parent, Context& context);
void add_issue(CLI::App& parent, Context& context);
void add_plan(CLI::App& parent, Context& context);
void add_renew(CLI::App& parent, Context& context);
void add_run(CLI::App& parent, Context& context);
void add_cert(CLI::App& parent, Context& context);
void add_deploy(CLI::App& parent, Context& context);
void add_scan(CLI::App& parent, Context& context);
void add_store(CLI::App& parent, Context& context);
void add_notify(CLI::App& parent, Context& context);
void add_alarms(CLI::App& parent, Context& context);
void add_log(CLI::App& parent, Context& context);
void add_doctor(CLI::App& parent, Context& context);
void add_simulate(CLI::App& parent, Context& context);
void add_demo(CLI::App& parent, Context& context);
void add_completion(CLI::App& parent, Context& context);
void add_man(CLI::App& parent, Context& context);
void add_help(CLI::App& parent, Context& context);
void add_version(CLI::App& parent, Context& context);

/// Makes one of the subcommands of `app` necessary.
void require_command(CLI::App& app);

/// Loads the config, opens the store, and runs `command` on the loop. Faults before that are
/// printed; the status is then wrong_usage.
int with_app(const Context& context, const std::function<Task<int>(app::App*)>& command);

/// One JSON document on stdout.
void print_json(const boost::json::value& document);

/// The error for a person on stderr, and with --json also as {"error": …} on stdout. Returns
/// wrong_usage for misconfigured, not_found and conflict: these stand in the caller's own words or
/// files, and nothing was done. Returns some_failed otherwise.
int report(const Context& context, const Error& error);

}  // namespace certherd::cli

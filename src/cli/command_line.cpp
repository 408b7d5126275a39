#include "cli/command_line.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

#include "base/log.hpp"
#include "cli/context.hpp"

namespace certherd::cli {
namespace {

constexpr auto about =
    "certherd keeps the TLS certificates of a whole fleet of domains valid: it orders them by\n"
    "DNS-01, keeps them in a vault, installs them, and sees the new ones served.\n\n"
    "Begin with:\n"
    "  certherd demo                          the whole pipeline on this machine\n"
    "  certherd init                          a config, a seal key and an empty store\n"
    "  certherd domain add www.example.com    then: certherd issue www.example.com";

constexpr auto statuses =
    "Exit status: 0 all done; 1 at least one domain failed or was put off; 2 wrong usage or\n"
    "config, nothing was done; 130 interrupted, all progress saved.";

void set_log_level(const Context& context) {
  if (context.verbose) {
    log::set_level(log::Level::debug);
  } else if (context.quiet) {
    log::set_level(log::Level::error);
  }
}

}  // namespace

int run(int argc, char** argv) {
  // A reader that goes away is told by write(), not by a signal that ends us half way.
  (void)std::signal(SIGPIPE, SIG_IGN);
  Context context;
  CLI::App line(about, "certherd");
  line.footer(statuses);
  require_command(line);
  line.fallthrough();
  line.get_formatter()->column_width(34);
  line.add_option("--config", context.config,
                  "The config; else $CERTHERD_CONFIG, ./certherd.toml, /etc/certherd/certherd.toml")
      ->type_name("FILE");
  line.add_flag("--json", context.json, "One JSON document on stdout instead of tables");
  line.add_flag("--quiet,-q", context.quiet, "No progress, and only errors on stderr");
  line.add_flag("-v,--verbose", context.verbose, "Tell every retry and exchange on stderr");

  add_init(line, context);
  add_config(line, context);
  add_account(line, context);
  add_domain(line, context);
  add_plan(line, context);
  add_issue(line, context);
  add_run(line, context);
  add_cert(line, context);
  add_log(line, context);
  add_demo(line, context);
  add_version(line, context);

  try {
    line.parse(argc, argv);
    if (const auto unknown = line.remaining(true); !unknown.empty()) {
      throw CLI::ExtrasError("certherd", unknown);
    }
  } catch (const CLI::ParseError& error) {
    const int status = line.exit(error);
    return status == 0 ? all_done : wrong_usage;
  }
  try {
    set_log_level(context);
    return context.action();
  } catch (const std::exception& defect) {
    fmt::print(stderr, "certherd: this should not happen, please report it: {}\n", defect.what());
    return some_failed;
  }
}

}  // namespace certherd::cli

#include "cli/command_line.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <span>

#include "base/log.hpp"
#include "cli/command_tree.hpp"
#include "cli/complete.hpp"
#include "cli/streams.hpp"
#include "cli/tell.hpp"
#include "cli/usage.hpp"

namespace certherd::cli {
namespace {

void set_log(const Context& context) {
  if (context.log == "json") log::set_format(log::Format::json);
  if (context.verbose) {
    log::set_level(log::Level::debug);
  } else if (context.quiet) {
    log::set_level(log::Level::error);
  }
}

/// A core dump would hold every key that was in use.
void keep_core_dumps_off() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;
  (void)setrlimit(RLIMIT_CORE, &limit);
}

int parse_and_run(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() > 1 && arguments[1] == std::string_view("__complete")) {
    log::set_level(log::Level::error);
    return print_completion({arguments.begin() + 2, arguments.end()});
  }
  Context context;
  const auto tree = make_command_tree(context);
  try {
    tree->parse(argc, argv);
    if (const auto unknown = tree->remaining(true); !unknown.empty()) {
      throw CLI::ExtrasError("certherd", unknown);
    }
  } catch (const CLI::Success&) {
    fmt::print("{}", tree->help());
    return all_done;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}", explain_usage(*tree, error));
    return wrong_usage;
  }
  try {
    set_log(context);
    return context.action();
  } catch (const std::exception& defect) {
    tell_trouble(fmt::format("this should not happen, please report it: {}", defect.what()));
    return some_failed;
  }
}

}  // namespace

int run(int argc, char** argv) {
  guard_streams();
  keep_core_dumps_off();
  const int status = parse_and_run(argc, argv);
  const auto lost = close_output();
  if (lost.empty()) return status;
  tell_trouble(fmt::format("the output could not be written: {}", lost));
  return status == all_done ? some_failed : status;
}

}  // namespace certherd::cli

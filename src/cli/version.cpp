#include "app/version.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/context.hpp"

namespace certherd::cli {
namespace {

#ifdef NDEBUG
constexpr auto build = "release";
#else
constexpr auto build = "debug";
#endif

int print_version(const Context& context) {
  const auto libraries = app::libraries();
  if (context.json) {
    boost::json::object versions;
    for (const auto& [name, version] : libraries) versions[name] = version;
    print_json(boost::json::object{
        {"version", app::version()}, {"build", build}, {"libraries", std::move(versions)}});
    return all_done;
  }
  fmt::print("certherd {} ({})\n", app::version(), build);
  for (const auto& [name, version] : libraries) fmt::print("{} {}\n", name, version);
  return all_done;
}

}  // namespace

void add_version(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("version", "Version, build and libraries");
  command->footer("Examples:\n  certherd version\n  certherd version --json | jq -r .version");
  command->callback([&context] { context.action = [&context] { return print_version(context); }; });
}

}  // namespace certherd::cli

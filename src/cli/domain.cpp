#include "cli/domain.hpp"

#include <CLI/CLI.hpp>

namespace certherd::cli {

void add_domain(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("domain", "The inventory");
  command->footer(
      "Examples:\n"
      "  certherd domain add www.example.com\n"
      "  certherd domain list");
  require_command(*command);
  add_domain_add(*command, context);
  add_domain_import(*command, context);
  add_domain_list(*command, context);
  add_domain_show(*command, context);
  add_domain_remove(*command, context);
}

}  // namespace certherd::cli

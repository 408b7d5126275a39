#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace certherd::cli {

/// The tree of all commands and options. The parser, help, man page and completion all come from
/// it. `context` outlives it.
std::unique_ptr<CLI::App> make_command_tree(Context& context);

// What there is to know of the tree, for those who show it.

/// "certherd domain add".
std::string path_of(const CLI::App& command);

/// Its subcommands, in the order in which they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& command);

/// The one of that name; null without it.
const CLI::App* find_command(const CLI::App& parent, std::string_view name);

/// All commands below it that have no subcommands themselves.
std::vector<const CLI::App*> leaves_of(const CLI::App& command);

/// The names of the groups in which its subcommands are shown, in their order.
std::vector<std::string> groups_of(const CLI::App& command);

/// Its positional arguments.
std::vector<const CLI::Option*> arguments_of(const CLI::App& command);

/// Its own options; those of the topmost command hold everywhere.
std::vector<const CLI::Option*> options_of(const CLI::App& command);

/// What stands below the description: prose, and examples as lines.
struct Lesson {
  std::string prose;
  std::vector<std::string> examples;
};
Lesson lesson_of(const CLI::App& command);

// Of one option or argument.

bool takes_value(const CLI::Option& option);
bool is_repeatable(const CLI::Option& option);
/// The values that it may have, where these are few.
std::vector<std::string> choices_of(const CLI::Option& option);
/// The word for its value: "FILE", or "{bash,zsh,fish}".
std::string value_word(const CLI::Option& option);
/// "-q, --quiet", "--zone-id Z", or "NAME...".
std::string spelling_of(const CLI::Option& option);

/// "certherd domain add [--zone-id Z] [--name N]... NAME".
std::string synopsis_of(const CLI::App& command);

struct ExitMeaning {
  ExitStatus status;
  std::string_view meaning;
};
const std::vector<ExitMeaning>& exit_meanings();

}  // namespace certherd::cli

#pragma once

#include <string>
#include <string_view>

#include "cli/command_tree.hpp"

namespace CLI {
class ParseError;
}

namespace certherd::cli {

/// Says that `word` is no command of `parent`, and which one may have been meant.
std::string unknown_command(const CLI::App& parent, std::string_view word);

/// What is wrong with a command line that the tree has refused, and where to read on: one or two
/// lines for stderr.
std::string explain_usage(const CLI::App& tree, const CLI::ParseError& error);

/// How many letters have to be changed, added, left out or swapped with their neighbour to make
/// one word of the other.
std::size_t edit_distance(std::string_view one, std::string_view other);

}  // namespace certherd::cli

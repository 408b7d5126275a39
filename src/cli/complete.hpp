#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_tree.hpp"

namespace certherd::cli {

/// What the value of an option or argument names.
enum class ValueKind { other, domain, ca, dns, vault, target, notifier, file, folder, command };

/// By the word for its value, such as "DOMAIN" or "FILE".
ValueKind kind_of(const CLI::Option& option);

/// One thing that may stand where the cursor is.
struct Proposal {
  std::string text;
  std::string about;  ///< may be empty

  bool operator==(const Proposal&) const = default;
};

/// What may stand there.
struct Completion {
  enum class Paths { none, files, folders };

  std::vector<Proposal> proposals;
  Paths paths = Paths::none;  ///< what the shell is to propose by itself

  bool operator==(const Completion&) const = default;
};

/// Gives the names of that kind that begin with `prefix`. `config` is the --config of the command
/// line, or empty.
using NameSource = std::function<std::vector<std::string>(ValueKind kind, const std::string& config,
                                                          std::string_view prefix)>;

/// What may follow: `words` are those behind the program's name, the last one is being typed.
Completion complete(const CLI::App& tree, const std::vector<std::string>& words,
                    const NameSource& names);

/// The command that the completion scripts call while somebody types: prints what may follow, one
/// proposal a line with a tab before what it means, and at last ":files" or ":folders" where the
/// shell is to propose these. Says nothing when anything is wrong, and changes nothing.
int print_completion(const std::vector<std::string>& words);

}  // namespace certherd::cli

#include "cli/complete.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <set>

#include "app/config.hpp"
#include "app/known_names.hpp"

namespace certherd::cli {
namespace {

// More than this nobody reads, and a shell would ask before it lists them.
constexpr std::size_t most_names = 200;

/// Goes along a command line, as the parser would, up to the word that is being typed.
class Walk {
 public:
  explicit Walk(const CLI::App& tree) : command_(&tree) {}

  void step(const std::string& word) {
    if (const auto* option = std::exchange(awaits_, nullptr); option != nullptr) {
      keep(*option, word);
    } else if (!only_arguments_ && word == "--") {
      only_arguments_ = true;
    } else if (!only_arguments_ && word.size() > 1 && word.starts_with('-')) {
      step_option(word);
    } else if (const auto* next = find_command(*command_, word);
               next != nullptr && !only_arguments_) {
      command_ = next;
    } else {
      arguments_.push_back(word);
    }
  }

  const CLI::App& command() const { return *command_; }
  /// The option whose value comes next.
  const CLI::Option* awaits() const { return awaits_; }
  bool only_arguments() const { return only_arguments_; }
  const std::vector<std::string>& arguments() const { return arguments_; }
  const std::string& config() const { return config_; }
  bool has(const CLI::Option* option) const { return seen_.contains(option); }

  /// The argument that comes next.
  const CLI::Option* next_argument() const {
    auto skip = arguments_.size();
    for (const auto* argument : arguments_of(*command_)) {
      if (is_repeatable(*argument) || skip == 0) return argument;
      --skip;
    }
    return nullptr;
  }

  const CLI::Option* find_option(std::string_view name) const {
    for (const auto* app = command_; app != nullptr; app = app->get_parent()) {
      for (const auto* option : options_of(*app)) {
        const auto& names = name.starts_with("--") ? option->get_lnames() : option->get_snames();
        const auto bare = name.substr(name.starts_with("--") ? 2 : 1);
        if (std::ranges::find(names, bare) != names.end()) return option;
      }
    }
    return nullptr;
  }

 private:
  void step_option(const std::string& word) {
    const auto equals = word.find('=');
    const auto* option = find_option(std::string_view(word).substr(0, equals));
    if (option == nullptr) return;
    seen_.insert(option);
    if (!takes_value(*option)) return;
    if (equals == std::string::npos) {
      awaits_ = option;
    } else {
      keep(*option, word.substr(equals + 1));
    }
  }

  void keep(const CLI::Option& option, const std::string& value) {
    if (option.check_lname("config")) config_ = value;
  }

  const CLI::App* command_;
  const CLI::Option* awaits_ = nullptr;
  bool only_arguments_ = false;
  std::vector<std::string> arguments_;
  std::string config_;
  std::set<const CLI::Option*> seen_;
};

void propose(Completion& completion, std::string text, std::string about, std::string_view typed) {
  if (!text.starts_with(typed)) return;
  completion.proposals.push_back({.text = std::move(text), .about = std::move(about)});
}

void propose_commands(Completion& completion, const CLI::App& parent, std::string_view typed) {
  for (const auto* command : commands_of(parent)) {
    propose(completion, command->get_name(), command->get_description(), typed);
  }
}

void propose_options(Completion& completion, const Walk& walk, std::string_view typed) {
  for (const auto* app = &walk.command(); app != nullptr; app = app->get_parent()) {
    for (const auto* option : options_of(*app)) {
      if (walk.has(option) && !is_repeatable(*option)) continue;
      for (const auto& name : option->get_lnames()) {
        propose(completion, "--" + name, option->get_description(), typed);
      }
    }
  }
}

/// The values of `option`, each with `before` in front of it.
void propose_values(Completion& completion, const Walk& walk, const CLI::Option& option,
                    std::string_view before, std::string_view typed, const NameSource& names) {
  const auto add = [&](const std::string& text) {
    propose(completion, std::string(before) + text, "", std::string(before) + std::string(typed));
  };
  for (const auto& choice : choices_of(option)) add(choice);
  const auto kind = kind_of(option);
  switch (kind) {
    case ValueKind::other:
      break;
    case ValueKind::file:
      completion.paths = Completion::Paths::files;
      break;
    case ValueKind::folder:
      completion.paths = Completion::Paths::folders;
      break;
    case ValueKind::command: {
      const auto* top = &walk.command();
      while (top->get_parent() != nullptr) top = top->get_parent();
      for (const auto& word : walk.arguments()) {
        if (top != nullptr) top = find_command(*top, word);
      }
      if (top != nullptr) propose_commands(completion, *top, typed);
      break;
    }
    case ValueKind::domain:
    case ValueKind::ca:
    case ValueKind::dns:
    case ValueKind::vault:
    case ValueKind::target:
    case ValueKind::notifier:
      for (const auto& name : names(kind, walk.config(), typed)) {
        // An argument that stands there already is not meant again.
        if (option.get_positional() && std::ranges::count(walk.arguments(), name) > 0) continue;
        add(name);
      }
      break;
  }
}

/// bash parts "--since=1h" into three words.
std::vector<std::string> without_lone_equals(const std::vector<std::string>& words) {
  std::vector<std::string> kept;
  kept.reserve(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool lone = words[i] == "=" && i > 0 && words[i - 1].starts_with("--");
    if (!lone) {
      kept.push_back(words[i]);
    } else if (i + 1 == words.size()) {
      kept.emplace_back();
    }
  }
  return kept;
}

std::vector<std::string> names_of_config(ValueKind kind, const std::string& config,
                                         std::string_view prefix) {
  auto file = app::find_config(config);
  if (!file) return {};
  auto loaded = app::load_config(*file);
  if (!loaded) return {};
  const auto texts = [](const auto& sections) {
    std::vector<std::string> names;
    names.reserve(sections.size());
    for (const auto& name : sections) names.push_back(name.text());
    return names;
  };
  const auto keys = [](const auto& sections) {
    std::vector<std::string> names;
    names.reserve(sections.size());
    for (const auto& [name, section] : sections) names.push_back(name.text());
    return names;
  };
  switch (kind) {
    case ValueKind::domain:
      return app::known_domains(*loaded, prefix, most_names);
    case ValueKind::ca:
      return keys(loaded->cas);
    case ValueKind::dns:
      return texts(loaded->dns_names());
    case ValueKind::vault:
      return texts(loaded->vault_names());
    case ValueKind::target:
      return keys(loaded->targets);
    case ValueKind::notifier:
      return keys(loaded->notifiers);
    case ValueKind::other:
    case ValueKind::file:
    case ValueKind::folder:
    case ValueKind::command:
      return {};
  }
  return {};
}

}  // namespace

ValueKind kind_of(const CLI::Option& option) {
  struct Word {
    std::string_view word;
    ValueKind kind;
  };
  static constexpr std::array words = {
      Word{.word = "DOMAIN", .kind = ValueKind::domain},
      Word{.word = "CA", .kind = ValueKind::ca},
      Word{.word = "DNS", .kind = ValueKind::dns},
      Word{.word = "VAULT", .kind = ValueKind::vault},
      Word{.word = "TARGET", .kind = ValueKind::target},
      Word{.word = "NOTIFIER", .kind = ValueKind::notifier},
      Word{.word = "FILE", .kind = ValueKind::file},
      Word{.word = "DIR", .kind = ValueKind::folder},
      Word{.word = "COMMAND", .kind = ValueKind::command},
  };
  const auto found = std::ranges::find(words, value_word(option), &Word::word);
  return found == words.end() ? ValueKind::other : found->kind;
}

Completion complete(const CLI::App& tree, const std::vector<std::string>& words,
                    const NameSource& names) {
  Completion completion;
  const auto line = without_lone_equals(words);
  if (line.empty()) return completion;
  Walk walk(tree);
  for (std::size_t i = 0; i + 1 < line.size(); ++i) walk.step(line[i]);
  const std::string_view typed = line.back();
  if (walk.awaits() != nullptr) {
    propose_values(completion, walk, *walk.awaits(), "", typed, names);
    return completion;
  }
  if (typed.starts_with('-') && !walk.only_arguments()) {
    const auto equals = typed.find('=');
    if (equals == std::string_view::npos) {
      propose_options(completion, walk, typed);
    } else if (const auto* option = walk.find_option(typed.substr(0, equals)); option != nullptr) {
      propose_values(completion, walk, *option, typed.substr(0, equals + 1),
                     typed.substr(equals + 1), names);
    }
    return completion;
  }
  if (!walk.only_arguments()) propose_commands(completion, walk.command(), typed);
  if (const auto* argument = walk.next_argument(); argument != nullptr) {
    propose_values(completion, walk, *argument, "", typed, names);
  }
  return completion;
}

int print_completion(const std::vector<std::string>& words) {
  Context context;
  const auto tree = make_command_tree(context);
  const auto completion = complete(*tree, words, names_of_config);
  for (const auto& [text, about] : completion.proposals) {
    fmt::print("{}\n", about.empty() ? text : text + "\t" + about);
  }
  switch (completion.paths) {
    case Completion::Paths::none:
      break;
    case Completion::Paths::files:
      fmt::print(":files\n");
      break;
    case Completion::Paths::folders:
      fmt::print(":folders\n");
      break;
  }
  return all_done;
}

}  // namespace certherd::cli

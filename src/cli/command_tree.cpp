#include "cli/command_tree.hpp"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/help.hpp"

namespace certherd::cli {
namespace {

constexpr auto about =
    "certherd keeps the TLS certificates of a whole fleet of domains valid: it orders them by "
    "DNS-01, keeps them in a vault, installs them, and sees the new ones served.";

constexpr auto first_steps =
    "Examples:\n"
    "  certherd demo                          the whole pipeline on this machine\n"
    "  certherd init                          a config, a seal key and an empty store\n"
    "  certherd domain add www.example.com    then: certherd issue www.example.com\n"
    "  certherd help domain add               what one command does, with examples";

struct Group {
  const char* title;
  std::vector<std::string_view> commands;
};

// A command that stands in none is shown last, under CLI11's own title.
const std::vector<Group>& top_groups() {
  static const std::vector<Group> groups = {
      {.title = "Set up", .commands = {"init", "config", "account", "store", "notify"}},
      {.title = "Inventory", .commands = {"domain"}},
      {.title = "Certificates", .commands = {"issue", "renew", "run", "cert", "deploy"}},
      {.title = "Look and foresee",
       .commands = {"plan", "scan", "doctor", "alarms", "log", "simulate"}},
      {.title = "Learn", .commands = {"demo", "help", "man", "completion", "version"}},
  };
  return groups;
}

void group_commands(CLI::App& top) {
  for (const auto& group : top_groups()) {
    for (auto* command : top.get_subcommands([](CLI::App*) { return true; })) {
      if (std::ranges::count(group.commands, command->get_name()) > 0) command->group(group.title);
    }
  }
}

constexpr std::string_view more = "...";  // behind what may be given several times

bool is_headline(std::string_view line) {
  return line.starts_with("Example") && line.ends_with(':');
}

}  // namespace

std::unique_ptr<CLI::App> make_command_tree(Context& context) {
  auto tree = std::make_unique<CLI::App>(about, "certherd");
  auto& top = *tree;
  top.formatter(make_help_formatter());
  require_command(top);
  top.fallthrough();
  top.set_help_flag("-h,--help", "Explain a command, with examples");
  top.add_option("--config", context.config,
                 "The config; else $CERTHERD_CONFIG, ./certherd.toml, /etc/certherd/certherd.toml")
      ->type_name("FILE");
  top.add_flag("--json", context.json, "One JSON document on stdout instead of tables");
  top.add_flag("-q,--quiet", context.quiet, "No progress, and only errors on stderr");
  top.add_flag("-v,--verbose", context.verbose, "Tell every retry and exchange on stderr");
  top.add_option("--log", context.log, "How the log on stderr is written: as text, or JSON lines")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");

  add_init(top, context);
  add_config(top, context);
  add_account(top, context);
  add_domain(top, context);
  add_doctor(top, context);
  add_plan(top, context);
  add_issue(top, context);
  add_renew(top, context);
  add_run(top, context);
  add_cert(top, context);
  add_deploy(top, context);
  add_scan(top, context);
  add_store(top, context);
  add_alarms(top, context);
  add_notify(top, context);
  add_log(top, context);
  add_simulate(top, context);
  add_demo(top, context);
  add_help(top, context);
  add_man(top, context);
  add_completion(top, context);
  add_version(top, context);
  group_commands(top);
  // Last: a command begins with its parent's.
  top.footer(first_steps);
  return tree;
}

std::string path_of(const CLI::App& command) {
  const auto* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : path_of(*parent) + " " + command.get_name();
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App* find_command(const CLI::App& parent, std::string_view name) {
  const auto commands = commands_of(parent);
  const auto found = std::ranges::find_if(
      commands, [name](const CLI::App* each) { return each->get_name() == name; });
  return found == commands.end() ? nullptr : *found;
}

std::vector<const CLI::App*> leaves_of(const CLI::App& command) {
  std::vector<const CLI::App*> leaves;
  auto open = commands_of(command);
  while (!open.empty()) {
    const auto* next = open.front();
    open.erase(open.begin());
    auto below = commands_of(*next);
    if (below.empty()) leaves.push_back(next);
    open.insert(open.begin(), below.begin(), below.end());
  }
  return leaves;
}

std::vector<std::string> groups_of(const CLI::App& command) {
  std::vector<std::string> groups;
  const auto add = [&groups](const std::string& title) {
    if (std::ranges::find(groups, title) == groups.end()) groups.push_back(title);
  };
  const auto commands = commands_of(command);
  for (const auto& group : top_groups()) {
    const bool used = std::ranges::any_of(
        commands, [&](const CLI::App* each) { return each->get_group() == group.title; });
    if (used) add(group.title);
  }
  for (const auto* each : commands) add(each->get_group());
  return groups;
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  const auto* help = command.get_parent() == nullptr ? nullptr : command.get_help_ptr();
  return command.get_options([help](const CLI::Option* option) {
    return option->nonpositional() && option != help && !option->get_group().empty();
  });
}

Lesson lesson_of(const CLI::App& command) {
  const auto footer = command.get_footer();
  // CLI11 hands the parent's on to a command without one.
  const auto* parent = command.get_parent();
  if (parent != nullptr && parent->get_footer() == footer) return {};
  Lesson lesson;
  std::string_view rest = footer;
  bool examples = false;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (is_headline(line)) {
      examples = true;
    } else if (examples) {
      lesson.examples.emplace_back(line.substr(std::min(line.find_first_not_of(' '), line.size())));
    } else {
      // Paragraphs are parted by an empty line; within one, the reader's width breaks the lines.
      if (line.empty()) {
        lesson.prose += "\n\n";
      } else {
        if (!lesson.prose.empty() && !lesson.prose.ends_with('\n')) lesson.prose += ' ';
        lesson.prose += line;
      }
    }
  }
  lesson.prose.erase(lesson.prose.find_last_not_of('\n') + 1);
  std::erase(lesson.examples, "");
  return lesson;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool is_repeatable(const CLI::Option& option) {
  return takes_value(option) &&
         (option.get_expected_max() > 1 ||
          option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll);
}

// CLI11 keeps the values of IsMember in its description alone: "TEXT:{a,b}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto open = type.find(":{");
  const auto close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 2, close - open - 2), ',');
}

std::string value_word(const CLI::Option& option) {
  if (const auto choices = choices_of(option); !choices.empty()) {
    return fmt::format("{{{}}}", fmt::join(choices, ","));
  }
  const auto type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string spelling_of(const CLI::Option& option) {
  const auto after = is_repeatable(option) ? more : "";
  if (option.get_positional()) return fmt::format("{}{}", option.get_name(true), after);
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  auto text = fmt::format("{}", fmt::join(names, ", "));
  if (takes_value(option)) text += " " + value_word(option);
  return fmt::format("{}{}", text, after);
}

std::string synopsis_of(const CLI::App& command) {
  auto text = path_of(command);
  for (const auto* option : options_of(command)) {
    auto spelling = spelling_of(*option);
    // "-q, --quiet" is one option, its long name says more.
    const auto comma = spelling.rfind(", ");
    if (comma != std::string::npos) spelling.erase(0, comma + 2);
    if (is_repeatable(*option)) spelling.resize(spelling.size() - more.size());
    text += option->get_required() ? " " + spelling : " [" + spelling + "]";
    if (is_repeatable(*option)) text += more;
  }
  for (const auto* argument : arguments_of(command)) {
    const auto name = spelling_of(*argument);
    text += argument->get_required() ? " " + name : " [" + name + "]";
  }
  if (!commands_of(command).empty()) text += " COMMAND";
  return text;
}

const std::vector<ExitMeaning>& exit_meanings() {
  static const std::vector<ExitMeaning> meanings = {
      {.status = all_done,
       .meaning = "all done; or everything under way was saved after SIGTERM or a closed terminal"},
      {.status = some_failed,
       .meaning = "at least one domain failed or was put off; the others were done"},
      {.status = wrong_usage, .meaning = "wrong usage or config; nothing was done"},
      {.status = interrupted, .meaning = "interrupted by Ctrl-C; all progress is saved"},
  };
  return meanings;
}

}  // namespace certherd::cli

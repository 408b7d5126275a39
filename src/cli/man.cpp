#include "cli/man.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <array>

#include "app/version.hpp"
#include "cli/command_tree.hpp"
#include "cli/text.hpp"

namespace certherd::cli {
namespace {

/// A term and what it means.
struct Entry {
  std::string_view term;
  std::string_view meaning;
};

constexpr std::array files = {
    Entry{.term = "certherd.toml", .meaning = "The config, in the folder that one is in."},
    Entry{.term = "/etc/certherd/certherd.toml",
          .meaning = "The config where there is no other: --config, $CERTHERD_CONFIG and "
                     "./certherd.toml come first. Relative paths in a config are relative to its "
                     "own folder."},
    Entry{.term = "certherd.key",
          .meaning = "The seal key that protects the private keys in the store; [store] seal_key "
                     "names it. Nobody can open them without it."},
    Entry{.term = "state.db",
          .meaning = "The store: inventory, certificates, accounts, every step under way, and the "
                     "audit trail; [store] url names it."},
};

constexpr std::array environment = {
    Entry{.term = "CERTHERD_CONFIG", .meaning = "The config, where --config names none."},
    Entry{.term = "SSL_CERT_FILE, SSL_CERT_DIR",
          .meaning = "The roots to trust, instead of the system's."},
    Entry{.term = "TMPDIR", .meaning = "Where a demo puts its folder."},
};

constexpr std::size_t source_width = 76;

/// Text as roff: nothing in it is read as a request or an escape.
std::string escaped(std::string_view text) {
  std::string roff;
  roff.reserve(text.size());
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) roff += "\\&";
    line_start = c == '\n';
    switch (c) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '"':
        roff += "\\(dq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      default:
        roff += c;
    }
  }
  return roff;
}

class ManPage {
 public:
  void title() {
    text_ += fmt::format(".TH CERTHERD 1 \"{}\" \"certherd {}\" \"User Commands\"\n",
                         app::released(), app::version());
  }
  void section(std::string_view name) { text_ += fmt::format(".SH {}\n", name); }
  void subsection(std::string_view name) { text_ += fmt::format(".SS {}\n", escaped(name)); }
  void prose(std::string_view text) {
    for (const auto& line : wrap(text, source_width)) text_ += escaped(line) + "\n";
  }
  void bold(std::string_view text) { text_ += fmt::format("\\fB{}\\fR\n", escaped(text)); }

  void paragraphs(std::string_view text) {
    while (!text.empty()) {
      const auto end = std::min(text.find("\n\n"), text.size());
      text_ += ".PP\n";
      prose(text.substr(0, end));
      text.remove_prefix(std::min(end + 2, text.size()));
    }
  }

  void entry(std::string_view term, std::string_view meaning) {
    text_ += fmt::format(".TP\n\\fB{}\\fR\n", escaped(term));
    prose(meaning);
  }

  void gap() { text_ += ".sp\n"; }

  void examples(const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    text_ += ".RS 4\n.nf\n";
    for (const auto& line : lines) text_ += escaped(line) + "\n";
    text_ += ".fi\n.RE\n";
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void describe_options(ManPage& page, const CLI::App& command) {
  for (const auto* argument : arguments_of(command)) {
    page.entry(spelling_of(*argument), argument->get_description());
  }
  for (const auto* option : options_of(command)) {
    auto meaning = option->get_description();
    if (const auto usual = option->get_default_str(); !usual.empty()) {
      meaning += fmt::format(" [{}]", usual);
    }
    page.entry(spelling_of(*option), meaning);
  }
}

void describe(ManPage& page, const CLI::App& command) {
  page.subsection(path_of(command));
  page.bold(synopsis_of(command));
  page.paragraphs(command.get_description() + ".");
  const auto lesson = lesson_of(command);
  page.paragraphs(lesson.prose);
  describe_options(page, command);
  page.gap();
  page.examples(lesson.examples);
}

}  // namespace

std::string man_page(const CLI::App& tree) {
  ManPage page;
  page.title();
  page.section("NAME");
  page.prose("certherd - keep the TLS certificates of a whole fleet of domains valid");
  page.section("SYNOPSIS");
  page.bold("certherd [OPTIONS] COMMAND");
  page.section("DESCRIPTION");
  page.prose(tree.get_description());
  page.paragraphs(
      "Results go to standard output, log and progress to standard error. Everything that is "
      "begun is written down first, so a command may be killed at any moment: the next one takes "
      "up what it left.");
  page.section("OPTIONS");
  page.prose("These stand before or behind every command.");
  describe_options(page, tree);
  page.section("COMMANDS");
  for (const auto& group : groups_of(tree)) {
    for (const auto* command : commands_of(tree)) {
      if (command->get_group() != group) continue;
      const auto below = leaves_of(*command);
      if (below.empty()) describe(page, *command);
      for (const auto* leaf : below) describe(page, *leaf);
    }
  }
  page.section("EXAMPLES");
  page.examples(lesson_of(tree).examples);
  page.section("FILES");
  for (const auto& [term, meaning] : files) page.entry(term, meaning);
  page.section("ENVIRONMENT");
  for (const auto& [term, meaning] : environment) page.entry(term, meaning);
  page.section("EXIT STATUS");
  for (const auto& [status, meaning] : exit_meanings()) {
    page.entry(std::to_string(status), std::string(meaning) + ".");
  }
  page.section("SEE ALSO");
  page.prose("RFC 8555, Automatic Certificate Management Environment");
  return page.take();
}

void add_man(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("man", "The manual page, as roff");
  command->footer(
      "Examples:\n"
      "  certherd man | man -l -\n"
      "  certherd man >/usr/local/share/man/man1/certherd.1");
  command->callback([&context, &parent] {
    context.action = [&parent] {
      fmt::print("{}", man_page(parent));
      return all_done;
    };
  });
}

}  // namespace certherd::cli

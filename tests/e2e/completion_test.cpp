#include <gmock/gmock.h>

#include <cstdlib>

#include "end_to_end.hpp"
#include "runtime/process.hpp"
#include "terminal.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto control_a = "\x01";  // to the start of the line
constexpr auto control_e = "\x05";  // to its end

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// The real shells, in a folder with a config and an inventory.
class Completion : public EndToEnd {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"init"}).status, 0);
    const auto added = run({"domain", "import", "-"},
                           "domain\nwww.example.com\n*.wild.example.com\nother.example.net\n");
    ASSERT_EQ(added.status, 0) << added.err;
    fs::create_directory(path("a folder"));
    write_file(path("a file.csv"), "");
  }

  std::string search_path() const {
    return program().parent_path().string() + ":" + std::getenv("PATH");
  }

  /// What a shell's script prints.
  std::string shell(const std::string& name, const std::string& script) {
    runtime::Command command;
    command.arguments = {name, "-c", "cd \"$FOLDER\" && " + script};
    command.environment = {{"PATH", search_path()},
                           {"FOLDER", folder().string()},
                           {"HOME", folder().string()},
                           {"CERTHERD_CONFIG", ""}};
    auto ended =
        loop().run(runtime::run_command(&loop(), std::move(command), loop().clock().now() + 1min));
    if (!ended) {
      ADD_FAILURE() << ended.error().message();
      return {};
    }
    EXPECT_EQ(ended->exit_status, 0) << ended->output;
    return ended->output;
  }

  /// What bash's completion proposes for `words`, the last one being typed.
  std::vector<std::string> in_bash(const std::string& words) {
    return lines_of(shell("bash", "source <(certherd completion bash) && COMP_WORDS=(certherd " +
                                      words +
                                      ") && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) && _certherd && "
                                      "((${#COMPREPLY[@]} == 0)) || "
                                      "printf '%s\\n' \"${COMPREPLY[@]}\""));
  }

  /// The same, each with what fish says of it.
  std::vector<std::string> in_fish(const std::string& line) {
    return lines_of(shell("fish", "certherd completion fish | source; complete -C '" + line + "'"));
  }

  /// Defines a command that shows its arguments, and then waits for the shell's script.
  static void prepare(Terminal& shell, const std::string& script) {
    shell.type("said() { printf '<%s>' \"$@\"; echo; }; " + script + " && echo re''ady\n");
    shell.await("\nready");
  }

  /// Types `typed` and a tab, and has the arguments shown that this makes.
  static void expect_line(Terminal& shell, const std::string& typed, const std::string& arguments) {
    shell.type(typed + "\t" + control_a + "said " + control_e + "\n");
    shell.await("\n" + arguments + "\n");
  }

  Terminal::Options interactive(std::vector<std::string> arguments) {
    return {.arguments = std::move(arguments),
            .folder = folder(),
            .environment = {{"PATH", search_path()},
                            {"HOME", folder().string()},
                            {"PS1", "$ "},
                            {"INPUTRC", "/dev/null"},
                            {"HISTFILE", ""}},
            .columns = 200};
  }
};

TEST_F(Completion, BashProposesCommandsOptionsAndValues) {
  EXPECT_THAT(in_bash("''"), AllOf(Contains("issue"), Contains("completion")));
  EXPECT_THAT(in_bash("dom"), ElementsAre("domain"));
  EXPECT_THAT(in_bash("domain s"), Contains("show"));
  EXPECT_THAT(in_bash("cert list --al"), ElementsAre("--all"));
  EXPECT_THAT(in_bash("completion ''"), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(in_bash("account show --ca = lets"),
              ElementsAre("letsencrypt", "letsencrypt-staging"));
  EXPECT_THAT(in_bash("version ''"), IsEmpty());
}

TEST_F(Completion, BashProposesTheDomainsOfTheStore) {
  EXPECT_THAT(in_bash("issue w"), ElementsAre("www.example.com"));
  EXPECT_THAT(in_bash("issue ''"),
              ElementsAre("\\*.wild.example.com", "other.example.net", "www.example.com"));
  EXPECT_THAT(in_bash("--config /nowhere.toml issue ''"), IsEmpty());
}

TEST_F(Completion, BashCompletesALine) {
  Terminal shell(loop(), interactive({"bash", "--norc", "--noprofile", "-i"}));
  prepare(shell, "source <(certherd completion bash)");
  expect_line(shell, "certherd domain sh", "<certherd><domain><show>");
  expect_line(shell, "certherd issue ww", "<certherd><issue><www.example.com>");
  expect_line(shell, "certherd issue \\*", "<certherd><issue><*.wild.example.com>");
  expect_line(shell, "certherd domain import a\\ fi", "<certherd><domain><import><a file.csv>");
  expect_line(shell, "certherd init --dir a", "<certherd><init><--dir><a folder/>");
}

TEST_F(Completion, ZshCompletesALine) {
  Terminal shell(loop(), interactive({"zsh", "-f", "-i"}));
  prepare(
      shell,
      "autoload -Uz compinit && compinit -D && bindkey -e && source <(certherd completion zsh)");
  expect_line(shell, "certherd vers", "<certherd><version>");
  expect_line(shell, "certherd domain sh", "<certherd><domain><show>");
  expect_line(shell, "certherd cert list --al", "<certherd><cert><list><--all>");
  expect_line(shell, "certherd issue ww", "<certherd><issue><www.example.com>");
  expect_line(shell, "certherd domain import a\\ fi", "<certherd><domain><import><a file.csv>");
  expect_line(shell, "certherd account show --ca=letsencrypt-",
              "<certherd><account><show><--ca=letsencrypt-staging>");
}

TEST_F(Completion, FishProposesWithWhatItMeans) {
  EXPECT_THAT(in_fish("certherd vers"), ElementsAre("version\tVersion, build and libraries"));
  EXPECT_THAT(in_fish("certherd issue w"), ElementsAre("www.example.com"));
  EXPECT_THAT(in_fish("certherd cert list --al"), ElementsAre(HasSubstr("--all\t")));
  EXPECT_THAT(in_fish("certherd domain import a"), Contains(HasSubstr("a file.csv")));
  EXPECT_THAT(in_fish("certherd init --dir "),
              AllOf(Contains(HasSubstr("a folder/")), Not(Contains(HasSubstr("file.csv")))));
}

TEST_F(Completion, AsksSilentlyAndChangesNothing) {
  const auto asked = run({"__complete", "--config", "/nowhere.toml", "issue", ""});
  EXPECT_EQ(asked.status, 0);
  EXPECT_THAT(asked.out, IsEmpty());
  EXPECT_THAT(asked.err, IsEmpty());
  fs::remove(path("state.db"));
  EXPECT_THAT(run({"__complete", "issue", ""}).err, IsEmpty());
  EXPECT_FALSE(fs::exists(path("state.db")));
  write_file(path("certherd.toml"), "broken");
  EXPECT_THAT(run({"__complete", "issue", ""}).err, IsEmpty());
}

TEST_F(Completion, NeedsNoSealKey) {
  fs::remove(path("certherd.key"));
  EXPECT_EQ(run({"__complete", "issue", "o"}).out, "other.example.net\n");
}

}  // namespace
}  // namespace certherd::e2e

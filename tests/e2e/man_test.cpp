#include <gmock/gmock.h>

#include "end_to_end.hpp"
#include "runtime/process.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Manual : public EndToEnd {
 protected:
  void SetUp() override {
    const auto made = run({"man"});
    ASSERT_EQ(made.status, 0) << made.err;
    page_ = made.out;
    write_file(path("certherd.1"), page_);
  }

  /// What another program says, which must succeed.
  std::string output_of(std::vector<std::string> arguments) {
    runtime::Command command;
    command.arguments = std::move(arguments);
    const Time deadline = loop().clock().now() + 1min;
    auto ended = loop().run(runtime::run_command(&loop(), std::move(command), deadline));
    if (!ended) {
      ADD_FAILURE() << ended.error().message();
      return {};
    }
    EXPECT_EQ(ended->exit_status, 0) << ended->output;
    return ended->output;
  }

  std::string page_;
};

TEST_F(Manual, IsReadWithoutAWarning) {
  const auto file = path("certherd.1").string();
  EXPECT_THAT(output_of({"mandoc", "-T", "lint", "-W", "warning", file}), IsEmpty());
  EXPECT_THAT(output_of({"groff", "-man", "-ww", "-z", "-k", "-Tutf8", file}), IsEmpty());
}

TEST_F(Manual, TellsCommandsFilesEnvironmentAndExitStatus) {
  // Without the overstrikes by which terminals showed bold, and as one line.
  const auto file = path("certherd.1").string();
  const auto text = output_of(
      {"sh", "-c", "mandoc -T ascii -O width=300 \"$1\" | sed 's/.\\x08//g'", "sh", file});
  for (const auto* section : {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXAMPLES",
                              "FILES", "ENVIRONMENT", "EXIT STATUS"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(section) + "\n"));
  }
  EXPECT_THAT(
      text, AllOf(HasSubstr("certherd domain add [--zone-id Z] [--name N]... [--set K=V]... NAME"),
                  HasSubstr("certherd domain add example.com --name '*.example.com'"),
                  HasSubstr("--domains N"), HasSubstr("[100]"), HasSubstr("CERTHERD_CONFIG"),
                  HasSubstr("/etc/certherd/certherd.toml"), HasSubstr("interrupted by Ctrl-C")));
}

TEST_F(Manual, IsInstalledWithProgramAndCompletions) {
  const auto prefix = path("prefix");
  (void)output_of({CMAKE_PROGRAM, "--install", CERTHERD_BUILD, "--prefix", prefix.string()});
  const auto share = prefix / "share";
  EXPECT_EQ(content_of(share / "man/man1/certherd.1"), page_);
  const std::vector<std::pair<std::string, fs::path>> scripts = {
      {"bash", share / "bash-completion/completions/certherd"},
      {"zsh", share / "zsh/site-functions/_certherd"},
      {"fish", share / "fish/vendor_completions.d/certherd.fish"}};
  for (const auto& [shell, file] : scripts) {
    EXPECT_EQ(content_of(file), run({"completion", shell}).out) << shell;
  }
  EXPECT_THAT(output_of({(prefix / "bin/certherd").string(), "version"}), HasSubstr("certherd "));
}

}  // namespace
}  // namespace certherd::e2e

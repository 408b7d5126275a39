#include "terminal.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What the program shows on a terminal.
class OnTerminal : public EndToEnd {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"init"}).status, 0);
    const auto added = run({"domain", "import", "-"},
                           "domain,owner\nwww.long-name.example.com,例え話\nb.example.com,\n");
    ASSERT_EQ(added.status, 0) << added.err;
  }

  std::string shown(std::vector<std::string> arguments, unsigned short columns,
                    std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), program().string());
    Terminal terminal(loop(), {.arguments = std::move(arguments),
                               .folder = folder(),
                               .environment = std::move(environment),
                               .columns = columns});
    EXPECT_EQ(terminal.wait(), 0);
    return terminal.shown();
  }

  static std::size_t longest_line(const std::string& text) {
    // In code points; the two-column ones stand in no line that is full.
    std::size_t longest = 0;
    std::size_t line = 0;
    for (const char c : text) {
      if (c == '\n') line = 0;
      if (c != '\n' && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++line;
      longest = std::max(longest, line);
    }
    return longest;
  }
};

TEST_F(OnTerminal, TablesFitItsWidth) {
  for (const auto columns : std::initializer_list<unsigned short>{40, 80, 200}) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"domain", "list"}, {"log"}, {"plan"}, {"domain", "--help"}}) {
      const auto text = shown(command, columns);
      EXPECT_LE(longest_line(text), columns) << text;
      EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "TERM=dumb";
    }
  }
  EXPECT_THAT(shown({"domain", "list"}, 200),
              AllOf(HasSubstr("www.long-name.example.com"), HasSubstr("例え話")));
}

TEST_F(OnTerminal, APipeGetsEverything) {
  const auto piped = run({"domain", "list"});
  EXPECT_THAT(piped.out, AllOf(HasSubstr("www.long-name.example.com"), HasSubstr("LAST ERROR"),
                               Not(HasSubstr("…"))));
}

TEST_F(OnTerminal, ColoursAreForTerminalsThatWantThem) {
  const std::map<std::string, std::string> able = {{"TERM", "xterm"}, {"NO_COLOR", ""}};
  EXPECT_THAT(shown({"domain", "list"}, 120, able), HasSubstr("\x1b[1mDOMAIN"));
  const std::map<std::string, std::string> unwilling = {{"TERM", "xterm"}, {"NO_COLOR", "1"}};
  EXPECT_THAT(shown({"domain", "list"}, 120, unwilling), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace certherd::e2e

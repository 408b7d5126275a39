#include "cli/complete.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

namespace certherd::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class Complete : public testing::Test {
 protected:
  Completion completion(std::vector<std::string> words) {
    const auto names = [this](ValueKind kind, const std::string& config, std::string_view prefix) {
      asked_config_ = config;
      asked_prefix_ = prefix;
      return kind == ValueKind::domain ? std::vector<std::string>{"a.example", "b.example"}
                                       : std::vector<std::string>{"letsencrypt", "staging"};
    };
    return complete(*tree_, words, names);
  }

  std::vector<std::string> texts(std::vector<std::string> words) {
    std::vector<std::string> texts;
    for (const auto& proposal : completion(std::move(words)).proposals) {
      texts.push_back(proposal.text);
    }
    return texts;
  }

  Context context_;
  std::unique_ptr<CLI::App> tree_ = make_command_tree(context_);
  std::string asked_config_;
  std::string asked_prefix_;
};

TEST_F(Complete, Commands) {
  EXPECT_THAT(texts({"dom"}), ElementsAre("domain"));
  EXPECT_THAT(texts({""}), AllOf(Contains("issue"), Contains("cert"), Not(Contains("--json"))));
  EXPECT_THAT(texts({"--json", "domain", "sho"}), ElementsAre("show"));
  EXPECT_THAT(completion({"vers"}).proposals,
              ElementsAre(Proposal{.text = "version", .about = "Version, build and libraries"}));
  EXPECT_THAT(texts({"dance", ""}), Contains("issue")) << "an unknown word is the parser's matter";
}

TEST_F(Complete, OptionsOfTheCommandAndOfAll) {
  EXPECT_THAT(texts({"cert", "list", "--"}), AllOf(Contains("--all"), Contains("--json")));
  EXPECT_THAT(texts({"cert", "list", "--al"}), ElementsAre("--all"));
  EXPECT_THAT(texts({"cert", "list", "--all", "--al"}), IsEmpty()) << "once is enough";
  EXPECT_THAT(texts({"domain", "add", "--set", "a=b", "--se"}), ElementsAre("--set"));
  EXPECT_THAT(texts({"cert", "list", "--", "--al"}), IsEmpty()) << "behind -- nothing is an option";
}

TEST_F(Complete, NamesOfTheInventoryAndTheConfig) {
  EXPECT_THAT(texts({"issue", ""}), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(texts({"issue", "a.example", ""}), ElementsAre("b.example"));
  EXPECT_THAT(texts({"account", "show", "--ca", ""}), ElementsAre("letsencrypt", "staging"));
  EXPECT_THAT(texts({"account", "show", "--ca=st"}), ElementsAre("--ca=staging"));
  EXPECT_THAT(texts({"account", "show", "--ca", "=", "st"}), ElementsAre("staging")) << "as bash";
  EXPECT_THAT(texts({"account", "show", "--ca", "="}), ElementsAre("letsencrypt", "staging"));
  EXPECT_THAT(texts({"domain", "show", "a.example", ""}), IsEmpty()) << "it takes one";

  (void)texts({"--config", "/etc/x.toml", "issue", "b."});
  EXPECT_EQ(asked_config_, "/etc/x.toml");
  EXPECT_EQ(asked_prefix_, "b.");
  (void)texts({"issue", "--config=/etc/y.toml", "b."});
  EXPECT_EQ(asked_config_, "/etc/y.toml");
}

TEST_F(Complete, ChoicesPathsAndCommandsAsValues) {
  EXPECT_THAT(texts({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(texts({"help", "domain", "sh"}), ElementsAre("show"));
  EXPECT_EQ(completion({"domain", "import", "x"}).paths, Completion::Paths::files);
  EXPECT_EQ(completion({"init", "--dir", ""}).paths, Completion::Paths::folders);
  EXPECT_EQ(completion({"--config=x"}).paths, Completion::Paths::files);
  EXPECT_EQ(completion({"version", ""}), Completion{});
  EXPECT_EQ(completion({"log", "--since", ""}), Completion{});
  EXPECT_EQ(completion({}), Completion{});
}

}  // namespace
}  // namespace certherd::cli

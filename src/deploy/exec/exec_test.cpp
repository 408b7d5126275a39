#include "deploy/exec/exec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "base/versioned_folder.hpp"
#include "crypto/local_ca.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "runtime/task_group.hpp"

namespace certherd::deploy {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr auto patience = seconds(20);

/// One for all tests: what is in it matters to few.
const Material& material() {
  static const Material made = [] {
    const Time now = *parse_time("2026-11-23T12:00:00Z");
    const crypto::LocalCa ca("the root", now);
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
    return Material{"the csr", key.to_pem(),
                    ca.issue(key.public_key(), {"example.com", "*.example.com"}, 0xab, now,
                             now + std::chrono::days(90))};
  }();
  return made;
}

Task<void> install_into(Target* target, std::string domain,
                        std::optional<Result<Receipt>>* outcome) {
  auto content = material();
  *outcome = co_await target->install(Fqdn::literal(domain), std::move(content), "ab");
}

/// The script runs in the folder `top`.
class ExecTest : public testing::Test {
 protected:
  ExecTest() {
    std::string pattern = (fs::temp_directory_path() / "exec.XXXXXX").string();
    top = ::mkdtemp(pattern.data());
  }
  ~ExecTest() override {
    if (target_) loop->run(target_->stop());
    fs::remove_all(top);
  }

  void program(const std::string& script) {
    options.command = {"sh", "-c", "cd \"$1\"\n" + script, "sh", top.string()};
  }

  Target& target() {
    if (!target_) target_ = make_exec(*loop, *offload, options);
    return *target_;
  }

  Result<Receipt> install(const std::string& version = "ab") {
    return loop->run(target().install(domain, material(), version));
  }
  Status retire(const std::string& version = "ab") {
    return loop->run(target().retire({.domain = domain, .version_key = version}));
  }

  std::string text(const std::string& name) const {
    const auto content = read_file(top / name, 10'000);
    return content ? *content : content.error().message();
  }
  void put(const std::string& name, const std::string& content = "") const {
    std::ofstream(top / name) << content;
  }

  Task<void> until_there(std::string name) {
    const auto deadline = loop->clock().now() + patience;
    while (!fs::exists(top / name) && loop->clock().now() < deadline) {
      co_await loop->clock().sleep_for(milliseconds(2));
    }
  }

  Task<void> stop_while_it_runs(std::optional<Result<Receipt>>* outcome) {
    runtime::TaskGroup tasks(*loop);
    tasks.spawn(install_into(&target(), "example.com", outcome));
    co_await until_there("begun");
    co_await target().stop();
    co_await tasks.join();
  }

  Task<void> cancel_while_it_runs(std::optional<Result<Receipt>>* outcome) {
    runtime::TaskGroup tasks(*loop);
    tasks.spawn(install_into(&target(), "example.com", outcome));
    co_await until_there("begun");
    tasks.cancel();
    co_await tasks.join();
  }

  Task<void> install_together(std::vector<std::optional<Result<Receipt>>>* outcomes) {
    runtime::TaskGroup tasks(*loop);
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
      tasks.spawn(
          install_into(&target(), "d" + std::to_string(i) + ".example.com", &outcomes->at(i)));
    }
    co_await tasks.join();
  }

  fs::path top;
  ExecOptions options;
  Fqdn domain = Fqdn::literal("*.example.com");
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 2);

 private:
  std::unique_ptr<Target> target_;
};

// Tells which folder it was given.
const std::string notes_its_folder = "dirname \"$CERTHERD_PRIVATE_KEY\" | tr -d '\\n' > folder\n";

TEST_F(ExecTest, InstallTellsWhatItIsAboutInVariables) {
  program(
      "echo \"$CERTHERD_ACTION|$CERTHERD_DOMAIN|$CERTHERD_NAMES|$CERTHERD_SERIAL|"
      "$CERTHERD_NOT_AFTER\" > told");
  const auto receipt = install();
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->outcome, Installed::installed);
  EXPECT_EQ(receipt->domain, domain);
  EXPECT_EQ(receipt->version_key, "ab");
  EXPECT_EQ(text("told"),
            "install|*.example.com|*.example.com example.com|ab|2027-02-21T12:00:00Z\n");
}

TEST_F(ExecTest, InstallHandsTheCertificateOverInFiles) {
  program(
      "cp \"$CERTHERD_PRIVATE_KEY\" key; cp \"$CERTHERD_FULLCHAIN\" fullchain\n"
      "cp \"$CERTHERD_CERTIFICATE\" leaf; cp \"$CERTHERD_CHAIN\" chain\n"
      "cp \"$CERTHERD_CSR\" csr");
  ASSERT_TRUE(install());
  const auto parts = crypto::split_chain(material().fullchain);
  EXPECT_EQ(text("key"), material().private_key.reveal());
  EXPECT_EQ(text("fullchain"), material().fullchain);
  EXPECT_EQ(text("leaf"), parts->leaf);
  EXPECT_EQ(text("chain"), parts->others);
  EXPECT_EQ(text("csr"), "the csr");
}

TEST_F(ExecTest, NobodyElseMayReadTheFilesAndTheyGoAfterwards) {
  program(notes_its_folder + "stat -c %a \"$(cat folder)\" \"$(cat folder)\"/* | uniq > modes");
  ASSERT_TRUE(install());
  EXPECT_EQ(text("modes"), "700\n600\n");
  EXPECT_TRUE(fs::path(text("folder")).is_absolute());
  EXPECT_FALSE(fs::exists(text("folder")));
}

TEST_F(ExecTest, WhatAKilledProcessHasLeftGoesAtTheNextStart) {
  program(notes_its_folder);
  ASSERT_TRUE(install());
  const fs::path left = text("folder");
  fs::create_directory(left);
  std::ofstream(left / "privkey.pem") << "key";
  const auto next = make_exec(*loop, *offload, options);
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(ExecTest, AFailureIsToldByKindStatusAndLastWords) {
  program(notes_its_folder + "seq 1 7; echo 'no room' >&2; exit 75");
  const auto receipt = install();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::transient);
  EXPECT_THAT(receipt.error().message(), HasSubstr("status 75: 4 | 5 | 6 | 7 | no room"));
  EXPECT_FALSE(fs::exists(text("folder")));
}

TEST_F(ExecTest, AKeyInTheOutputIsNotShown) {
  program("cat \"$CERTHERD_PRIVATE_KEY\"; exit 1");
  const auto receipt = install();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::misconfigured);
  const auto& key = material().private_key.reveal();
  EXPECT_EQ(receipt.error().message().find(key.substr(key.size() - 60, 20)), std::string::npos);
}

TEST_F(ExecTest, OurSecretsAreWithheldAndNothingOfOursIsTakenForAnAnswer) {
  ::setenv("EXEC_TEST_SECRET", "geheim", 1);
  ::setenv("CERTHERD_SERIAL", "ff", 1);
  options.withheld = {"EXEC_TEST_SECRET"};
  options.actions.insert(Action::observe);
  program("echo \"$EXEC_TEST_SECRET$CERTHERD_SERIAL\" >> told");
  ASSERT_TRUE(install());
  ::unsetenv("EXEC_TEST_SECRET");
  ::unsetenv("CERTHERD_SERIAL");
  EXPECT_EQ(text("told"), "\nab\n");
}

TEST_F(ExecTest, AProgramThatHangsIsEndedAtItsTimeout) {
  options.timeout = milliseconds(200);
  program(notes_its_folder + "sleep 600");
  const auto receipt = install();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::deadline) << receipt.error().message();
  EXPECT_FALSE(fs::exists(text("folder")));
}

TEST_F(ExecTest, StoppingEndsWhatRunsAndStartsNothingMore) {
  program(notes_its_folder + "touch begun; sleep 600");
  std::optional<Result<Receipt>> outcome;
  loop->run(stop_while_it_runs(&outcome));
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().kind, Error::Kind::transient) << outcome->error().message();
  EXPECT_FALSE(fs::exists(text("folder")));

  const auto later = install();
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().kind, Error::Kind::transient);
}

TEST_F(ExecTest, ACancelledInstallLeavesNoFiles) {
  program(notes_its_folder + "touch begun; sleep 600");
  std::optional<Result<Receipt>> outcome;
  loop->run(cancel_while_it_runs(&outcome));
  EXPECT_FALSE(outcome);
  EXPECT_FALSE(fs::exists(text("folder")));
}

// Each of them waits for a second one; a third one at the same time would be seen.
TEST_F(ExecTest, AsManyRunAtOnceAsTheOptionsSay) {
  options.at_once = 2;
  program(
      "touch \"begun.$$\" \"busy.$$\"\n"
      "until [ $(ls begun.* | wc -l) -ge 2 ]; do sleep 0.01; done\n"
      "[ $(ls busy.* | wc -l) -le 2 ] || touch crowd\n"
      "rm \"busy.$$\"");
  std::vector<std::optional<Result<Receipt>>> outcomes(6);
  loop->run(install_together(&outcomes));
  for (const auto& outcome : outcomes) {
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome) << outcome->error().message();
  }
  EXPECT_FALSE(fs::exists(top / "crowd"));
}

TEST_F(ExecTest, WithoutObserveNobodyKnowsAndInstallAlwaysRuns) {
  program("echo \"$CERTHERD_ACTION\" >> told");
  const auto seen = loop->run(target().observe(domain));
  ASSERT_TRUE(seen);
  ASSERT_TRUE(*seen);
  EXPECT_EQ((*seen)->version_key, "");
  EXPECT_EQ(install()->outcome, Installed::installed);
  EXPECT_EQ(install()->outcome, Installed::installed);
  EXPECT_EQ(text("told"), "install\ninstall\n");
}

TEST_F(ExecTest, WithObserveInstallLooksFirst) {
  options.actions.insert(Action::observe);
  program(
      "echo \"$CERTHERD_ACTION $CERTHERD_DOMAIN\" >> told\n"
      "echo 'looking' >&2; cat serial");
  put("serial", "serial=AB\n");
  const auto seen = loop->run(target().observe(domain));
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ((*seen)->version_key, "ab");
  EXPECT_EQ(install("ab")->outcome, Installed::unchanged);
  EXPECT_EQ(install("cd")->outcome, Installed::installed);
  EXPECT_EQ(text("told"),
            "observe *.example.com\nobserve *.example.com\nobserve *.example.com\n"
            "install *.example.com\n");
}

TEST_F(ExecTest, WhatCannotBeObservedIsNotInstalledOver) {
  options.actions.insert(Action::observe);
  program("touch \"ran.$CERTHERD_ACTION\"; echo 'who are you' >&2; exit 77");
  const auto receipt = install();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::denied);
  EXPECT_THAT(receipt.error().message(), HasSubstr("who are you"));
  EXPECT_FALSE(fs::exists(top / "ran.install"));
}

TEST_F(ExecTest, RetireIsAskedOnlyOfWhoKnowsIt) {
  program("touch ran");
  const auto refused = retire();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("\"retire\""));
  EXPECT_FALSE(fs::exists(top / "ran"));
}

TEST_F(ExecTest, RetireNamesTheSerialThatIsToGo) {
  options.actions.insert(Action::retire);
  program("echo \"$CERTHERD_ACTION $CERTHERD_DOMAIN $CERTHERD_SERIAL\" > told");
  ASSERT_TRUE(retire());
  EXPECT_EQ(text("told"), "retire *.example.com ab\n");
}

TEST_F(ExecTest, WithObserveRetireLeavesAnotherVersionAlone) {
  options.actions = {Action::install, Action::retire, Action::observe};
  program("[ \"$CERTHERD_ACTION\" = observe ] && exec cat serial\necho x >> retired");
  put("serial", "cd");
  ASSERT_TRUE(retire("ab"));
  put("serial");
  ASSERT_TRUE(retire("ab"));
  EXPECT_FALSE(fs::exists(top / "retired"));
  put("serial", "ab");
  ASSERT_TRUE(retire("ab"));
  ASSERT_TRUE(retire(""));
  EXPECT_EQ(text("retired"), "x\nx\n");
}

TEST_F(ExecTest, CheckRunsTheProgramOnlyIfItKnowsThat) {
  program("echo \"$CERTHERD_ACTION\" >> told; exit 78");
  EXPECT_TRUE(loop->run(target().check()));
  EXPECT_FALSE(fs::exists(top / "told"));
}

TEST_F(ExecTest, CheckAsksTheProgramThatKnowsIt) {
  options.actions.insert(Action::check);
  program("echo \"$CERTHERD_ACTION\" >> told; exit 78");
  const auto checked = loop->run(target().check());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(text("told"), "check\n");
}

TEST_F(ExecTest, CheckTellsThatThereIsNoSuchProgram) {
  options.command = {(top / "none").string()};
  const auto checked = loop->run(target().check());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, Error::Kind::misconfigured);
}

TEST_F(ExecTest, AChainThatCannotBeReadIsRejectedBeforeTheProgramRuns) {
  program("touch ran");
  auto broken = material();
  broken.fullchain = "no chain";
  const auto receipt = loop->run(target().install(domain, broken, "ab"));
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::rejected);
  EXPECT_FALSE(fs::exists(top / "ran"));
}

}  // namespace
}  // namespace certherd::deploy

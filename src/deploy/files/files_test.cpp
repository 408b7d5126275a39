#include "deploy/files/files.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "base/versioned_folder.hpp"
#include "runtime/task_group.hpp"

namespace certherd::deploy {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr auto patience = std::chrono::seconds(20);

Material material(const std::string& version) {
  return {"csr " + version, Secret<std::string>("key " + version), "chain " + version};
}

Task<void> install_into(Target* target, std::string domain, std::string version,
                        std::optional<Result<Receipt>>* outcome) {
  auto content = material(version);
  *outcome = co_await target->install(Fqdn::literal(domain), std::move(content), version);
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string pattern = (fs::temp_directory_path() / "files.XXXXXX").string();
    top = ::mkdtemp(pattern.data());
    options.path = top / "certs";
    options.gather = milliseconds(1);
  }
  ~FilesTest() override {
    stop();
    fs::remove_all(top);
  }

  Target& target() {
    if (!target_) target_ = make_files(*loop, *offload, options);
    return *target_;
  }

  /// Ends the target, so that the next use makes one that knows only what is on the disk.
  void stop() {
    if (target_) loop->run(target_->stop());
    target_.reset();
  }

  /// Each reload adds a line to the file `reloads`, then does what `script` says.
  void reload_with(const std::string& script) {
    options.reload = {"sh", "-c", "cd \"$1\" && echo x >> reloads\n" + script, "reload",
                      top.string()};
  }

  std::ptrdiff_t reloads() const {
    const auto lines = read_file(top / "reloads", 10'000);
    return lines ? std::ranges::count(*lines, '\n') : 0;
  }

  void put(const std::string& name) const { std::ofstream(top / name) << ""; }

  Result<Receipt> install(const std::string& domain, const std::string& version) {
    return loop->run(target().install(Fqdn::literal(domain), material(version), version));
  }
  std::string observed(const std::string& domain) {
    const auto version = loop->run(target().observe(Fqdn::literal(domain)));
    if (!version) return version.error().message();
    return *version ? (*version)->version_key : "none";
  }

  std::string text(const std::string& path) const {
    auto content = read_file(options.path / path, 1000);
    return content ? *content : content.error().message();
  }
  unsigned mode(const std::string& path) const {
    struct stat status{};
    EXPECT_EQ(::stat((options.path / path).c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  Task<void> until_reloads(std::ptrdiff_t count) {
    const auto deadline = loop->clock().now() + patience;
    while (reloads() < count && loop->clock().now() < deadline) {
      co_await loop->clock().sleep_for(milliseconds(2));
    }
  }

  Task<void> install_ten_together(std::vector<std::optional<Result<Receipt>>>* outcomes) {
    runtime::TaskGroup tasks(*loop);
    for (std::size_t i = 0; i < 10; ++i) {
      const auto domain = "d" + std::to_string(i) + ".example.com";
      tasks.spawn(install_into(&target(), domain, "01", &outcomes->at(i)));
    }
    co_await tasks.join();
  }

  Task<void> install_while_reloading() {
    runtime::TaskGroup tasks(*loop);
    std::optional<Result<Receipt>> first;
    std::optional<Result<Receipt>> second;
    tasks.spawn(install_into(&target(), "a.example.com", "01", &first));
    co_await until_reloads(1);
    tasks.spawn(install_into(&target(), "b.example.com", "01", &second));
    // Time enough to switch, if it were not for the reload; no wait could prove more.
    co_await loop->clock().sleep_for(milliseconds(100));
    EXPECT_FALSE(fs::exists(options.path / "b.example.com"));
    put("go");
    co_await tasks.join();
    EXPECT_TRUE(first && *first);
    EXPECT_TRUE(second && *second);
  }

  Task<void> stop_while_reloading(std::optional<Result<Receipt>>* outcome) {
    runtime::TaskGroup tasks(*loop);
    tasks.spawn(install_into(&target(), "example.com", "01", outcome));
    co_await until_reloads(1);
    co_await target().stop();
    co_await tasks.join();
  }

  fs::path top;
  FilesOptions options;
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 2);

 private:
  std::unique_ptr<Target> target_;
};

TEST_F(FilesTest, WritesKeyAndChainForTheOwnerAlone) {
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(text("example.com/privkey.pem"), "key 01");
  EXPECT_EQ(text("example.com/fullchain.pem"), "chain 01");
  EXPECT_EQ(mode("example.com/privkey.pem"), 0600U);
  EXPECT_FALSE(fs::exists(options.path / "example.com" / "bundle.pem"));
}

TEST_F(FilesTest, ABundleComesWithKeyAndChain) {
  options.bundles = {Server::haproxy};
  ASSERT_TRUE(install("example.com", "01"));
  EXPECT_EQ(text("example.com/bundle.pem"), "key 01\nchain 01");
}

TEST_F(FilesTest, ABundleAskedForLaterComesWithTheSameVersion) {
  ASSERT_TRUE(install("example.com", "01"));
  stop();
  options.bundles = {Server::haproxy};
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->outcome, Installed::installed);
  EXPECT_EQ(text("example.com/bundle.pem"), "key 01\nchain 01");
}

TEST_F(FilesTest, TheModeIsThatOfTheOptions) {
  options.mode = 0640;
  ASSERT_TRUE(install("example.com", "01"));
  EXPECT_EQ(mode("example.com/privkey.pem"), 0640U);
  EXPECT_EQ(mode("example.com"), 0710U);
}

TEST_F(FilesTest, ReloadsAfterTheFilesAreThere) {
  reload_with("cat certs/example.com/fullchain.pem > seen");
  ASSERT_TRUE(install("example.com", "01"));
  EXPECT_EQ(text("../seen"), "chain 01");
}

TEST_F(FilesTest, InstallsThatComeTogetherShareOneReload) {
  options.gather = milliseconds(500);
  reload_with("");
  std::vector<std::optional<Result<Receipt>>> outcomes(10);
  loop->run(install_ten_together(&outcomes));
  for (const auto& outcome : outcomes) {
    ASSERT_TRUE(outcome);
    ASSERT_TRUE(*outcome) << outcome->error().message();
    EXPECT_EQ((*outcome)->outcome, Installed::installed);
  }
  EXPECT_EQ(reloads(), 1);
}

TEST_F(FilesTest, AnInstallDuringAReloadSwitchesAfterItAndGetsTheNextOne) {
  reload_with("while [ ! -e go ]; do sleep 0.01; done");
  loop->run(install_while_reloading());
  EXPECT_EQ(reloads(), 2);
}

TEST_F(FilesTest, AnUnchangedInstallCausesNoReload) {
  reload_with("");
  ASSERT_TRUE(install("example.com", "01"));
  const auto again = install("example.com", "01");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, Installed::unchanged);
  EXPECT_EQ(reloads(), 1);
}

TEST_F(FilesTest, AFailingReloadTellsItsStatusAndItsLastWords) {
  reload_with("for i in 1 2 3 4 5 6 7; do echo line $i; done >&2; exit 7");
  const auto receipt = install("example.com", "01");
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::misconfigured);
  const auto message = receipt.error().message();
  EXPECT_NE(message.find("status 7: line 3 | line 4 | line 5 | line 6 | line 7"), std::string::npos)
      << message;
}

TEST_F(FilesTest, AFailedReloadIsTriedAgainForTheSameVersion) {
  reload_with("[ ! -e broken ]");
  put("broken");
  ASSERT_FALSE(install("example.com", "01"));
  EXPECT_EQ(observed("example.com"), "none");

  fs::remove(top / "broken");
  const auto again = install("example.com", "01");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::installed);
  EXPECT_EQ(observed("example.com"), "01");
  EXPECT_EQ(reloads(), 2);
  EXPECT_EQ(install("example.com", "01")->outcome, Installed::unchanged);
  EXPECT_EQ(reloads(), 2);
}

TEST_F(FilesTest, StoppingEndsAnInstallAndTheNextStartActivatesItsVersion) {
  reload_with("while [ ! -e go ]; do sleep 0.01; done");
  std::optional<Result<Receipt>> outcome;
  loop->run(stop_while_reloading(&outcome));
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().kind, Error::Kind::transient);
  stop();

  put("go");
  EXPECT_EQ(observed("example.com"), "none");
  const auto again = install("example.com", "01");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::installed);
  EXPECT_EQ(reloads(), 2);
}

TEST_F(FilesTest, AReloadThatHangsIsEndedAtItsTimeout) {
  options.reload_timeout = milliseconds(200);
  reload_with("sleep 600");
  const auto receipt = install("example.com", "01");
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::deadline) << receipt.error().message();
}

TEST_F(FilesTest, AReloadThatDoesNotExistIsOurOwnMistake) {
  options.reload = {(top / "no-such-program").string()};
  const auto receipt = install("example.com", "01");
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Error::Kind::misconfigured) << receipt.error().message();
}

TEST_F(FilesTest, RetiringReloadsOnceAndThenHasNothingToDo) {
  reload_with("[ ! -e certs/example.com ] || exit 0\ntouch gone");
  const auto receipt = install("example.com", "01");
  ASSERT_TRUE(receipt);
  ASSERT_TRUE(loop->run(target().retire(*receipt)));
  EXPECT_TRUE(fs::exists(top / "gone"));
  ASSERT_TRUE(loop->run(target().retire(*receipt)));
  EXPECT_EQ(reloads(), 2);
}

TEST_F(FilesTest, AVersionKeyCannotLeaveTheFolder) {
  reload_with("");
  for (const std::string version : {"../../elsewhere", "", "."}) {
    const auto receipt = install("example.com", version);
    ASSERT_FALSE(receipt) << version;
    EXPECT_EQ(receipt.error().kind, Error::Kind::misconfigured);
  }
  EXPECT_EQ(reloads(), 0);
}

}  // namespace
}  // namespace certherd::deploy

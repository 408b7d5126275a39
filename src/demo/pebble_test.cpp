#include "demo/pebble.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "demo/free_port.hpp"

namespace certherd::demo {
namespace {

/// A folder of its own and an environment that is put back.
class OwnFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "certherd-demo-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    for (const auto* name : {"CERTHERD_PEBBLE", "PATH", "HOME"}) {
      const char* value = getenv(name);
      before_[name] = value == nullptr ? "" : value;
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) set(name, value);
    std::filesystem::remove_all(folder);
  }

  static void set(const std::string& name, const std::string& value) {
    ASSERT_EQ(setenv(name.c_str(), value.c_str(), 1), 0);
  }

  std::filesystem::path program(const std::string& name, const std::string& script) {
    auto path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "#!/bin/sh\n" << script << '\n';
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  std::filesystem::path folder;

 private:
  std::map<std::string, std::string> before_;
};

class FindPebble : public OwnFolder {};

TEST_F(FindPebble, PrefersTheNamedProgramThenPathThenWhereSetupPutsIt) {
  const auto named = program("named", "");
  const auto in_path = program("bin/pebble", "");
  const auto installed = program(".local/share/certherd/bin/pebble", "");
  set("CERTHERD_PEBBLE", named);
  set("PATH", "/nonexistent::" + (folder / "bin").string());
  set("HOME", folder);
  EXPECT_EQ(*find_pebble(), named);
  set("CERTHERD_PEBBLE", "");
  EXPECT_EQ(*find_pebble(), in_path);
  set("PATH", "/nonexistent");
  EXPECT_EQ(*find_pebble(), installed);
}

TEST_F(FindPebble, SaysWhatToDoWhenThereIsNone) {
  set("CERTHERD_PEBBLE", "");
  set("PATH", folder);
  set("HOME", folder);
  const auto found = find_pebble();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, Error::Kind::misconfigured);
  EXPECT_NE(found.error().detail.find("run scripts/setup"), std::string::npos);
}

TEST_F(FindPebble, DoesNotLookOnWhenTheNamedOneIsNoProgram) {
  program("bin/pebble", "");
  set("PATH", folder / "bin");
  set("CERTHERD_PEBBLE", folder / "nothing");
  const auto found = find_pebble();
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().detail.find("CERTHERD_PEBBLE="), std::string::npos);
}

TEST(FreePort, CanBeDrawnAgainAndAgain) {
  const auto one = free_port();
  const auto other = free_port();
  ASSERT_TRUE(one && other);
  EXPECT_GT(*one, 1023);
}

class StartPebble : public OwnFolder {
 protected:
  Result<std::unique_ptr<PebbleServer>> start() {
    PebbleOptions options;
    options.folder = folder;
    return loop->run(PebbleServer::start(loop.get(), offload.get(), std::move(options)));
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 1);
};

TEST_F(StartPebble, TellsTheLastWordsOfOneThatEnds) {
  set("CERTHERD_PEBBLE", program("pebble", "echo 'no such flag'; exit 1"));
  const auto server = start();
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(server.error().detail, "it ended: no such flag");
}

TEST_F(StartPebble, DrawsOtherPortsWhenTheirsWereTaken) {
  set("CERTHERD_PEBBLE", program("pebble", "echo start; echo 'bind: address already in use'"));
  const auto server = start();
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, Error::Kind::transient);
  std::ifstream log(folder / "pebble.log");
  int starts = 0;
  for (std::string line; std::getline(log, line);) starts += line == "start" ? 1 : 0;
  EXPECT_EQ(starts, 5);
}

TEST_F(StartPebble, KeepsItsHttpsKeyFromOthersAlsoTheSecondTime) {
  set("CERTHERD_PEBBLE", program("pebble", "exit 1"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(start().error().kind, Error::Kind::misconfigured);
    const auto mode = std::filesystem::status(folder / "pebble-https.key").permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

}  // namespace
}  // namespace certherd::demo

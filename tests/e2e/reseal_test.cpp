#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>
#include <thread>

#include "app/lease.hpp"
#include "app/process_identity.hpp"
#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// The program itself, with the key of an account sealed in its store.
class StoreReseal : public EndToEnd {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"init"}).status, 0);
    sealed_account();
  }

  std::unique_ptr<app::App> open() {
    auto config = app::load_config(path("certherd.toml"));
    auto app = app::App::open(std::move(*config), loop());
    EXPECT_TRUE(app) << app.error().message();
    return app ? std::move(*app) : nullptr;
  }

  /// Opens the account's key, or makes it the first time, and gives the sealed text.
  std::string sealed_account() {
    auto app = open();
    auto client = loop().run(app->accounts().client(CaName("letsencrypt")));
    EXPECT_TRUE(client) << client.error().message();
    auto account = loop().run(app->store().account(CaName("letsencrypt")));
    EXPECT_TRUE(account && *account);
    return (*account)->sealed_key;
  }

  std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder())) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("certherd.key")) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  /// Kills a reseal as soon as `moment` has come, or lets it end before.
  void kill_at(const std::function<bool()>& moment) {
    auto program = start({"store", "reseal"});
    // Without a pause: what is waited for lasts a few microseconds only.
    while (program->running() && !moment()) std::this_thread::yield();
    program->send(SIGKILL);
    (void)program->wait();
  }

  void expect_usable() {
    const auto listed = run({"domain", "list"});
    EXPECT_EQ(listed.status, 0) << listed.err;
    sealed_account();
  }
};

TEST_F(StoreReseal, SealsAnewAndTellsWhereTheKeysAre) {
  const auto before = sealed_account();
  const auto resealed = run({"--json", "store", "reseal"});
  ASSERT_EQ(resealed.status, 0) << resealed.err;
  const auto document = resealed.json();
  EXPECT_EQ(document.at("resealed"), 1);
  EXPECT_EQ(document.at("seal_key").as_string(), path("certherd.key").string());
  const std::string former(document.at("former_key").as_string());
  EXPECT_EQ(document.at("former_seal_key").as_string(),
            path("certherd.key.old-" + former).string());
  EXPECT_THAT(before, StartsWith("v1." + former + "."));
  const std::string now(document.at("key").as_string());
  EXPECT_THAT(sealed_account(), StartsWith("v1." + now + "."));
  EXPECT_THAT(run({"log"}).out, HasSubstr("store.resealed"));

  const auto again = run({"store", "reseal"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(HasSubstr("1 sealed anew"), HasSubstr("old-" + now)));
  EXPECT_EQ(keys().size(), 3U) << "each former key stays for the backups of its time";
}

TEST_F(StoreReseal, AKillAtAnyMomentLosesNothing) {
  const auto exists = [this](std::string_view part) {
    return std::ranges::any_of(
        keys(), [part](const std::string& name) { return name.find(part) != std::string::npos; });
  };
  std::vector<std::function<bool()>> moments = {[&] { return exists(".new"); },
                                                [&] { return exists(".old-"); }};
  for (int i = 0; i < 12; ++i) {
    const Time moment = loop().clock().now() + i * 8ms;
    moments.emplace_back([this, moment] { return loop().clock().now() >= moment; });
  }
  for (const auto& moment : moments) {
    kill_at(moment);
    expect_usable();
  }
  const auto finished = run({"store", "reseal"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_FALSE(exists(".new"));
  expect_usable();
}

TEST_F(StoreReseal, RefusesWhileAnotherProcessExecutes) {
  auto app = open();
  const auto owner = app::process_identity();
  auto lease = loop().run(app->store().acquire_lease(owner, app::lease_ttl, nullptr));
  ASSERT_TRUE(lease);
  const auto refused = run({"store", "reseal"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr(app::describe_process(owner)));
  EXPECT_THAT(keys(), testing::ElementsAre("certherd.key"));
  ASSERT_TRUE(loop().run(app->store().release_lease(owner)));
  EXPECT_EQ(run({"store", "reseal"}).status, 0);
}

TEST_F(StoreReseal, AWrongSealKeyIsNamedWithTheOneThatIsNeeded) {
  fs::remove(path("certherd.key"));
  ASSERT_EQ(run({"init", "--dir", "other"}).status, 0);
  fs::copy(path("other") / "certherd.key", path("certherd.key"));
  const auto refused = run({"store", "reseal"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("sealed under key "), HasSubstr("the seal key is "),
                                 HasSubstr("old_seal_keys")));
  EXPECT_THAT(refused.out, IsEmpty());
}

}  // namespace
}  // namespace certherd::e2e

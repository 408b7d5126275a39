#include "app/reseal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "app/create.hpp"
#include "app/seal_keys.hpp"
#include "base/versioned_folder.hpp"
#include "fleet/issuance/steps.hpp"

namespace certherd::app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view config_text =
    "[ca.one]\n"
    "directory = \"https://ca.example/directory\"\n"
    "[vault.files]\n"
    "type = \"directory\"\n"
    "path = \"vault\"\n";

constexpr auto account_text = "the account's key";
constexpr auto next_account_text = "the account's next key";
constexpr auto issuance_text = "the key of a.example";

/// A store in which something of each kind is sealed.
class SealedStore : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "reseal-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ASSERT_TRUE(create_folder(folder_, config_text));
    auto app = open();
    ASSERT_TRUE(app);
    first_key_ = app->sealer().key_id();

    const auto purpose = account_key_purpose(CaName("one"));
    Account account;
    account.ca = CaName("one");
    account.sealed_key = app->sealer().seal(Secret<std::string>(account_text), purpose);
    Account::NextKey next_key;
    next_key.sealed = app->sealer().seal(Secret<std::string>(next_account_text), purpose);
    account.next_key = std::move(next_key);
    ASSERT_TRUE(run(app->store().save_account(std::move(account), {})));

    Domain domain;
    domain.name = Fqdn::literal("a.example");
    std::vector<Domain> domains = {domain};
    ASSERT_TRUE(run(app->store().add_domains(std::move(domains), {})));
    auto row = run(app->store().domain(domain.name));
    ASSERT_TRUE(row);
    Issuance issuance;
    issuance.domain_id = row->domain.id;
    issuance.domain = domain.name;
    issuance.names = {domain.name};
    issuance.ca = CaName("one");
    issuance.step = Step::new_order;
    issuance.sealed_key =
        app->sealer().seal(Secret<std::string>(issuance_text), fleet::key_purpose(domain.name));
    auto started = run(app->store().start(std::move(issuance), {}));
    ASSERT_TRUE(started) << started.error().message();
    issuance_ = started->id;
  }

  void TearDown() override { fs::remove_all(folder_); }

  template <typename T>
  T run(Task<T> task) {
    return loop_->run(std::move(task));
  }

  Result<std::unique_ptr<App>> try_open() {
    auto config = load_config(folder_ / "certherd.toml");
    if (!config) return fail(std::move(config.error()));
    return App::open(std::move(*config), *loop_);
  }

  std::unique_ptr<App> open() {
    auto app = try_open();
    EXPECT_TRUE(app) << app.error().message();
    return app ? std::move(*app) : nullptr;
  }

  /// All that was sealed is still there, and can be opened by a program that starts now.
  void expect_all_opens() {
    auto app = open();
    ASSERT_TRUE(app);
    const auto opened = [&app](const std::string& sealed, const std::string& purpose) {
      auto plain = app->sealer().open(sealed, purpose);
      return plain ? plain->reveal() : plain.error().message();
    };
    auto account = run(app->store().account(CaName("one")));
    ASSERT_TRUE(account && *account);
    const auto purpose = account_key_purpose(CaName("one"));
    EXPECT_EQ(opened((*account)->sealed_key, purpose), account_text);
    ASSERT_TRUE((*account)->next_key);
    EXPECT_EQ(opened((*account)->next_key->sealed, purpose), next_account_text);
    auto issuance = run(app->store().issuance(issuance_));
    ASSERT_TRUE(issuance);
    EXPECT_EQ(opened(issuance->sealed_key, fleet::key_purpose(issuance->domain)), issuance_text);
  }

  /// Takes `count` of the steps, and no more, as a process does that is killed then.
  void take_steps(int count) {
    auto app = open();
    ASSERT_TRUE(app);
    Reseal steps(*app, {});
    if (count >= 1) ASSERT_TRUE(steps.prepare());
    if (count >= 2) ASSERT_TRUE(run(steps.rewrite()));
    if (count >= 3) ASSERT_TRUE(steps.keep_former());
    if (count >= 4) ASSERT_TRUE(steps.switch_keys());
  }

  Result<Resealed> reseal_all(std::optional<fs::path> new_key = {}) {
    auto app = try_open();
    if (!app) return fail(std::move(app.error()));
    return run(reseal(app->get(), std::move(new_key)));
  }

  std::string file(const std::string& name) const {
    auto text = read_file(folder_ / name, 1U << 20U);
    return text ? *text : "";
  }

  /// How often texts under a key stand in the store's files.
  int count_sealed_under(const std::string& key_id) {
    auto app = open();
    int count = 0;
    auto look = [&](const store::SealedText& sealed) -> Result<std::string> {
      if (sealed.text.starts_with("v1." + key_id + ".")) ++count;
      return sealed.text;
    };
    EXPECT_TRUE(run(app->store().reseal(look, {})));
    return count;
  }

  void configure(const std::string& line) {
    auto text = std::string("[store]\n") + line + "\n" + std::string(config_text);
    std::ofstream(folder_ / "certherd.toml") << text;
  }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  fs::path folder_;
  std::string first_key_;
  IssuanceId issuance_{};
};

TEST_F(SealedStore, IsSealedAnewUnderANewKey) {
  const auto first_text = file("certherd.key");
  auto resealed = reseal_all();
  ASSERT_TRUE(resealed) << resealed.error().message();
  EXPECT_EQ(resealed->texts, 3);
  EXPECT_EQ(resealed->former_key_id, first_key_);
  EXPECT_NE(resealed->key_id, first_key_);
  EXPECT_EQ(count_sealed_under(first_key_), 0);
  EXPECT_EQ(count_sealed_under(resealed->key_id), 3);
  EXPECT_NE(file("certherd.key"), first_text);
  EXPECT_EQ(file("certherd.key.old-" + first_key_), first_text);
  EXPECT_FALSE(fs::exists(folder_ / "certherd.key.new"));
  for (const auto& path : {folder_ / "certherd.key", resealed->former_key}) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  }
  // Nothing needs the former key any more.
  fs::remove(resealed->former_key);
  expect_all_opens();
}

TEST_F(SealedStore, KeepsAllAcrossAKillAfterEachStep) {
  for (int steps = 0; steps <= 4; ++steps) {
    const auto before = file("certherd.key");
    take_steps(steps);
    expect_all_opens();
    const auto waiting = file("certherd.key.new");
    auto finished = reseal_all();
    ASSERT_TRUE(finished) << steps << ": " << finished.error().message();
    EXPECT_EQ(count_sealed_under(finished->key_id), 3) << steps;
    // It goes on with the key that waited, and does not draw yet another one.
    if (steps >= 1 && steps <= 3) EXPECT_EQ(file("certherd.key"), waiting) << steps;
    EXPECT_NE(file("certherd.key"), before) << steps;
    EXPECT_FALSE(fs::exists(folder_ / "certherd.key.new")) << steps;
    expect_all_opens();
  }
}

TEST_F(SealedStore, TakesAKeyThatIsGiven) {
  const auto given = folder_ / "given.key";
  const auto text = crypto::Sealer::new_key_text().reveal();
  ASSERT_TRUE(create_private_file(given, text));
  auto resealed = reseal_all(given);
  ASSERT_TRUE(resealed) << resealed.error().message();
  EXPECT_EQ(file("certherd.key"), text);
  EXPECT_EQ(file("given.key"), text);
  expect_all_opens();

  auto again = reseal_all(given);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(again.error().message(), HasSubstr("same as the present one"));
}

TEST_F(SealedStore, RefusesAKeyThatIsNone) {
  const auto given = folder_ / "given.key";
  ASSERT_TRUE(create_private_file(given, "no key"));
  auto refused = reseal_all(given);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("given.key"), HasSubstr("32 bytes")));
  EXPECT_FALSE(reseal_all(folder_ / "nowhere.key"));
  EXPECT_FALSE(fs::exists(folder_ / "certherd.key.new"));
  expect_all_opens();
}

TEST_F(SealedStore, RefusesAnotherKeyThanTheOneThatWaits) {
  take_steps(2);
  const auto given = folder_ / "given.key";
  ASSERT_TRUE(create_private_file(given, crypto::Sealer::new_key_text().reveal()));
  auto refused = reseal_all(given);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::conflict);
  EXPECT_THAT(refused.error().message(), HasSubstr("certherd.key.new"));
  expect_all_opens();
  EXPECT_TRUE(reseal_all());
}

TEST_F(SealedStore, WhoHeldARowFromBeforeCannotWriteItAnyMore) {
  auto app = open();
  auto account = run(app->store().account(CaName("one")));
  auto issuance = run(app->store().issuance(issuance_));
  ASSERT_TRUE(reseal_all());
  auto saved = run(app->store().save_account(**account, {}));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().kind, Error::Kind::conflict);
  auto committed = run(app->store().commit(*issuance, {}));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, Error::Kind::conflict);
}

TEST_F(SealedStore, AKeyOfTheEnvironmentIsChangedThere) {
  const auto first = file("certherd.key");
  ASSERT_EQ(setenv("CERTHERD_TEST_KEY", first.c_str(), 1), 0);
  configure("seal_key = { env = \"CERTHERD_TEST_KEY\" }");
  auto refused = reseal_all();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("CERTHERD_TEST_KEY"), HasSubstr("old_seal_keys = [{ env = ")));
  expect_all_opens();

  const auto second = crypto::Sealer::new_key_text().reveal();
  ASSERT_EQ(setenv("CERTHERD_TEST_KEY", second.c_str(), 1), 0);
  ASSERT_EQ(setenv("CERTHERD_TEST_KEY_OLD", first.c_str(), 1), 0);
  configure(
      "seal_key = { env = \"CERTHERD_TEST_KEY\" }\n"
      "old_seal_keys = [{ env = \"CERTHERD_TEST_KEY_OLD\" }]");
  expect_all_opens();
  auto resealed = reseal_all();
  ASSERT_TRUE(resealed) << resealed.error().message();
  EXPECT_EQ(resealed->texts, 3);
  EXPECT_TRUE(resealed->former_key.empty());
  EXPECT_EQ(count_sealed_under(first_key_), 0);
  configure("seal_key = { env = \"CERTHERD_TEST_KEY\" }");
  expect_all_opens();
}

TEST_F(SealedStore, AWrongKeyIsToldWithTheOneThatIsNeeded) {
  fs::remove(folder_ / "certherd.key");
  const auto other = crypto::Sealer::new_key_text();
  ASSERT_TRUE(create_private_file(folder_ / "certherd.key", other.reveal()));
  auto app = open();
  ASSERT_TRUE(app);
  auto account = run(app->store().account(CaName("one")));
  auto refused = app->sealer().open((*account)->sealed_key, account_key_purpose(CaName("one")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(
      refused.error().message(),
      AllOf(HasSubstr("sealed under key " + first_key_),
            HasSubstr("the seal key is " + app->sealer().key_id()), HasSubstr("old_seal_keys")));
  auto not_resealed = reseal_all();
  ASSERT_FALSE(not_resealed);
  EXPECT_THAT(not_resealed.error().message(), HasSubstr(first_key_));
  EXPECT_EQ(count_sealed_under(first_key_), 3);
}

}  // namespace
}  // namespace certherd::app

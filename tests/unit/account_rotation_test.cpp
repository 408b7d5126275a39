// Changes of an account, broken off at every call to the CA and at every write to the store,
// before and after it was carried out. Whatever happens, the account stays ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acme/client.hpp"
#include "app/accounts.hpp"
#include "base/log.hpp"
#include "runtime/random.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/fake_ca.hpp"

namespace certherd::app {
namespace {

using testing::HasSubstr;

constexpr Time start = Time(std::chrono::days(20'780));
const CaName ca_name("ca");

/// What ends the process in these tests.
struct Killed : std::exception {};

/// Counts what goes out of the process, and strikes once.
struct Strike {
  enum class How { kill, lose_reply, let_another_write };
  How how = How::kill;
  bool after = false;  ///< the thing asked for has been done by then
  int at = 0;          ///< counted from 1; 0: never
  int seen = 0;

  bool due(bool now_after) const { return seen == at && after == now_after; }
};

std::vector<Strike> ways_to_strike() {
  std::vector<Strike> ways;
  for (const auto how : {Strike::How::kill, Strike::How::lose_reply}) {
    for (const bool after : {false, true}) ways.push_back({.how = how, .after = after});
  }
  return ways;
}

Error broken_off() {
  Error error;
  error.kind = Error::Kind::transient;
  error.op = "ask the CA";
  error.detail = "the connection broke off";
  return error;
}

/// The account calls of a client, each of which may be struck.
class StruckClient final : public acme::Client {
 public:
  StruckClient(std::unique_ptr<acme::Client> inner, Strike& strike,
               std::function<Task<void>()> another_writes)
      : inner_(std::move(inner)), strike_(strike), another_writes_(std::move(another_writes)) {}

  Task<Result<acme::Directory>> directory() override { return struck(inner_->directory()); }
  Task<Result<acme::AccountInfo>> new_account(acme::NewAccount account) override {
    return struck(inner_->new_account(std::move(account)));
  }
  void use_account(AccountUrl url) override { inner_->use_account(std::move(url)); }
  Task<Result<acme::AccountInfo>> fetch_account() override {
    return struck(inner_->fetch_account());
  }
  Task<Result<acme::AccountInfo>> update_account(std::vector<std::string> contact) override {
    return struck(inner_->update_account(std::move(contact)));
  }
  Task<Result<acme::AccountInfo>> deactivate_account() override {
    return struck(inner_->deactivate_account());
  }
  Task<Status> change_key(crypto::PrivateKey next) override {
    return struck(inner_->change_key(std::move(next)));
  }
  Task<Result<acme::Order>> new_order(acme::NewOrder order) override {
    return inner_->new_order(std::move(order));
  }
  Task<Result<std::vector<OrderUrl>>> list_orders() override { return inner_->list_orders(); }
  Task<Result<acme::Order>> fetch_order(OrderUrl url) override {
    return inner_->fetch_order(std::move(url));
  }
  Task<Result<acme::Authorization>> fetch_authorization(AuthorizationUrl url) override {
    return inner_->fetch_authorization(std::move(url));
  }
  Task<Result<acme::Challenge>> answer(ChallengeUrl url) override {
    return inner_->answer(std::move(url));
  }
  Task<Result<acme::Order>> finalize(OrderUrl order, FinalizeUrl url, std::string csr) override {
    return inner_->finalize(std::move(order), std::move(url), std::move(csr));
  }
  Task<Result<acme::Chain>> download(CertificateUrl url) override {
    return inner_->download(std::move(url));
  }
  Task<Result<acme::RenewalInfo>> renewal_info(std::string ari_id) override {
    return inner_->renewal_info(std::move(ari_id));
  }
  Task<Status> revoke(std::string der, std::optional<int> reason) override {
    return inner_->revoke(std::move(der), reason);
  }
  Task<Status> revoke_by_key(std::string der, crypto::PrivateKey key,
                             std::optional<int> reason) override {
    return inner_->revoke_by_key(std::move(der), std::move(key), reason);
  }
  TxtValue challenge_value(const std::string& token) const override {
    return inner_->challenge_value(token);
  }

 private:
  template <typename T>
  Task<T> struck(Task<T> call) {
    strike_.seen += 1;
    if (strike_.due(false)) {
      if (strike_.how == Strike::How::kill) throw Killed();
      co_return fail(broken_off());
    }
    auto result = co_await std::move(call);
    if (strike_.due(true)) {
      if (strike_.how == Strike::How::kill) throw Killed();
      if (strike_.how == Strike::How::lose_reply) co_return fail(broken_off());
      co_await another_writes_();
    }
    co_return result;
  }

  std::unique_ptr<acme::Client> inner_;
  Strike& strike_;
  std::function<Task<void>()> another_writes_;
};

/// The store's writer, at each of whose writes the process may be killed.
class StruckWriter final : public runtime::Offload {
 public:
  explicit StruckWriter(Strike& strike) : strike_(strike) {}

  Task<void> run(std::function<void()> work) override {
    strike_.seen += 1;
    if (strike_.due(false) && strike_.how == Strike::How::kill) throw Killed();
    work();
    if (strike_.due(true) && strike_.how == Strike::How::kill) throw Killed();
    co_return;
  }

 private:
  Strike& strike_;
};

/// A CA, a store, and one process after the other that works on both.
class World {
 public:
  World() {
    config_.cas[ca_name].directory = "https://ca.test/dir";
    config_.cas[ca_name].contact = {"mailto:ops@fleet.test"};
    config_.cas[ca_name].terms_of_service_agreed = true;
    forget_everything_at_the_ca();
  }

  CaConfig& config() { return config_.cas.at(ca_name); }
  sim::FakeCa& ca() { return *ca_; }
  void forget_everything_at_the_ca() {
    ca_ = std::make_unique<sim::FakeCa>(loop_->clock(), random_,
                                        [](const Fqdn&, const TxtValue&) { return true; });
  }

  /// A process that does `work`, struck or not. Nothing: it was killed.
  template <typename T>
  std::optional<T> process(Strike strike, Task<T> (*work)(Accounts*)) {
    std::optional<T> result;
    strike_ = strike;
    const Connect connect =
        [this](const CaConfig&, crypto::PrivateKey key) -> Result<std::shared_ptr<acme::Client>> {
      return std::make_shared<StruckClient>(ca_->client(key), strike_,
                                            [this] { return change_contact(); });
    };
    Accounts accounts(config_, *loop_, *reader_, keys_, sealer_, *store_, connect,
                      [](const VaultName&) { return nullptr; });
    try {
      result = loop_->run(work(&accounts));
    } catch (const Killed&) {
      result.reset();
    }
    return result;
  }
  template <typename T>
  T undisturbed(Task<T> (*work)(Accounts*)) {
    return *process({}, work);
  }
  /// Whether the last process came to the moment of its strike.
  bool was_struck() const { return strike_.seen >= strike_.at; }

  Account stored() {
    strike_ = {};
    auto account = loop_->run(store_->account(ca_name));
    if (!account) throw std::runtime_error(account.error().message());
    return account->value_or(Account());
  }

  /// A client by a key that stands sealed in the store.
  std::unique_ptr<acme::Client> client_by(const std::string& sealed) {
    return ca_->client(key_in(sealed));
  }
  crypto::PrivateKey key_in(const std::string& sealed) const {
    return crypto::PrivateKey::from_pem(sealer_.open(sealed, account_key_purpose(ca_name)).value())
        .value();
  }

  template <typename T>
  T run(Task<T> task) {
    return loop_->run(std::move(task));
  }

 private:
  Task<void> change_contact() {
    auto account = co_await store_->account(ca_name);
    auto changed = std::move(**account);
    changed.contact = {"mailto:other@fleet.test"};
    auto saved = co_await store_->save_account(std::move(changed), {});
    if (!saved) throw std::runtime_error(saved.error().message());
  }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(start);
  runtime::SeededRandom random_{7};
  crypto::SystemKeySource keys_;
  crypto::Sealer sealer_ = *crypto::Sealer::make(Secret<std::string>(std::string(32, 'k')));
  Config config_;
  std::unique_ptr<sim::FakeCa> ca_;
  Strike strike_;
  StruckWriter writer_{strike_};
  std::unique_ptr<runtime::Offload> reader_ = runtime::make_inline_offload();
  std::unique_ptr<store::Store> store_ = std::move(*store::Store::open(
      {.url = "sqlite::memory:", .create = true}, writer_, *reader_, loop_->clock()));
};

Task<Result<Account>> register_it(Accounts* accounts) {
  return accounts->ensure_registered(ca_name);
}
Task<Result<Account>> register_again(Accounts* accounts) {
  return accounts->register_again(ca_name);
}
Task<Result<Account>> replace(Accounts* accounts) { return accounts->replace(ca_name); }
Task<Result<Account>> update(Accounts* accounts) { return accounts->update(ca_name); }
Task<Result<Account>> deactivate(Accounts* accounts) { return accounts->deactivate(ca_name); }
Task<Result<Account>> rotate(Accounts* accounts) {
  return accounts->rotate_key(ca_name, std::nullopt);
}
Task<Result<Account>> rotate_to_p384(Accounts* accounts) {
  return accounts->rotate_key(ca_name, KeyType::ecdsa_p384);
}
Task<Result<Account>> rotate_to_ed25519(Accounts* accounts) {
  return accounts->rotate_key(ca_name, KeyType::ed25519);
}

/// What the CA says of the account when it is asked as any command asks.
Task<Result<acme::AccountInfo>> use(Accounts* accounts) {
  auto client = co_await accounts->client(ca_name);
  if (!client) co_return fail(std::move(client.error()));
  co_return co_await (*client)->fetch_account();
}
/// In one process: a rotation, however it ends, and then any use.
Task<Result<acme::AccountInfo>> rotate_and_use(Accounts* accounts) {
  (void)co_await accounts->rotate_key(ca_name, std::nullopt);
  co_return co_await use(accounts);
}

class AccountRotation : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::error); }

  /// The account works, it is the one from the start, and its key can be changed once more.
  static void expect_ours(World& world, const AccountUrl& account) {
    const auto used = world.undisturbed(use);
    ASSERT_TRUE(used) << used.error().message();
    EXPECT_EQ(used->url, account);
    EXPECT_EQ(used->status, "valid");
    const auto before = world.stored();
    auto rotated = world.undisturbed(rotate);
    ASSERT_TRUE(rotated) << rotated.error().message();
    EXPECT_EQ(rotated->url, account);
    EXPECT_NE(rotated->thumbprint, before.thumbprint);
    EXPECT_FALSE(rotated->next_key);
    const auto after = world.undisturbed(use);
    ASSERT_TRUE(after) << after.error().message();
    const auto by_old = world.run(world.client_by(before.sealed_key)->new_account(existing()));
    EXPECT_FALSE(by_old) << "the old key still opens an account";
  }

  static acme::NewAccount existing() {
    acme::NewAccount account;
    account.only_return_existing = true;
    return account;
  }

  static AccountUrl registered(World& world) {
    const auto account = world.undisturbed(register_it);
    EXPECT_TRUE(account) << account.error().message();
    return account->url;
  }
};

TEST_F(AccountRotation, LeavesANewKeyInForceAndTheOldOneOut) {
  World world;
  const auto account = registered(world);
  expect_ours(world, account);
}

TEST_F(AccountRotation, BrokenOffAnywhereLeavesAnAccountThatWorks) {
  for (auto strike : ways_to_strike()) {
    for (strike.at = 1;; ++strike.at) {
      SCOPED_TRACE(fmt::format("{} {} event {}",
                               strike.how == Strike::How::kill ? "killed" : "cut off",
                               strike.after ? "after" : "before", strike.at));
      World world;
      const auto account = registered(world);
      (void)world.process(strike, rotate);
      if (!world.was_struck()) {
        EXPECT_GT(strike.at, 4);
        break;
      }
      ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
    }
  }
}

TEST_F(AccountRotation, BrokenOffOnceMoreWhileItIsFinishedStillLeavesOne) {
  for (auto first : ways_to_strike()) {
    for (first.at = 1;; ++first.at) {
      bool first_was_struck = false;
      for (auto second : ways_to_strike()) {
        for (second.at = 1;; ++second.at) {
          SCOPED_TRACE(fmt::format("{}{} {}, then {}{} {}", static_cast<int>(first.how),
                                   first.after, first.at, static_cast<int>(second.how),
                                   second.after, second.at));
          World world;
          const auto account = registered(world);
          (void)world.process(first, rotate);
          first_was_struck = world.was_struck();
          if (!first_was_struck) break;
          (void)world.process(second, rotate);
          if (!world.was_struck()) break;
          ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
        }
      }
      if (!first_was_struck) break;
    }
  }
}

TEST_F(AccountRotation, ThatLostAReplyGoesOnInTheSameProcess) {
  for (const bool after : {false, true}) {
    Strike strike{.how = Strike::How::lose_reply, .after = after};
    for (strike.at = 1;; ++strike.at) {
      SCOPED_TRACE(fmt::format("{} event {}", after ? "after" : "before", strike.at));
      World world;
      const auto account = registered(world);
      const auto used = world.process(strike, rotate_and_use);
      if (!world.was_struck()) break;
      // Only a lost reply to this very question may be told as such.
      if (*used) EXPECT_EQ((*used)->url, account);
      ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
    }
  }
}

// The events of a rotation: 1 the directory, 2 the write of the next key, 3 the keyChange, 4 the
// write that it is in force.
constexpr Strike killed_before_the_change{.how = Strike::How::kill, .after = true, .at = 2};
constexpr Strike killed_after_the_change{.how = Strike::How::kill, .after = true, .at = 3};

TEST_F(AccountRotation, IsFinishedByTheNextRotationWithTheKeyThatItHadMade) {
  for (const auto& strike : {killed_before_the_change, killed_after_the_change}) {
    World world;
    const auto account = registered(world);
    ASSERT_FALSE(world.process(strike, rotate));
    const auto begun = world.stored();
    ASSERT_TRUE(begun.next_key);

    const auto finished = world.undisturbed(rotate);

    ASSERT_TRUE(finished) << finished.error().message();
    EXPECT_EQ(finished->thumbprint, begun.next_key->thumbprint);
    EXPECT_FALSE(finished->next_key);
    ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
  }
}

TEST_F(AccountRotation, GivesAnotherTypeWhenThatIsAskedForAfterwards) {
  for (const auto& strike : {killed_before_the_change, killed_after_the_change}) {
    World world;
    const auto account = registered(world);
    ASSERT_FALSE(world.process(strike, rotate));

    const auto finished = world.undisturbed(rotate_to_p384);

    ASSERT_TRUE(finished) << finished.error().message();
    EXPECT_EQ(finished->key_type, KeyType::ecdsa_p384);
    ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
  }
}

TEST_F(AccountRotation, ThatReachesTheCaLateIsStillOurs) {
  World world;
  const auto account = registered(world);
  ASSERT_FALSE(world.process(killed_before_the_change, rotate));
  const auto begun = world.stored();
  // The next process sees the old key in force, and goes on with it.
  ASSERT_TRUE(world.undisturbed(use));
  ASSERT_TRUE(world.stored().next_key);

  auto late = world.client_by(begun.sealed_key);
  late->use_account(account);
  ASSERT_TRUE(world.run(late->change_key(world.key_in(begun.next_key->sealed))));

  ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
  EXPECT_FALSE(world.stored().next_key);
}

TEST_F(AccountRotation, BesideWhichAnotherProcessWritesKeepsBoth) {
  World world;
  const auto account = registered(world);
  const auto rotated =
      *world.process({.how = Strike::How::let_another_write, .after = true, .at = 3}, rotate);
  ASSERT_TRUE(rotated) << rotated.error().message();
  EXPECT_EQ(world.stored().contact, std::vector<std::string>{"mailto:other@fleet.test"});
  EXPECT_FALSE(world.stored().next_key);
  ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
}

TEST_F(AccountRotation, WhoseOutcomeCannotBeAskedSignsNothingElse) {
  World world;
  const auto account = registered(world);
  ASSERT_FALSE(world.process(killed_after_the_change, rotate));

  const Strike unanswered{.how = Strike::How::lose_reply, .after = false, .at = 1};
  const auto used = world.process(unanswered, use);

  ASSERT_FALSE(*used);
  EXPECT_EQ(used->error().kind, Error::Kind::transient);
  EXPECT_THAT(used->error().message(), HasSubstr("find out which key the account at [ca.ca] has"));
  ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
}

TEST_F(AccountRotation, AtACaThatLetsNoKeyBeChangedSaysSo) {
  World world;
  (void)registered(world);
  world.ca().offer_no_key_change();
  const auto refused = world.undisturbed(rotate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::not_found);
  EXPECT_THAT(refused.error().message(), HasSubstr("register --new"));
  EXPECT_FALSE(world.stored().next_key);
}

TEST_F(AccountRotation, AtACaThatLostTheAccountNamesTheWayOn) {
  World world;
  const auto account = registered(world);
  ASSERT_FALSE(world.process(killed_before_the_change, rotate));
  world.forget_everything_at_the_ca();

  const auto used = world.undisturbed(register_it);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().kind, Error::Kind::denied);
  EXPECT_THAT(used.error().message(), HasSubstr("certherd account register --ca ca makes a new"));
  ASSERT_TRUE(world.stored().next_key);

  const auto anew = world.undisturbed(register_again);
  ASSERT_TRUE(anew) << anew.error().message();
  EXPECT_FALSE(anew->next_key);
  ASSERT_NO_FATAL_FAILURE(expect_ours(world, anew->url));
}

TEST_F(AccountRotation, WantsAnAccount) {
  World world;
  const auto refused = world.undisturbed(rotate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::not_found);
  EXPECT_THAT(refused.error().message(), HasSubstr("certherd account register --ca ca"));
}

using AccountChanges = AccountRotation;

TEST_F(AccountChanges, RegisteringBrokenOffAnywhereEndsWithOneAccount) {
  for (auto strike : ways_to_strike()) {
    for (strike.at = 1;; ++strike.at) {
      World world;
      (void)world.process(strike, register_it);
      if (!world.was_struck()) break;
      const auto begun = world.stored();
      const auto account = world.undisturbed(register_it);
      ASSERT_TRUE(account) << account.error().message();
      if (begun.revision != 0) EXPECT_EQ(account->thumbprint, begun.thumbprint);
      ASSERT_NO_FATAL_FAILURE(expect_ours(world, account->url));
    }
  }
}

TEST_F(AccountChanges, TheContactOfTheConfigGoesToTheCa) {
  World world;
  (void)registered(world);
  world.config().contact = {"mailto:new@fleet.test"};
  const auto updated = world.undisturbed(update);
  ASSERT_TRUE(updated) << updated.error().message();
  EXPECT_EQ(updated->contact, std::vector<std::string>{"mailto:new@fleet.test"});
  EXPECT_EQ(world.stored().contact, updated->contact);
}

TEST_F(AccountChanges, ADeactivatedAccountIsKeptAndNamesTheWayOn) {
  World world;
  const auto account = registered(world);
  const auto ended = world.undisturbed(deactivate);
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_EQ(ended->status, "deactivated");
  EXPECT_EQ(world.stored().url, account);
  for (auto* const command : {register_it, register_again, update, deactivate, rotate}) {
    const auto refused = world.undisturbed(command);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Error::Kind::denied);
    EXPECT_THAT(refused.error().message(), HasSubstr("is deactivated"));
    EXPECT_THAT(refused.error().message(), HasSubstr("certherd account register --new --ca ca"));
  }
}

TEST_F(AccountChanges, AnEndedAccountIsReplacedWhereverThatIsBrokenOff) {
  for (auto strike : ways_to_strike()) {
    for (strike.at = 1;; ++strike.at) {
      World world;
      const auto former = registered(world);
      ASSERT_TRUE(world.undisturbed(deactivate));
      (void)world.process(strike, replace);
      if (!world.was_struck()) break;
      auto account = world.undisturbed(register_it);
      if (!account) account = world.undisturbed(replace);
      ASSERT_TRUE(account) << account.error().message();
      EXPECT_NE(account->url, former);
      ASSERT_NO_FATAL_FAILURE(expect_ours(world, account->url));
    }
  }
}

TEST_F(AccountChanges, ADeactivationBrokenOffAnywhereLeavesAWayOn) {
  for (auto strike : ways_to_strike()) {
    for (strike.at = 1;; ++strike.at) {
      World world;
      const auto former = registered(world);
      (void)world.process(strike, deactivate);
      if (!world.was_struck()) break;
      if (const auto ended = world.undisturbed(deactivate); !ended) {
        EXPECT_EQ(ended.error().kind, Error::Kind::denied) << ended.error().message();
      }
      auto account = world.undisturbed(replace);
      ASSERT_TRUE(account) << account.error().message();
      EXPECT_NE(account->url, former);
      ASSERT_NO_FATAL_FAILURE(expect_ours(world, account->url));
    }
  }
}

TEST_F(AccountChanges, AValidAccountIsNotThrownAway) {
  World world;
  const auto account = registered(world);
  const auto refused = world.undisturbed(replace);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::conflict);
  EXPECT_THAT(refused.error().message(), HasSubstr("is valid"));
  ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
}

TEST_F(AccountChanges, AnotherTypeInTheConfigIsTakenUntilTheAccountIsRegistered) {
  World world;
  ASSERT_TRUE(world.undisturbed(+[](Accounts* accounts) { return accounts->client(ca_name); }));
  world.config().account_key = KeyType::ecdsa_p384;
  ASSERT_TRUE(world.undisturbed(register_it));
  EXPECT_EQ(world.stored().key_type, KeyType::ecdsa_p384);

  world.config().account_key = KeyType::ecdsa_p256;
  ASSERT_TRUE(world.undisturbed(register_again));
  EXPECT_EQ(world.stored().key_type, KeyType::ecdsa_p384);
  ASSERT_TRUE(world.undisturbed(rotate));
  EXPECT_EQ(world.stored().key_type, KeyType::ecdsa_p256);
}

TEST_F(AccountChanges, Ed25519IsAKeyLikeOthersWhereTheCaTakesIt) {
  World world;
  const auto account = registered(world);
  ASSERT_TRUE(world.undisturbed(rotate_to_ed25519));
  EXPECT_EQ(world.stored().key_type, KeyType::ed25519);
  ASSERT_NO_FATAL_FAILURE(expect_ours(world, account));
}

}  // namespace
}  // namespace certherd::app

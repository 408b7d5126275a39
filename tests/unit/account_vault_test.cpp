// One account for several machines: each with a store and a seal key of its own, one Secrets
// Manager and one CA for all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <memory>

#include "app/accounts.hpp"
#include "base/log.hpp"
#include "fakes/secrets_manager_stage.hpp"
#include "runtime/together.hpp"
#include "sim/fake_ca.hpp"

namespace certherd::app {
namespace {

using fakes::ScriptedSecretsManager;
using testing::HasSubstr;

const CaName ca_name("ca");
constexpr const char* secret_name = "tls/_account/ca";

/// What ends a process in these tests.
struct Killed : std::exception {};

/// What all machines have in common.
class Shared {
 public:
  Shared() { log::set_level(log::Level::error); }

  fakes::SecretsManagerStage& stage() { return stage_; }
  ScriptedSecretsManager& aws() { return stage_.aws(); }
  sim::FakeCa& ca() { return *ca_; }
  vault::AccountVault* vault() { return vault_.get(); }
  crypto::KeySource& keys() { return keys_; }

  boost::json::object document() {
    const auto& secret = aws().secrets().at(secret_name);
    const auto& value = secret.versions.at(secret.holder("AWSCURRENT")).value;
    return boost::json::parse(value).as_object();
  }
  std::string kept(const char* member) { return std::string(document().at(member).as_string()); }

  template <typename T>
  T run(Task<T> task) {
    return stage_.run(std::move(task));
  }

 private:
  fakes::SecretsManagerStage stage_{1};
  runtime::SeededRandom random_{7};
  crypto::SystemKeySource keys_;
  std::unique_ptr<sim::FakeCa> ca_ = std::make_unique<sim::FakeCa>(
      stage_.loop().clock(), random_, [](const Fqdn&, const TxtValue&) { return true; });
  std::unique_ptr<vault::SecretsManagerVault> vault_ =
      stage_.vault({.prefix = "tls/", .kms_key_id = ""});
};

class Machine {
 public:
  Machine(Shared& shared, char name) : shared_(shared), seal_key_(32, name) {
    config_.cas[ca_name].directory = "https://ca.test/dir";
    config_.cas[ca_name].contact = {"mailto:ops@fleet.test"};
    config_.cas[ca_name].terms_of_service_agreed = true;
    config_.cas[ca_name].account_vault = VaultName("aws");
    restart();
  }

  CaConfig& config() { return config_.cas.at(ca_name); }

  /// A new process on the same store.
  void restart() {
    accounts_ = std::make_unique<Accounts>(
        config_, shared_.stage().loop(), *offload_, shared_.keys(), sealer_, *store_,
        [this](const CaConfig&, crypto::PrivateKey key) -> Result<std::shared_ptr<acme::Client>> {
          return shared_.ca().client(key);
        },
        [this](const VaultName& name) -> Result<vault::AccountVault*> {
          if (name == VaultName("aws")) return shared_.vault();
          return fail(Error::Kind::misconfigured, "choose", "there is no such vault");
        });
  }

  Result<Account> register_it() { return shared_.run(accounts_->ensure_registered(ca_name)); }
  Result<Account> rotate() { return shared_.run(accounts_->rotate_key(ca_name, std::nullopt)); }
  Result<Account> update() { return shared_.run(accounts_->update(ca_name)); }
  Result<Account> deactivate() { return shared_.run(accounts_->deactivate(ca_name)); }
  Result<Account> replace() { return shared_.run(accounts_->replace(ca_name)); }
  /// What the CA says of the account, asked as any command asks.
  Result<acme::AccountInfo> use() { return shared_.run(fetch()); }

  Account stored() { return shared_.run(store_->account(ca_name))->value_or(Account()); }
  int count(const std::string& event) {
    const auto events = shared_.run(store_->events({}));
    return static_cast<int>(std::ranges::count_if(
        *events, [&event](const auto& numbered) { return numbered.event.event == event; }));
  }

  Accounts& accounts() { return *accounts_; }

 private:
  Task<Result<acme::AccountInfo>> fetch() {
    auto client = co_await accounts_->client(ca_name);
    if (!client) co_return fail(std::move(client.error()));
    co_return co_await (*client)->fetch_account();
  }

  Shared& shared_;
  Config config_;
  std::string seal_key_;
  crypto::Sealer sealer_ = *crypto::Sealer::make(Secret<std::string>(seal_key_));
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  std::unique_ptr<store::Store> store_ =
      std::move(*store::Store::open({.url = "sqlite::memory:", .create = true}, *offload_,
                                    *offload_, shared_.stage().loop().clock()));
  std::unique_ptr<Accounts> accounts_;
};

/// Both have one account that works, and the vault keeps it.
void expect_shared(Shared& shared, Machine& first, Machine& second) {
  for (auto* const machine : {&first, &second}) {
    machine->restart();
    const auto used = machine->use();
    ASSERT_TRUE(used) << used.error().message();
    EXPECT_EQ(used->status, "valid");
    EXPECT_EQ(machine->stored().url.text(), shared.kept("url"));
    EXPECT_EQ(machine->stored().thumbprint, shared.kept("thumbprint"));
  }
}

TEST(AccountVault, GivesTheAccountToAnotherMachine) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  const auto registered = first.register_it();
  ASSERT_TRUE(registered) << registered.error().message();
  EXPECT_EQ(shared.kept("url"), registered->url.text());
  EXPECT_EQ(shared.kept("status"), "valid");
  EXPECT_EQ(shared.kept("directory"), "https://ca.test/dir");
  EXPECT_EQ(shared.aws().secrets().at(secret_name).tags.at("managed-by"), "certherd");

  const auto calls = shared.ca().calls();
  const auto found = second.register_it();
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->url, registered->url);
  EXPECT_EQ(found->contact, registered->contact);
  EXPECT_EQ(second.count("account.taken_from_vault"), 1);
  EXPECT_EQ(second.count("account.key_created"), 0);
  EXPECT_EQ(shared.ca().calls(), calls) << "nothing was left to be asked";
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
}

TEST(AccountVault, IsAskedOnlyWhereTheConfigNamesIt) {
  Shared shared;
  Machine machine(shared, 'a');
  machine.config().account_vault = VaultName();
  ASSERT_TRUE(machine.register_it());
  EXPECT_TRUE(shared.aws().calls().empty());

  machine.config().account_vault = VaultName("another");
  machine.restart();
  const auto refused = machine.register_it();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
}

TEST(AccountVault, TakesInAnAccountThatIsThereBeforeIt) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  first.config().account_vault = VaultName();
  ASSERT_TRUE(first.register_it());
  first.config().account_vault = VaultName("aws");
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
  EXPECT_EQ(first.count("account.taken_from_vault"), 0);
}

TEST(AccountVault, HasTheKeyBeforeTheCaHearsOfIt) {
  Shared shared;
  Machine machine(shared, 'a');
  // The calls: no document, again none, CreateSecret.
  shared.aws().disturb(3, ScriptedSecretsManager::lost_request());
  ASSERT_FALSE(machine.register_it());
  EXPECT_EQ(shared.ca().calls(), 0);
  const auto thumbprint = machine.stored().thumbprint;
  EXPECT_FALSE(thumbprint.empty());

  ASSERT_TRUE(machine.register_it());
  EXPECT_EQ(machine.stored().thumbprint, thumbprint);
  EXPECT_EQ(shared.kept("thumbprint"), thumbprint);
}

Task<void> register_on(Machine* machine, Result<Account>* result) {
  *result = co_await machine->accounts().ensure_registered(ca_name);
}

TEST(AccountVault, OfTwoThatBeginTogetherOneIsTheFirst) {
  Shared shared;
  shared.stage().take_time(std::chrono::milliseconds(50));
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  std::array<Result<Account>, 2> results;
  std::vector<Task<void>> tasks;
  tasks.push_back(register_on(&first, &results[0]));
  tasks.push_back(register_on(&second, &results[1]));
  shared.stage().loop().run(runtime::together(std::move(tasks)));
  for (const auto& result : results) ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(results[0]->url, results[1]->url);
  EXPECT_EQ(first.count("account.key_created") + second.count("account.key_created"), 2);
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
}

/// Kills the process when the n-th call of the vault from now on has not been carried out yet.
void kill_at(Shared& shared, int call) {
  shared.aws().before(call, [] { throw Killed(); });
}

/// Whether it was killed.
bool is_killed(const std::function<void()>& work) {
  try {
    work();
  } catch (const Killed&) {
    return true;
  }
  return false;
}

TEST(AccountVault, ARegistrationThatIsKilledAnywhereEndsWithOneAccount) {
  for (const bool second_is_next : {false, true}) {
    for (int call = 1;; ++call) {
      SCOPED_TRACE(fmt::format("call {}, then {}", call, second_is_next));
      Shared shared;
      Machine first(shared, 'a');
      Machine second(shared, 'b');
      kill_at(shared, call);
      const bool killed = is_killed([&first] { (void)first.register_it(); });
      if (!killed) {
        EXPECT_GT(call, 4);
        break;
      }
      first.restart();
      auto& next = second_is_next ? second : first;
      auto& last = second_is_next ? first : second;
      ASSERT_TRUE(next.register_it());
      ASSERT_TRUE(last.register_it());
      ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
    }
  }
}

TEST(AccountVault, ARotationIsSeenByTheOtherMachine) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  ASSERT_TRUE(first.register_it());
  const auto before = second.register_it();
  ASSERT_TRUE(before);

  const auto rotated = first.rotate();
  ASSERT_TRUE(rotated) << rotated.error().message();
  EXPECT_NE(rotated->thumbprint, before->thumbprint);
  EXPECT_EQ(shared.kept("thumbprint"), rotated->thumbprint);

  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
  EXPECT_EQ(second.stored().thumbprint, rotated->thumbprint);
  EXPECT_EQ(second.stored().url, before->url);
  EXPECT_EQ(second.count("account.taken_from_vault"), 2);

  ASSERT_TRUE(second.rotate());
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
}

TEST(AccountVault, ARotationThatIsKilledAnywhereIsMadeGoodByItsMachine) {
  int call = 1;
  for (;; ++call) {
    SCOPED_TRACE(call);
    Shared shared;
    Machine first(shared, 'a');
    Machine second(shared, 'b');
    ASSERT_TRUE(first.register_it());
    ASSERT_TRUE(second.register_it());
    kill_at(shared, call);
    if (!is_killed([&first] { (void)first.rotate(); })) break;
    ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
  }
  EXPECT_GT(call, 3);
}

TEST(AccountVault, AChangeThatItCouldNotBeToldFollowsWithTheNextCall) {
  for (const auto& fault :
       {ScriptedSecretsManager::lost_request(), ScriptedSecretsManager::lost_reply()}) {
    for (const int call : {1, 2, 3}) {  // describe, stage, switch
      Shared shared;
      Machine first(shared, 'a');
      Machine second(shared, 'b');
      ASSERT_TRUE(first.register_it());
      shared.aws().disturb(call, fault);
      const auto rotated = first.rotate();
      ASSERT_FALSE(rotated);
      EXPECT_THAT(rotated.error().message(), HasSubstr("the next command tells the vault"));

      const auto used = first.use();  // in the same process
      ASSERT_TRUE(used) << used.error().message();
      EXPECT_EQ(shared.kept("thumbprint"), first.stored().thumbprint);
      ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
    }
  }
}

TEST(AccountVault, OfTwoChangesAtTheSameTimeOneIsRefused) {
  Shared shared;
  Machine machine(shared, 'a');
  ASSERT_TRUE(machine.register_it());
  auto document = shared.run(shared.vault()->load_account(ca_name))->value();
  document.contact = {"mailto:one@fleet.test"};
  // Between look and switch, another machine switches.
  shared.aws().before(
      3, [&shared] { shared.aws().put_by_hand(secret_name, std::string(64, 'f'), "{}"); });
  const auto refused = shared.run(shared.vault()->save_account(ca_name, document));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::conflict);

  const auto late = shared.run(shared.vault()->save_account(ca_name, document));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Error::Kind::conflict);
}

TEST(AccountVault, SayingTheSameAgainIsHarmless) {
  Shared shared;
  Machine machine(shared, 'a');
  ASSERT_TRUE(machine.register_it());
  auto document = shared.run(shared.vault()->load_account(ca_name))->value();
  document.contact = {"mailto:one@fleet.test"};
  const auto once = shared.run(shared.vault()->save_account(ca_name, document));
  const auto twice = shared.run(shared.vault()->save_account(ca_name, document));
  ASSERT_TRUE(once && twice);
  EXPECT_EQ(*once, *twice);
  const auto found = shared.run(shared.vault()->load_account(ca_name))->value();
  EXPECT_EQ(found.contact, document.contact);
  EXPECT_EQ(found.revision, *once);
}

TEST(AccountVault, KnowsTheContactOfTheLastUpdate) {
  Shared shared;
  Machine machine(shared, 'a');
  ASSERT_TRUE(machine.register_it());
  machine.config().contact = {"mailto:new@fleet.test"};
  ASSERT_TRUE(machine.update());
  EXPECT_EQ(shared.document().at("contact"), boost::json::array{"mailto:new@fleet.test"});
}

TEST(AccountVault, TellsOthersThatTheAccountHasEndedAndWhatIsInItsPlace) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  ASSERT_TRUE(first.register_it());
  ASSERT_TRUE(second.register_it());
  ASSERT_TRUE(first.deactivate());
  EXPECT_EQ(shared.kept("status"), "deactivated");

  second.restart();
  const auto ended = second.register_it();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, Error::Kind::denied);
  EXPECT_THAT(ended.error().message(), HasSubstr("is deactivated"));

  const auto anew = second.replace();
  ASSERT_TRUE(anew) << anew.error().message();
  EXPECT_EQ(shared.kept("url"), anew->url.text());
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
}

TEST(AccountVault, AReplacementThatIsKilledAnywhereEndsWithOneAccount) {
  int call = 1;
  for (;; ++call) {
    SCOPED_TRACE(call);
    Shared shared;
    Machine first(shared, 'a');
    Machine second(shared, 'b');
    ASSERT_TRUE(first.register_it());
    ASSERT_TRUE(second.register_it());
    ASSERT_TRUE(first.deactivate());
    kill_at(shared, call);
    if (!is_killed([&first] { (void)first.replace(); })) break;
    first.restart();
    if (!first.register_it()) ASSERT_TRUE(first.replace());
    ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
  }
  EXPECT_GT(call, 3);
}

TEST(AccountVault, TwoAccountsAreNotMadeOneBehindAnybodysBack) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  ASSERT_TRUE(first.register_it());
  second.config().account_vault = VaultName();
  const auto own = second.register_it();
  ASSERT_TRUE(own);

  second.config().account_vault = VaultName("aws");
  second.restart();
  const auto refused = second.register_it();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr(own->url.text()));
  EXPECT_THAT(refused.error().message(), HasSubstr("certherd account deactivate --ca ca"));
  EXPECT_EQ(second.stored().thumbprint, own->thumbprint);

  // As the message says.
  second.config().account_vault = VaultName();
  second.restart();
  ASSERT_TRUE(second.deactivate());
  second.config().account_vault = VaultName("aws");
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
}

TEST(AccountVault, OfAnotherCaIsRefused) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  ASSERT_TRUE(first.register_it());
  second.config().directory = "https://other.test/dir";
  const auto refused = second.register_it();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("keeps an account of https://ca.test/dir"));
}

TEST(AccountVault, ThatIsDamagedOrSomebodyElsesIsLeftAlone) {
  Shared shared;
  Machine machine(shared, 'a');
  auto& secret = shared.aws().put_by_hand(secret_name, "by-hand", "no JSON");
  const auto damaged = machine.register_it();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().kind, Error::Kind::rejected);
  EXPECT_THAT(damaged.error().message(), HasSubstr("no JSON object with a key"));
  EXPECT_EQ(secret.versions.size(), 1U);
  EXPECT_EQ(shared.ca().calls(), 0);

  vault::AccountDocument document{.directory = "https://ca.test/dir",
                                  .key = Secret<std::string>("key"),
                                  .thumbprint = "t",
                                  .url = AccountUrl("https://ca.test/acct/1"),
                                  .status = "valid",
                                  .revision = "by-hand"};
  const auto refused = shared.run(shared.vault()->save_account(ca_name, document));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("somebody else's"));
}

TEST(AccountVault, AnotherTypeInTheConfigIsTakenUntilTheAccountIsRegistered) {
  Shared shared;
  Machine first(shared, 'a');
  Machine second(shared, 'b');
  ASSERT_TRUE(shared.run(first.accounts().client(ca_name)));
  ASSERT_TRUE(shared.run(second.accounts().client(ca_name)));
  for (auto* const machine : {&first, &second}) {
    machine->config().account_key = KeyType::ecdsa_p384;
    machine->restart();
    ASSERT_TRUE(machine->register_it());
    EXPECT_EQ(machine->stored().key_type, KeyType::ecdsa_p384);
  }
  ASSERT_NO_FATAL_FAILURE(expect_shared(shared, first, second));
}

}  // namespace
}  // namespace certherd::app

#include "vault/secrets_manager/secrets_manager.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <vector>

#include "base/log.hpp"
#include "fakes/secrets_manager_stage.hpp"
#include "runtime/together.hpp"
#include "sim/same_material.hpp"

namespace certherd::vault {
namespace {

using fakes::ScriptedSecretsManager;
using sim::same_material;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Fault = ScriptedSecretsManager::Fault;
using Kind = Error::Kind;
using Layout = SecretsManagerOptions::Layout;

constexpr const char* domain = "example.com";
constexpr std::array layouts = {Layout::separate, Layout::bundle};

Material material(const std::string& key) {
  return {.csr = "csr of " + key,
          .private_key = Secret<std::string>("-----BEGIN PRIVATE KEY-----\n" + key),
          .fullchain = "chain of " + key};
}

std::string id(const std::string& key) { return key + "-" + std::string(31 - key.size(), '0'); }

/// A vault on a Secrets Manager of its own.
class World {
 public:
  explicit World(SecretsManagerOptions options = {.prefix = "tls/", .kms_key_id = ""},
                 int attempts = 1)
      : layout_(options.layout), stage_(attempts), vault_(stage_.vault(std::move(options))) {}
  explicit World(Layout layout) : World({.prefix = "tls/", .layout = layout, .kms_key_id = ""}) {}

  Result<VaultReferences> store(const std::string& key, const std::string& name = domain) {
    Version version{.key = key, .not_after = Time(std::chrono::days(20'871)), .owner = "web"};
    return stage_.run(vault_->store(Fqdn::literal(name), material(key), std::move(version)));
  }
  Result<Material> load(const std::string& name = domain) {
    return stage_.run(vault_->load(Fqdn::literal(name)));
  }
  Result<std::optional<Description>> describe() {
    return stage_.run(vault_->describe(Fqdn::literal(domain)));
  }
  Status check() { return stage_.run(vault_->check()); }

  std::vector<std::string> names() const {
    if (layout_ == Layout::bundle) return {"tls/example.com/bundle"};
    return {"tls/example.com/private_key", "tls/example.com/csr", "tls/example.com/fullchain"};
  }

  /// The operations since the n-th call.
  std::vector<std::string> operations(std::size_t from = 0) {
    std::vector<std::string> found;
    for (std::size_t i = from; i < aws().calls().size(); ++i) {
      const auto& call = aws().calls()[i];
      found.push_back(call.operation + " " + call.secret.substr(call.secret.rfind('/') + 1));
    }
    return found;
  }

  /// Whether one version is current or the previous one in each secret.
  bool has_whole_set() {
    for (const auto& [version, unused] : aws().secrets()[names().back()].versions) {
      const bool in_each = std::ranges::all_of(names(), [&](const auto& name) {
        const auto& versions = aws().secrets()[name].versions;
        const auto found = versions.find(version);
        return found != versions.end() && (found->second.stages.contains("AWSCURRENT") ||
                                           found->second.stages.contains("AWSPREVIOUS"));
      });
      if (in_each) return true;
    }
    return false;
  }

  /// Whether who reads the chain, and then the rest by its version id, gets it.
  bool fits_for_readers() {
    const auto chain = aws().secrets().find(names().back());
    if (chain == aws().secrets().end()) return true;
    const auto version = chain->second.holder("AWSCURRENT");
    return std::ranges::all_of(names(), [&](const auto& name) {
      return aws().secrets()[name].versions.contains(version);
    });
  }

  /// All share AWSCURRENT, and can be read.
  void expect_current(const std::string& key) {
    for (const auto& name : names()) {
      EXPECT_EQ(aws().secrets()[name].holder("AWSCURRENT"), id(key)) << name;
    }
    const auto found = load();
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_TRUE(same_material(*found, material(key)));
  }

  fakes::SecretsManagerStage& stage() { return stage_; }
  ScriptedSecretsManager& aws() { return stage_.aws(); }
  Vault& vault() { return *vault_; }

 private:
  Layout layout_;
  fakes::SecretsManagerStage stage_;
  std::unique_ptr<Vault> vault_;
};

class SecretsManagerVault : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::error); }
};

TEST_F(SecretsManagerVault, MakesThreeSecretsThatShareTheirVersionId) {
  World world;
  const auto references = world.store("3fa5");
  ASSERT_TRUE(references) << references.error().message();

  auto& secrets = world.aws().secrets();
  ASSERT_EQ(secrets.size(), 3U);
  EXPECT_EQ(secrets["tls/example.com/csr"].versions.at(id("3fa5")).value, "csr of 3fa5");
  EXPECT_EQ(secrets["tls/example.com/fullchain"].versions.at(id("3fa5")).value, "chain of 3fa5");
  const std::map<std::string, std::string> tags = {{"domain", "example.com"},
                                                   {"serial", "3fa5"},
                                                   {"not_after", "2027-02-22T00:00:00Z"},
                                                   {"owner", "web"},
                                                   {"managed-by", "certherd"}};
  for (const auto& name : world.names()) {
    EXPECT_EQ(secrets[name].holder("AWSCURRENT"), id("3fa5"));
    EXPECT_EQ(secrets[name].tags, tags);
    EXPECT_EQ(secrets[name].kms_key_id, "");
  }
  EXPECT_EQ(references->csr, secrets["tls/example.com/csr"].arn);
  EXPECT_EQ(references->private_key, secrets["tls/example.com/private_key"].arn);
  EXPECT_EQ(references->fullchain, secrets["tls/example.com/fullchain"].arn);
  EXPECT_THAT(references->csr,
              testing::StartsWith("arn:aws:secretsmanager:eu-west-1:123456789012:secret:tls/"));
}

TEST_F(SecretsManagerVault, MakesTheChainLast) {
  World world;
  ASSERT_TRUE(world.store("1"));
  EXPECT_THAT(world.operations(3), ElementsAre("CreateSecret private_key", "CreateSecret csr",
                                               "CreateSecret fullchain"));
}

TEST_F(SecretsManagerVault, StagesAllBeforeItSwitchesInOrder) {
  World world;
  ASSERT_TRUE(world.store("1"));
  const auto before = world.aws().calls().size();
  ASSERT_TRUE(world.store("2"));

  EXPECT_THAT(
      world.operations(before),
      ElementsAre("DescribeSecret private_key", "DescribeSecret csr", "DescribeSecret fullchain",
                  "PutSecretValue private_key", "PutSecretValue csr", "PutSecretValue fullchain",
                  "UpdateSecretVersionStage private_key", "UpdateSecretVersionStage csr",
                  "UpdateSecretVersionStage fullchain", "TagResource private_key",
                  "TagResource csr", "TagResource fullchain"));
  for (const auto& name : world.names()) {
    EXPECT_EQ(world.aws().secrets()[name].holder("AWSCURRENT"), id("2"));
    EXPECT_EQ(world.aws().secrets()[name].holder("AWSPREVIOUS"), id("1"));
    EXPECT_EQ(world.aws().secrets()[name].tags.at("serial"), "2");
  }
}

TEST_F(SecretsManagerVault, SwitchesABundleByOneWrite) {
  World world(Layout::bundle);
  ASSERT_TRUE(world.store("1"));
  const auto before = world.aws().calls().size();
  ASSERT_TRUE(world.store("2"));
  EXPECT_THAT(world.operations(before),
              ElementsAre("DescribeSecret bundle", "PutSecretValue bundle", "TagResource bundle"));
  world.expect_current("2");
}

TEST_F(SecretsManagerVault, WritesNothingForAVersionThatIsCurrent) {
  for (const auto layout : layouts) {
    World world(layout);
    ASSERT_TRUE(world.store("1"));
    ASSERT_TRUE(world.store("2"));
    const auto before = world.aws().calls().size();
    ASSERT_TRUE(world.store("2"));
    for (auto call = before; call < world.aws().calls().size(); ++call) {
      EXPECT_THAT(world.aws().calls()[call].operation,
                  testing::AnyOf("DescribeSecret", "GetSecretValue"));
    }
  }
}

TEST_F(SecretsManagerVault, BringsAVersionBackThatHasLostItsLabels) {
  for (const auto layout : layouts) {
    World world(layout);
    for (const auto* const key : {"1", "2", "3"}) ASSERT_TRUE(world.store(key));
    const auto again = world.store("1");
    ASSERT_TRUE(again) << again.error().message();
    world.expect_current("1");
  }
}

TEST_F(SecretsManagerVault, RefusesAnotherContentUnderAVersionThatHasLostItsLabels) {
  for (const auto layout : layouts) {
    World world(layout);
    for (const auto* const key : {"1", "2", "3"}) ASSERT_TRUE(world.store(key));
    world.aws().secrets()[world.names().back()].versions.at(id("1")).value = "something else";
    const auto refused = world.store("1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::rejected);
    EXPECT_THAT(refused.error().message(), HasSubstr("has this version with another content"));
    EXPECT_EQ(world.aws().secrets()[world.names().back()].holder("AWSCURRENT"), id("3"));
  }
}

TEST_F(SecretsManagerVault, KeepsABundleAsOneJsonObject) {
  World world(Layout::bundle);
  const auto references = world.store("3fa5");
  ASSERT_TRUE(references) << references.error().message();
  const auto& secret = world.aws().secrets()["tls/example.com/bundle"];
  EXPECT_EQ(secret.versions.at(id("3fa5")).value,
            R"({"domain":"example.com","serial":"3fa5",)"
            R"("private_key":"-----BEGIN PRIVATE KEY-----\n3fa5",)"
            R"("csr":"csr of 3fa5","fullchain":"chain of 3fa5"})");
  EXPECT_EQ(references->private_key, secret.arn + ":private_key::");
  EXPECT_EQ(references->csr, secret.arn + ":csr::");
  EXPECT_EQ(references->fullchain, secret.arn + ":fullchain::");
}

TEST_F(SecretsManagerVault, NamesTheKmsKeyForSecretsThatItMakes) {
  World world({.prefix = "p-", .kms_key_id = "alias/certs"});
  ASSERT_TRUE(world.store("1"));
  ASSERT_EQ(world.aws().secrets().size(), 3U);
  for (const auto& [name, secret] : world.aws().secrets()) {
    EXPECT_THAT(name, testing::StartsWith("p-example.com/"));
    EXPECT_EQ(secret.kms_key_id, "alias/certs");
  }
}

TEST_F(SecretsManagerVault, SpellsAWildcardInNameAndTag) {
  World world;
  ASSERT_TRUE(world.store("1", "*.example.com"));
  EXPECT_EQ(world.aws().secrets().at("tls/_wildcard.example.com/csr").tags.at("domain"),
            "_wildcard.example.com");
}

TEST_F(SecretsManagerVault, LeavesSecretsOfOthersAlone) {
  for (const auto layout : layouts) {
    for (std::size_t which = 0; which < World(layout).names().size(); ++which) {
      World world(layout);
      const auto name = world.names()[which];
      world.aws().put_by_hand(name, "by-hand", "theirs").tags = {{"managed-by", "terraform"}};
      const auto refused = world.store("1");
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().kind, Kind::conflict);
      EXPECT_THAT(refused.error().message(),
                  HasSubstr(name + " is there and is not tagged managed-by=certherd"));
      EXPECT_EQ(world.aws().secrets().size(), 1U) << "something was written all the same";

      world.aws().secrets()[name].tags = {{"managed-by", "certherd"}};  // handed over
      ASSERT_TRUE(world.store("1"));
      world.expect_current("1");
    }
  }
}

TEST_F(SecretsManagerVault, TakesOverASecretThatHasNoValueYet) {
  World world;
  auto& secret = world.aws().secrets()["tls/example.com/csr"];
  secret.arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tls/example.com/csr-AAAAAA";
  secret.tags = {{"managed-by", "certherd"}};
  const auto stored = world.store("1");
  ASSERT_TRUE(stored) << stored.error().message();
  world.expect_current("1");
}

TEST_F(SecretsManagerVault, RestoresItsOwnFromDeletion) {
  for (const auto layout : layouts) {
    World world(layout);
    ASSERT_TRUE(world.store("1"));
    const auto name = world.names().back();
    world.aws().secrets()[name].deleted = world.stage().loop().clock().now();

    const auto described = world.describe();
    ASSERT_TRUE(described);
    EXPECT_FALSE(*described) << "what cannot be read is not there";
    const auto unread = world.load();
    ASSERT_FALSE(unread);
    EXPECT_THAT(unread.error().message(), HasSubstr("aws secretsmanager restore-secret"));

    const auto stored = world.store("2");
    ASSERT_TRUE(stored) << stored.error().message();
    world.expect_current("2");
  }
}

TEST_F(SecretsManagerVault, LeavesThoseOfOthersToTheirDeletion) {
  World world;
  auto& secret = world.aws().put_by_hand("tls/example.com/csr", "by-hand", "theirs");
  secret.deleted = world.stage().loop().clock().now();
  const auto refused = world.store("1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::conflict);
  EXPECT_THAT(refused.error().message(), HasSubstr("scheduled for deletion"));
  EXPECT_TRUE(secret.deleted);
}

TEST_F(SecretsManagerVault, GoesOnWhenAnotherProcessWasFirst) {
  World world;
  // The fifth call is the second CreateSecret.
  world.aws().before(5, [&world] {
    world.aws().put_by_hand("tls/example.com/csr", id("2"), "csr of 2").tags = {
        {"managed-by", "certherd"}};
  });
  const auto stored = world.store("1");
  ASSERT_TRUE(stored) << stored.error().message();
  world.expect_current("1");
}

/// As after a deletion for good: nothing is to be described, and the name is not free yet.
void refuse_creations(World* world) {
  world->aws().before(1, [world] {
    if (world->aws().calls().back().operation == "CreateSecret") {
      world->aws().disturb(0, ScriptedSecretsManager::refusal("InvalidRequestException"));
    }
    refuse_creations(world);
  });
}

TEST_F(SecretsManagerVault, ComesBackLaterWhileANameIsBlocked) {
  World world;
  refuse_creations(&world);
  const auto refused = world.store("1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::transient);
  EXPECT_EQ(world.aws().count("CreateSecret"), 3);
}

TEST_F(SecretsManagerVault, LooksAgainWhenAwscurrentWasMovedMeanwhile) {
  for (const int call : {7, 8, 9}) {  // the moves
    World world;
    ASSERT_TRUE(world.store("1"));
    const auto name = world.names()[static_cast<std::size_t>(call - 7)];
    world.aws().before(call, [&] { world.aws().put_by_hand(name, id("2"), "of another"); });
    const auto stored = world.store("3");
    ASSERT_TRUE(stored) << stored.error().message();
    world.expect_current("3");
  }
}

void move_again_and_again(World* world, int moves) {
  world->aws().before(1, [world, moves] {
    const auto& call = world->aws().calls().back();
    if (call.operation == "UpdateSecretVersionStage") {
      world->aws().put_by_hand(call.secret, id(fmt::format("{:x}", moves + 16)), "of another");
    }
    move_again_and_again(world, moves + 1);
  });
}

TEST_F(SecretsManagerVault, GivesUpWhenSomebodyGoesOnMovingAwscurrent) {
  World world;
  ASSERT_TRUE(world.store("1"));
  move_again_and_again(&world, 0);
  const auto refused = world.store("3");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::conflict);
  EXPECT_THAT(refused.error().message(), HasSubstr("somebody else moves AWSCURRENT"));
  EXPECT_EQ(world.aws().count("UpdateSecretVersionStage"), 3);
}

TEST_F(SecretsManagerVault, SendsNothingThatIsTooLarge) {
  World world;
  auto large = material("1");
  large.fullchain = std::string(65'537, 'c');
  const auto refused = world.stage().run(
      world.vault().store(Fqdn::literal(domain), std::move(large), {.key = "1", .owner = ""}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::misconfigured);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("tls/example.com/fullchain would have 65537 bytes"));
  EXPECT_TRUE(world.aws().calls().empty());

  auto largest = material("1");
  largest.fullchain = std::string(65'536, 'c');
  EXPECT_TRUE(world.stage().run(
      world.vault().store(Fqdn::literal(domain), std::move(largest), {.key = "1", .owner = ""})));
}

TEST_F(SecretsManagerVault, SendsNothingForAKeyThatIsNoSerial) {
  World world;
  const auto refused = world.store("Not A Serial");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::misconfigured);
  EXPECT_TRUE(world.aws().calls().empty());
}

TEST_F(SecretsManagerVault, ReadsAgainWhenAVersionGoesMeanwhile) {
  World world;
  ASSERT_TRUE(world.store("1"));
  // The second call reads the key by the version of the chain.
  world.aws().before(2, [&world] {
    for (const auto& name : world.names()) {
      world.aws().put_by_hand(
          name, id("2"),
          name.ends_with("private_key")
              ? material("2").private_key.reveal()
              : (name.ends_with("csr") ? "csr" : "chain") + std::string(" of 2"));
      world.aws().secrets()[name].versions.erase(id("1"));
    }
  });
  const auto found = world.load();
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_TRUE(same_material(*found, material("2")));
}

TEST_F(SecretsManagerVault, TellsOfDamage) {
  World world;
  ASSERT_TRUE(world.store("1"));
  world.aws().secrets().erase("tls/example.com/private_key");
  const auto found = world.load();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, Kind::rejected);
  EXPECT_THAT(found.error().message(), HasSubstr("the stored version is damaged"));
  const auto described = world.describe();
  ASSERT_FALSE(described);
  EXPECT_EQ(described.error().kind, Kind::rejected);
  EXPECT_THAT(described.error().message(), HasSubstr("is gone"));

  ASSERT_TRUE(world.store("1"));
  world.expect_current("1");
}

TEST_F(SecretsManagerVault, TellsOfABundleThatIsNone) {
  for (const auto* const value : {"no JSON", "[]", R"({"csr":"c","fullchain":"f"})"}) {
    World world(Layout::bundle);
    world.aws().put_by_hand("tls/example.com/bundle", id("1"), value);
    const auto found = world.load();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, Kind::rejected);
    EXPECT_THAT(found.error().message(), HasSubstr("no JSON object with private_key"));
  }
}

TEST_F(SecretsManagerVault, TellsOfAVersionThatSomebodyElseHasPut) {
  for (const auto layout : layouts) {
    World world(layout);
    ASSERT_TRUE(world.store("1"));
    world.aws().put_by_hand(world.names().back(), "0f3a1b2c-90ab-cdef-fedc-ba9876543210", "x");
    const auto described = world.describe();
    ASSERT_FALSE(described);
    EXPECT_EQ(described.error().kind, Kind::rejected);
    EXPECT_THAT(described.error().message(), HasSubstr("was not written by certherd"));
  }
}

TEST_F(SecretsManagerVault, DescribesWhatIsWholeInTheMidstOfASwitch) {
  World world;
  ASSERT_TRUE(world.store("1"));
  world.aws().disturb(8, ScriptedSecretsManager::lost_request());  // the second move
  ASSERT_FALSE(world.store("2"));
  EXPECT_EQ(world.aws().secrets()["tls/example.com/private_key"].holder("AWSCURRENT"), id("2"));
  const auto described = world.describe();
  ASSERT_TRUE(described && *described);
  EXPECT_EQ((*described)->version_key, "1");
  EXPECT_TRUE(same_material(*world.load(), material("1")));
}

TEST_F(SecretsManagerVault, ChecksByLookingForWhatIsNotThere) {
  World world;
  EXPECT_TRUE(world.check());
  EXPECT_THAT(world.operations(), ElementsAre("DescribeSecret _check"));
  world.aws().disturb(1, ScriptedSecretsManager::refusal("AccessDeniedException", "not you"));
  const auto refused = world.check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::denied);
}

Task<void> store_one(Vault* vault, std::string name, int* stored) {
  for (const auto* const key : {"1", "2"}) {
    auto content = material(key);
    Version version{.key = key, .not_after = {}, .owner = ""};
    const auto done =
        co_await vault->store(Fqdn::literal(name), std::move(content), std::move(version));
    EXPECT_TRUE(done) << done.error().message();
    if (done) ++*stored;
  }
}

TEST_F(SecretsManagerVault, KeepsToTheQuotasOfTheAccount) {
  constexpr int domains = 30;
  World world;
  int stored = 0;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < domains; ++i) {
    tasks.push_back(store_one(&world.vault(), fmt::format("d{}.example.com", i), &stored));
  }
  world.stage().loop().run(runtime::together(std::move(tasks)));
  EXPECT_EQ(stored, 2 * domains);
  EXPECT_EQ(world.aws().throttled(), 0);
  // Created once, then staged, moved and tagged three times each.
  const std::map<std::string, double> expected = {
      {"secrets-manager-writes/123456789012/eu-west-1", 6 * domains},
      {"secrets-manager-changes/123456789012/eu-west-1", 6 * domains}};
  EXPECT_EQ(world.stage().budget().taken(), expected);
}

TEST_F(SecretsManagerVault, IsCountedByItsKeyWhereTheAccountCannotBeTold) {
  World world;
  world.aws().hide_account();
  ASSERT_TRUE(world.store("1"));
  const std::map<std::string, double> expected = {
      {"secrets-manager-changes/AKIDEXAMPLE/eu-west-1", 3}};
  EXPECT_EQ(world.stage().budget().taken(), expected);
}

TEST_F(SecretsManagerVault, StagesAgainWhenAVersionIsGoneBeforeItIsSwitchedTo) {
  World world;
  ASSERT_TRUE(world.store("1"));
  world.aws().before(7, [&world] {  // the first move
    for (auto& [name, secret] : world.aws().secrets()) secret.versions.erase(id("2"));
  });
  const auto stored = world.store("2");
  ASSERT_TRUE(stored) << stored.error().message();
  world.expect_current("2");
}

struct Meaning {
  std::string code;
  int status;
  Kind kind;
  std::string words;
};

TEST_F(SecretsManagerVault, GivesEachErrorItsKindAndWords) {
  const std::vector<Meaning> meanings = {
      {"ResourceExistsException", 400, Kind::conflict, "as the script says"},
      {"ResourceNotFoundException", 400, Kind::not_found, "nothing is stored for it"},
      {"InvalidRequestException", 400, Kind::conflict, "aws secretsmanager restore-secret"},
      {"InvalidParameterException", 400, Kind::misconfigured, "check prefix and kms_key_id"},
      {"LimitExceededException", 400, Kind::throttled, "have it raised (AWS Service Quotas)"},
      {"EncryptionFailure", 400, Kind::denied, "kms:GenerateDataKey"},
      {"DecryptionFailure", 400, Kind::denied, "kms:Decrypt"},
      {"InternalServiceError", 500, Kind::transient, "as the script says"},
      {"PreconditionNotMetException", 400, Kind::conflict, "as the script says"},
      {"MalformedPolicyDocumentException", 400, Kind::misconfigured, "as the script says"},
      {"InvalidNextTokenException", 400, Kind::misconfigured, "as the script says"},
      {"PublicPolicyException", 400, Kind::misconfigured, "as the script says"},
      {"AccessDeniedException", 400, Kind::denied, "as the script says"},
      {"ThrottlingException", 400, Kind::throttled, "as the script says"},
      {"ExpiredTokenException", 400, Kind::denied, "as the script says"},
      {"UnrecognizedClientException", 400, Kind::denied, "as the script says"},
      {"InvalidSignatureException", 400, Kind::denied, "as the script says"},
  };
  for (const auto& meaning : meanings) {
    World world;
    ASSERT_TRUE(world.store("1"));
    const auto before = world.aws().calls().size();
    world.aws().disturb(
        1, ScriptedSecretsManager::refusal(meaning.code, "as the script says", meaning.status));
    const auto found = world.load();
    ASSERT_FALSE(found) << meaning.code;
    EXPECT_EQ(to_string(found.error().kind), to_string(meaning.kind)) << meaning.code;
    EXPECT_THAT(found.error().message(), HasSubstr(meaning.words)) << meaning.code;
    EXPECT_THAT(found.error().message(), testing::StartsWith("vault: load example.com"));
    EXPECT_EQ(world.aws().calls().size(), before + 1) << meaning.code;
  }
}

TEST_F(SecretsManagerVault, DoesNotTryAQuotaAgain) {
  World world({.prefix = "tls/", .kms_key_id = ""}, 3);
  world.aws().disturb(4, ScriptedSecretsManager::refusal("LimitExceededException"));
  const auto refused = world.store("1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::throttled);
  EXPECT_EQ(world.aws().calls().size(), 4U);
}

TEST_F(SecretsManagerVault, NeverShowsWhatItSent) {
  for (const auto layout : layouts) {
    World world({.prefix = "tls/", .layout = layout, .kms_key_id = ""}, 3);
    ASSERT_TRUE(world.store("1"));
    const int put = layout == Layout::bundle ? 2 : 4;
    world.aws().disturb(
        put, ScriptedSecretsManager::refusal(
                 "InternalServiceError", "cannot keep " + material("2").private_key.reveal(), 500));
    const auto refused = world.store("2");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("InternalServiceError"));
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("PRIVATE KEY")));
  }
}

TEST_F(SecretsManagerVault, TakesAnAnswerThatIsCutOffForALostOne) {
  for (int call = 1; call <= 3; ++call) {
    World world;
    ASSERT_TRUE(world.store("1"));
    world.aws().disturb(call, ScriptedSecretsManager::truncated());
    const auto found = world.load();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, Kind::transient);
    EXPECT_THAT(found.error().message(), HasSubstr("cut off"));
  }
}

/// What may befall a call.
std::vector<Fault> faults() {
  return {ScriptedSecretsManager::lost_request(), ScriptedSecretsManager::lost_reply()};
}

TEST_F(SecretsManagerVault, LosesNoReplyForGood) {
  for (const auto layout : layouts) {
    for (const auto& fault : faults()) {
      for (int call = 1;; ++call) {
        World world({.prefix = "tls/", .layout = layout, .kms_key_id = ""}, 3);
        ASSERT_TRUE(world.store("1"));
        world.aws().disturb(call, fault);
        const auto stored = world.store("2");
        ASSERT_TRUE(stored) << call << ": " << stored.error().message();
        ASSERT_NO_FATAL_FAILURE(world.expect_current("2"));
        if (!world.aws().was_disturbed()) break;
      }
    }
  }
}

/// Wherever a store breaks off: what was whole is whole, and the next one ends well, be it of the
/// same version or of another one.
TEST_F(SecretsManagerVault, BrokenOffAnywhereKeepsOneCompleteSet) {
  for (const auto layout : layouts) {
    for (const bool is_first : {true, false}) {
      for (const auto& fault : faults()) {
        for (int call = 1;; ++call) {
          const std::string next = (call % 2 == 0) == fault.after_its_work ? "a" : "b";
          SCOPED_TRACE(fmt::format("layout {}, {}, call {} {}, then {}", static_cast<int>(layout),
                                   is_first ? "first" : "renewal", call,
                                   fault.after_its_work ? "after" : "before", next));
          World world(layout);
          if (!is_first) ASSERT_TRUE(world.store("1"));
          world.aws().disturb(call, fault);
          const auto stored = world.store("a");
          if (!world.aws().was_disturbed()) {
            EXPECT_TRUE(stored);
            EXPECT_GT(call, layout == Layout::separate ? 6 : 2);
            break;
          }
          EXPECT_FALSE(stored);
          if (!is_first) EXPECT_TRUE(world.has_whole_set());
          EXPECT_TRUE(world.fits_for_readers());
          const auto again = world.store(next);
          ASSERT_TRUE(again) << again.error().message();
          ASSERT_NO_FATAL_FAILURE(world.expect_current(next));
        }
      }
    }
  }
}

/// Two versions in a row that break off: more than one label has moved by then.
TEST_F(SecretsManagerVault, BrokenOffTwiceWithTwoVersionsKeepsOneCompleteSet) {
  const auto fault = ScriptedSecretsManager::lost_reply();
  constexpr int first_move = 7;
  constexpr int last_move = 9;
  for (int first = first_move; first <= last_move; ++first) {
    for (int second = 1;; ++second) {
      SCOPED_TRACE(fmt::format("calls {} and {}", first, second));
      World world;
      ASSERT_TRUE(world.store("1"));
      world.aws().disturb(first, fault);
      ASSERT_FALSE(world.store("2"));
      world.aws().disturb(second, fault);
      (void)world.store("3");
      EXPECT_TRUE(world.has_whole_set());
      EXPECT_TRUE(world.fits_for_readers());
      if (!world.aws().was_disturbed()) break;
      ASSERT_TRUE(world.store("4"));
      ASSERT_NO_FATAL_FAILURE(world.expect_current("4"));
    }
  }
}

TEST_F(SecretsManagerVault, OneThatWasTakenAwayComesBackWithTheNextVersion) {
  for (const auto& gone : World().names()) {
    World world;
    ASSERT_TRUE(world.store("1"));
    world.aws().secrets().erase(gone);
    const auto stored = world.store("2");
    ASSERT_TRUE(stored) << stored.error().message();
    world.expect_current("2");
  }
}

}  // namespace
}  // namespace certherd::vault

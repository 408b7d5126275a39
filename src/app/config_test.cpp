#include "app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace certherd::app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    auto pattern = (fs::temp_directory_path() / "config-test-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~ConfigTest() override { fs::remove_all(folder); }

  fs::path write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::ofstream(folder / name) << text;
    chmod((folder / name).c_str(), mode);
    return folder / name;
  }
  Result<Config> load(const std::string& text) const {
    return load_config(write("certherd.toml", text));
  }
  std::vector<std::string> faults(const std::string& text) const {
    const auto config = load(text);
    std::vector<std::string> messages;
    if (config) return messages;
    for (const auto& cause : config.error().causes) {
      // Without the folder, which is another one each time.
      messages.push_back(cause.message().substr((folder / "certherd.toml").string().size() + 1));
    }
    return messages;
  }

  fs::path folder;
};

constexpr auto whole = R"([store]
url = "sqlite:data/state.db"
seal_key = { file = "seal.key" }
[ca.le]
directory = "https://ca.example/directory"
contact = ["ops@example.com", "mailto:b@example.com"]
terms_of_service_agreed = true
account_key = "ecdsa-p384"
finalize_within = "90s"
max_in_flight = 7
trust = "roots.pem"
eab = { kid = "K1", hmac = { env = "EAB_HMAC" } }
profile = "tlsserver"
preferred_chain = "Some Root X1"
[dns.own]
type = "responder"
listen = ["127.0.0.1:5353"]
zones = ["acme.example.net"]
ttl = 3
[vault.v]
type = "directory"
path = "vault"
[target.t]
type = "files"
path = "/srv/edge"
mode = "0640"
bundle = true
reload = ["true"]
[defaults]
targets = ["t"]
key = "rsa-2048"
renew_at = 0.5
[resolver]
servers = ["192.0.2.1", "[2001:db8::1]:5353"]
authoritative_port = 5300
overrides = { "ns1.example.net" = "127.0.0.1" }
[probe]
timeout = "4s"
warn_days = 21
[notify.ops]
type = "webhook"
url = { env = "HOOK_URL" }
events = ["expiring"]
)";

TEST_F(ConfigTest, ReadsEverySection) {
  const auto config = load(whole);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->store_url, "sqlite:" + (folder / "data/state.db").string());
  EXPECT_EQ(config->seal_key.file, folder / "seal.key");
  const auto& ca = config->cas.at(CaName("le"));
  EXPECT_THAT(ca.contact, ElementsAre("mailto:ops@example.com", "mailto:b@example.com"));
  EXPECT_EQ(ca.account_key, KeyType::ecdsa_p384);
  EXPECT_EQ(ca.finalize_within, 90s);
  EXPECT_EQ(ca.trust, folder / "roots.pem");
  EXPECT_EQ(ca.max_in_flight, 7);
  ASSERT_TRUE(ca.eab);
  EXPECT_EQ(ca.eab->kid, "K1");
  EXPECT_EQ(ca.eab->hmac.env, "EAB_HMAC");
  EXPECT_EQ(ca.profile, "tlsserver");
  EXPECT_EQ(ca.preferred_chain, "Some Root X1");
  EXPECT_EQ(config->responders.at(DnsName("own")).ttl, 3);
  EXPECT_EQ(config->directories.at(VaultName("v")), folder / "vault");
  EXPECT_EQ(config->targets.at(TargetName("t"))->accepts().keys, deploy::every_key_type());
  EXPECT_EQ(config->defaults.key, KeyChoice{.type = KeyType::rsa_2048});
  EXPECT_EQ(config->resolver.servers.at(1).port, 5353);
  EXPECT_EQ(config->probe.timeout, 4s);
  EXPECT_EQ(config->probe.warn_days, 21);
  EXPECT_THAT(config->notifiers.at(NotifierName("ops")).subscription.kinds,
              ElementsAre(Alarm::Kind::expiring));
  EXPECT_TRUE(config->secret_variables.contains("HOOK_URL"));
  EXPECT_EQ(config->resolver.overrides.at(Fqdn::literal("ns1.example.net")).port, 5300);
}

TEST_F(ConfigTest, ASingleSectionNeedsNoChoosing) {
  const auto config = load(whole);
  ASSERT_TRUE(config);
  EXPECT_THAT(config->defaults.cas, testing::ElementsAre(CaName("le")));
  EXPECT_EQ(config->defaults.dns, DnsName("own"));
  EXPECT_EQ(config->defaults.vault, VaultName("v"));
}

TEST_F(ConfigTest, TellsAllFaultsByLineAndKeyAtOnce) {
  EXPECT_THAT(faults("[store]\nurl = \"sqlite:x\"\ncolour = 1\n[ca.x]\ndirectory = \"http://a\"\n"
                     "finalize_within = \"soon\"\n[dns.d]\ntype = \"route66\"\n"
                     "[defaults]\ntargets = [\"nowhere\"]\nrenew_at = 2\n[shop]\n"),
              ElementsAre(HasSubstr("3: store.colour: unknown key"), HasSubstr("5: ca.x.directory"),
                          HasSubstr("6: ca.x.finalize_within"), HasSubstr("8: dns.d.type"),
                          HasSubstr("10: defaults.targets"), HasSubstr("11: defaults.renew_at"),
                          HasSubstr("12: shop: unknown key")));
}

TEST_F(ConfigTest, AnAccountIsSharedByAVaultThatCanDoThat) {
  const std::string ca = "[ca.x]\ndirectory = \"https://a\"\naccount_vault = ";
  EXPECT_THAT(faults(ca + "\"nowhere\"\n"),
              ElementsAre(HasSubstr("3: ca.x.account_vault: there is no [vault.nowhere]")));
  EXPECT_THAT(faults(ca + "\"v\"\n[vault.v]\ntype = \"directory\"\npath = \"v\"\n"),
              ElementsAre(HasSubstr("3: ca.x.account_vault: [vault.v] keeps no accounts")));
  EXPECT_THAT(faults(ca + "\"\"\n"), ElementsAre(HasSubstr("3: ca.x.account_vault")));
}

TEST_F(ConfigTest, TellsWhereTheSyntaxIsBroken) {
  EXPECT_THAT(faults("[store]\nurl = \n"), ElementsAre(HasSubstr("2: syntax")));
  EXPECT_THAT(faults("[`store]\n"), ElementsAre(HasSubstr("1: syntax")));
  EXPECT_THAT(faults("[store]\nurl = \uFEEF0\n"), ElementsAre(HasSubstr("2: syntax")));
}

TEST_F(ConfigTest, SeveralCasStandInTheOrderInWhichTheyAreTried) {
  const std::string cas =
      "[ca.x]\ndirectory = \"https://x.example/dir\"\n"
      "[ca.y]\ndirectory = \"https://y.example/dir\"\n[defaults]\n";
  const auto config = load(cas + "ca = [\"y\", \"x\"]\nfailover_after = 5\n");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->defaults.cas, ElementsAre(CaName("y"), CaName("x")));
  EXPECT_EQ(config->defaults.failover_after, 5);
  EXPECT_THAT(faults(cas + "ca = [\"x\", \"z\", \"x\"]\n"),
              ElementsAre(HasSubstr("there is no [ca.z]"), HasSubstr("names x twice")));
  EXPECT_THAT(faults(cas + "failover_after = 0\n"), ElementsAre(HasSubstr("failover_after")));
}

TEST_F(ConfigTest, SaysHowOftenEndpointsAreLookedAt) {
  const auto config = load("[probe]\nevery = \"1h\"\nwarn_days = 3\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->probe.every, std::chrono::hours(1));
  EXPECT_EQ(config->probe.warn_days, 3);
}

TEST_F(ConfigTest, TheLimitsOfACaAreChosenOrThoseOfItsHost) {
  using policy::CaLimits;
  using Preset = CaLimits::Preset;
  const auto limits = [this](const std::string& directory, const std::string& more) {
    const auto config = load("[ca.x]\ndirectory = \"" + directory + "\"\n" + more);
    EXPECT_TRUE(config) << config.error().message();
    return config ? config->cas.at(CaName("x")).limits : CaLimits();
  };
  const std::string production = "https://acme-v02.api.letsencrypt.org/directory";
  const std::string staging = "https://acme-staging-v02.api.letsencrypt.org/directory";
  const auto of = [](Preset preset) { return CaLimits::of(preset); };
  EXPECT_EQ(limits("https://ca.example/dir", ""), of(Preset::none));
  EXPECT_EQ(limits(production, ""), of(Preset::letsencrypt));
  EXPECT_EQ(limits(staging, ""), of(Preset::letsencrypt_staging));
  EXPECT_EQ(limits(production, "limits = \"none\"\n"), of(Preset::none));
  EXPECT_EQ(limits("https://ca.example/dir", "limits = \"letsencrypt\"\n"),
            of(Preset::letsencrypt));
  EXPECT_EQ(limits("https://ca.example/dir", "limits = \"letsencrypt-staging\"\n"),
            of(Preset::letsencrypt_staging));

  auto raised = of(Preset::letsencrypt);
  raised.rates[policy::CaLimit::new_orders] = {1'500, std::chrono::hours(3)};
  raised.rates.erase(policy::CaLimit::failed_validations);
  const std::string overrides = "new_orders = \"1500/3h\", failed_validations = \"none\" }\n";
  EXPECT_EQ(limits(production, "limits = { " + overrides), raised);
  EXPECT_EQ(limits("https://ca.example/dir", "limits = { preset = \"letsencrypt\", " + overrides),
            raised);
}

TEST_F(ConfigTest, TellsWhatIsNoLimitOfACa) {
  EXPECT_THAT(faults("[ca.x]\ndirectory = \"https://a\"\nlimits = \"many\"\n"),
              ElementsAre(AllOf(HasSubstr("3: ca.x.limits"), HasSubstr("letsencrypt-staging"))));
  EXPECT_THAT(faults("[ca.x]\ndirectory = \"https://a\"\nlimits = 300\n"),
              ElementsAre(HasSubstr("3: ca.x.limits")));
  EXPECT_THAT(faults("[ca.x]\ndirectory = \"https://a\"\n[ca.x.limits]\npreset = \"many\"\n"
                     "new_orders = \"many\"\norders = \"1/1s\"\n"),
              ElementsAre(HasSubstr("4: ca.x.limits.preset"),
                          AllOf(HasSubstr("5: ca.x.limits.new_orders"), HasSubstr("300/3h")),
                          HasSubstr("6: ca.x.limits.orders")));
}

TEST_F(ConfigTest, RefusesModesThatShowKeysToOthers) {
  for (const auto* mode : {"0644", "0666", "0604", "0777", "640x", "0240"}) {
    EXPECT_THAT(
        faults(fmt::format("[target.t]\ntype = \"files\"\npath = \"p\"\nmode = \"{}\"\n", mode)),
        ElementsAre(HasSubstr("target.t.mode")))
        << mode;
  }
}

TEST_F(ConfigTest, SecretsComeFromOnePlaceOnly) {
  EXPECT_THAT(faults("[store]\nseal_key = { env = \"A\", file = \"b\" }\n"),
              ElementsAre(HasSubstr("name one place")));
  EXPECT_THAT(faults("[store]\nseal_key = \"secret\"\n"),
              ElementsAre(HasSubstr("must be a table")));
}

TEST_F(ConfigTest, ReadsSecretsFromFilesThatNobodyElseMayRead) {
  SecretSource source;
  source.file = write("open.key", "secret", 0644);
  ASSERT_FALSE(source.read());
  EXPECT_THAT(source.read().error().detail, HasSubstr("chmod 600"));
  source.file = write("closed.key", "secret");
  EXPECT_EQ(source.read()->reveal(), "secret");
  source.file = folder / "missing.key";
  EXPECT_EQ(source.read().error().kind, Error::Kind::misconfigured);
}

TEST_F(ConfigTest, NamesTheVariableThatIsNotSet) {
  SecretSource source;
  source.env = "CERTHERD_TEST_NO_SUCH_VARIABLE";
  ASSERT_FALSE(source.read());
  EXPECT_THAT(source.read().error().detail, HasSubstr("CERTHERD_TEST_NO_SUCH_VARIABLE"));
}

class ExternalAccountTest : public ConfigTest {
 protected:
  Result<Secret<std::string>> key_in(const std::string& text, mode_t mode = 0600) const {
    write("eab.key", text, mode);
    return read();
  }
  Result<Secret<std::string>> read() const {
    const auto config = load(
        "[ca.x]\ndirectory = \"https://a\"\n"
        "eab = { kid = \"K\", hmac = { file = \"eab.key\" } }\n");
    EXPECT_TRUE(config) << config.error().message();
    return config->cas.at(CaName("x")).eab->read_key();
  }
};

TEST_F(ExternalAccountTest, ReadsTheKeyAsTheCaGaveIt) {
  for (const auto* text : {"-_8", "-_8\n", "  -_8=\r\n"}) {
    const auto key = key_in(text);
    ASSERT_TRUE(key) << text << key.error().message();
    EXPECT_EQ(key->reveal(), "\xfb\xff") << text;
  }
}

TEST_F(ExternalAccountTest, RefusesWhatIsNoKeyAndDoesNotShowIt) {
  for (const auto* text : {"", "\n", "=", "se cret", "+/8", "secret!", "a"}) {
    const auto key = key_in(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().kind, Error::Kind::misconfigured);
    EXPECT_THAT(key.error().message(), HasSubstr("certherd.toml:3: ca.x.eab.hmac")) << text;
    EXPECT_THAT(key.error().message(), HasSubstr("base64url"));
    EXPECT_THAT(key.error().message(), testing::Not(HasSubstr("secret")));
  }
}

TEST_F(ExternalAccountTest, NamesFileKeyAndRemedyWhenTheSecretIsMissing) {
  const auto missing = read();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(missing.error().message(), HasSubstr("certherd.toml:3: ca.x.eab.hmac"));
  EXPECT_THAT(missing.error().message(), HasSubstr((folder / "eab.key").string()));

  const auto open = key_in("-_8", 0644);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(open.error().message(), HasSubstr("certherd.toml:3: ca.x.eab.hmac"));
  EXPECT_THAT(open.error().message(), HasSubstr("chmod 600"));
}

TEST_F(ExternalAccountTest, IsKeyIdAndSecretAndNothingElse) {
  const auto faults_of = [this](const std::string& eab) {
    return faults("[ca.x]\ndirectory = \"https://a\"\neab = " + eab + "\n");
  };
  EXPECT_THAT(faults_of("{ hmac = { env = \"E\" } }"), ElementsAre(HasSubstr("3: ca.x.eab.kid")));
  EXPECT_THAT(faults_of("{ kid = \"K\" }"), ElementsAre(HasSubstr("3: ca.x.eab.hmac")));
  EXPECT_THAT(faults_of("{ kid = \"K\", hmac = {} }"),
              ElementsAre(HasSubstr("3: ca.x.eab.hmac.env: name one place")));
  EXPECT_THAT(faults_of("{ kid = \"K\", hmac = { env = \"E\" }, key = 1 }"),
              ElementsAre(HasSubstr("3: ca.x.eab.key: unknown key")));
  EXPECT_THAT(faults("[ca.x]\ndirectory = \"https://a\"\nprofile = \"\"\n"
                     "preferred_chain = \"\"\n"),
              ElementsAre(HasSubstr("3: ca.x.profile"), HasSubstr("4: ca.x.preferred_chain")));
}

TEST_F(ConfigTest, AMissingConfigIsToldByItsPath) {
  const auto config = load_config(folder / "none.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(config.error().message(), HasSubstr("none.toml"));
}

TEST_F(ConfigTest, ReadsTheSectionsOfAws) {
  const auto config = load(R"(
[dns.aws]
type = "route53"
requests_per_second = 2
role_arn = "arn:aws:iam::123456789012:role/dns"
timeout = "5s"
[vault.aws]
type = "aws-secrets-manager"
prefix = "certs/"
layout = "bundle"
kms_key_id = "alias/tls"
region = "eu-west-1"
profile = "ops"
endpoint = "http://127.0.0.1:5000/"
[defaults]
dns = "aws"
vault = "aws"
)");
  ASSERT_TRUE(config) << config.error().message();
  const auto& dns = config->route53.at(DnsName("aws"));
  EXPECT_EQ(dns.requests_per_second, 2);
  EXPECT_EQ(dns.options.role_arn, "arn:aws:iam::123456789012:role/dns");
  EXPECT_EQ(dns.options.timeout, 5s);
  const auto& vault = config->secrets_managers.at(VaultName("aws"));
  EXPECT_EQ(vault.prefix, "certs/");
  EXPECT_TRUE(vault.bundle);
  EXPECT_EQ(vault.kms_key_id, "alias/tls");
  EXPECT_EQ(vault.options.region, "eu-west-1");
  EXPECT_EQ(vault.options.profile, "ops");
  EXPECT_EQ(vault.options.endpoint, "http://127.0.0.1:5000");
  EXPECT_EQ(config->defaults.dns, DnsName("aws"));
  EXPECT_EQ(config->defaults.vault, VaultName("aws"));
}

TEST_F(ConfigTest, LeavesAShareOfTheAccountToOthersUnlessToldOtherwise) {
  const auto config = load("[dns.aws]\ntype = \"route53\"\n");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->route53.at(DnsName("aws")).requests_per_second, 4.5);
  EXPECT_EQ(config->defaults.dns, DnsName("aws"));
}

TEST_F(ConfigTest, NamesWhatIsWrongInTheSectionsOfAws) {
  EXPECT_THAT(
      faults(R"([dns.aws]
type = "route53"
requests_per_second = 0
listen = ["0.0.0.0:53"]
[vault.aws]
type = "aws-secrets-manager"
layout = "flat"
prefix = "with space/"
)"),
      ElementsAre(HasSubstr("3: dns.aws.requests_per_second"), HasSubstr("4: dns.aws.listen"),
                  HasSubstr("7: vault.aws.layout"), HasSubstr("8: vault.aws.prefix")));
}

TEST_F(ConfigTest, KeepsTheSecretsOfAwsFromReloadCommands) {
  const auto config = load(R"(
[dns.aws]
type = "route53"
[target.t]
type = "files"
path = "edge"
)");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_TRUE(config->secret_variables.contains("AWS_SECRET_ACCESS_KEY"));
}

}  // namespace
}  // namespace certherd::app

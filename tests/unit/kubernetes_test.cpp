#include "deploy/kubernetes/kubernetes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <vector>

#include "deploy/kubernetes/exec_credentials.hpp"
#include "fakes/kubernetes_stage.hpp"
#include "runtime/together.hpp"

namespace certherd::deploy {
namespace {

using fakes::KubernetesStage;
using fakes::ScriptedKubernetes;
using kubernetes::Credential;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Fault = ScriptedKubernetes::Fault;
using Kind = Error::Kind;
using Method = http::Request::Method;

constexpr const char* domain = "example.com";
constexpr const char* name_space = "web";
constexpr const char* name = "example.com-tls";

/// A target on a cluster of its own, with certificates by their serials.
class World {
 public:
  explicit World(KubernetesOptions options = {},
                 const KubernetesStage::MakeSource& source = KubernetesStage::fixed_token)
      : stage_(std::move(options), source) {}

  const Material& material(const std::string& serial, const std::string& of = domain) {
    const auto found = materials_.find(serial);
    if (found != materials_.end()) return found->second;
    const auto number = std::stoull(serial, nullptr, 16);
    return materials_.emplace(serial, stage_.issuer().issue({of}, number)).first->second;
  }

  Result<Receipt> install(const std::string& serial, const std::string& of = domain) {
    return stage_.run(target().install(Fqdn::literal(of), material(serial, of), serial));
  }
  Status retire(const std::string& serial, const std::string& of = domain) {
    return stage_.run(target().retire({Installed::installed, Fqdn::literal(of), serial}));
  }
  std::string observed(const std::string& of = domain) {
    const auto found = stage_.run(target().observe(Fqdn::literal(of)));
    if (!found) return found.error().message();
    return *found ? (*found)->version_key : "none";
  }
  Status check() { return stage_.run(target().check()); }

  fakes::kubernetes::Secret secret(const std::string& of = name) {
    return cluster().secret(name_space, of).value_or(fakes::kubernetes::Secret());
  }
  /// What a person writes over it.
  void overwrite(const std::string& serial) {
    cluster().edit(name_space, name,
                   {{".data.tls.crt", material(serial).fullchain},
                    {".data.tls.key", material(serial).private_key.reveal()}});
  }
  std::vector<Method> methods(std::size_t from = 0) {
    std::vector<Method> found;
    const auto calls = cluster().calls();
    for (auto i = from; i < calls.size(); ++i) found.push_back(calls[i].method);
    return found;
  }

  /// This certificate stands there with its key and its serial.
  void expect_installed(const std::string& serial) {
    EXPECT_EQ(observed(), serial);
    EXPECT_EQ(secret().data("tls.crt"), material(serial).fullchain);
    EXPECT_EQ(secret().data("tls.key"), material(serial).private_key.reveal());
    EXPECT_EQ(secret().annotation("certherd/serial"), serial);
  }

  void pass(Duration duration) { stage_.loop().run(stage_.loop().clock().sleep_for(duration)); }
  KubernetesStage& stage() { return stage_; }
  ScriptedKubernetes& cluster() { return stage_.cluster(); }
  Target& target() { return stage_.target(); }

 private:
  KubernetesStage stage_;
  std::map<std::string, Material> materials_;
};

Error error_of(const Result<Receipt>& result) {
  EXPECT_FALSE(result);
  return result ? Error() : result.error();
}
Error error_of(const Status& result) {
  EXPECT_FALSE(result);
  return result ? Error() : result.error();
}

TEST(Kubernetes, WritesASecretForIngresses) {
  World world({.api = {}, .labels = {{"team", "web"}}});
  const auto receipt = world.install("01");
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->outcome, Installed::installed);
  const fakes::kubernetes::Fields fields = {
      {".type", "kubernetes.io/tls"},
      {".data.tls.crt", world.material("01").fullchain},
      {".data.tls.key", world.material("01").private_key.reveal()},
      {".metadata.labels.app.kubernetes.io/managed-by", "certherd"},
      {".metadata.labels.team", "web"},
      {".metadata.annotations.certherd/domain", "example.com"},
      {".metadata.annotations.certherd/serial", "01"}};
  EXPECT_EQ(world.secret().fields, fields);
  EXPECT_THAT(world.methods(), ElementsAre(Method::get, Method::patch));
}

TEST(Kubernetes, WritesNothingForWhatIsRight) {
  World world;
  ASSERT_TRUE(world.install("01"));
  const auto again = world.install("01");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::unchanged);
  EXPECT_EQ(world.cluster().writes(), 1);
}

TEST(Kubernetes, RenewsInOnePlace) {
  World world;
  ASSERT_TRUE(world.install("01"));
  const auto uid = world.secret().uid;
  ASSERT_TRUE(world.install("02"));
  world.expect_installed("02");
  EXPECT_EQ(world.secret().uid, uid);
  EXPECT_EQ(world.cluster().writes(), 2);
}

TEST(Kubernetes, LabelsThatAreAddedLaterComeWithTheSameVersion) {
  World before;
  ASSERT_TRUE(before.install("01"));
  World world({.api = {}, .labels = {{"team", "web"}}});
  auto fields = before.secret().fields;
  fields[".data.tls.crt"] = world.material("01").fullchain;
  fields[".data.tls.key"] = world.material("01").private_key.reveal();
  world.cluster().edit(name_space, name, fields, "certherd");
  const auto installed = world.install("01");
  ASSERT_TRUE(installed) << installed.error().message();
  EXPECT_EQ(installed->outcome, Installed::installed);
  EXPECT_EQ(world.secret().label("team"), "web");
}

TEST(Kubernetes, SpellsAWildcardInItsName) {
  World world({.api = {}, .name = "tls.{domain}"});
  ASSERT_TRUE(world.install("01", "*.example.com"));
  EXPECT_EQ(world.secret("tls.wildcard.example.com").annotation("certherd/domain"),
            "*.example.com");
}

TEST(Kubernetes, SendsNothingForADomainThatGivesNoName) {
  World world;
  const auto error = error_of(world.install("01", "_sip.example.com"));
  EXPECT_EQ(error.kind, Kind::misconfigured);
  EXPECT_THAT(error.message(), HasSubstr("\"_sip.example.com-tls\" is no name for an object"));
  EXPECT_TRUE(world.cluster().calls().empty());
}

TEST(Kubernetes, RefusesAnotherCertificateByTheSameSerial) {
  World world;
  ASSERT_TRUE(world.install("01"));
  const auto other = world.stage().issuer().issue({domain}, 1);
  const auto error =
      error_of(world.stage().run(world.target().install(Fqdn::literal(domain), other, "01")));
  EXPECT_EQ(error.kind, Kind::rejected);
  world.expect_installed("01");
}

TEST(Kubernetes, LeavesSecretsOfOthersAlone) {
  struct Other {
    fakes::kubernetes::Fields fields;
    std::string words;
  };
  const std::string label = ".metadata.labels.app.kubernetes.io/managed-by";
  const std::string annotation = ".metadata.annotations.certherd/domain";
  const std::vector<Other> others = {
      {{{".type", "kubernetes.io/tls"}}, "(it is managed by kubectl-create): delete it"},
      {{{".type", "Opaque"}, {label, "Helm"}, {annotation, domain}}, "(it is managed by Helm)"},
      {{{label, "certherd"}, {annotation, "*.example.com"}},
       "is that of *.example.com: let `name`"},
      {{{label, "certherd"}}, "is that of another domain"}};
  for (const auto& other : others) {
    World world;
    world.cluster().edit(name_space, name, other.fields, "kubectl-create");
    const auto error = error_of(world.install("01"));
    EXPECT_EQ(error.kind, Kind::conflict);
    EXPECT_THAT(error.message(), HasSubstr("the Secret web/example.com-tls"));
    EXPECT_THAT(error.message(), HasSubstr(other.words));
    EXPECT_EQ(world.observed(), "none");
    EXPECT_TRUE(world.retire(""));
    EXPECT_EQ(world.secret().fields, other.fields);
    EXPECT_EQ(world.cluster().writes(), 0);
  }
}

TEST(Kubernetes, ObservesTheCertificateThatStandsThere) {
  World world;
  ASSERT_TRUE(world.install("01"));
  world.overwrite("09");
  EXPECT_EQ(world.observed(), "09");
  world.cluster().edit(name_space, name,
                       {{".data.tls.key", world.material("01").private_key.reveal()}});
  EXPECT_EQ(world.observed(), "none") << "the key is not the certificate's";
  world.cluster().edit(name_space, name, {{".data.tls.crt", "no certificate"}});
  EXPECT_EQ(world.observed(), "none");
}

TEST(Kubernetes, OverrulesNoOtherManager) {
  World world;
  ASSERT_TRUE(world.install("01"));
  world.overwrite("09");
  const auto before = world.secret().fields;
  for (const std::string serial : {"01", "02"}) {
    const auto error = error_of(world.install(serial));
    EXPECT_EQ(error.kind, Kind::conflict);
    EXPECT_THAT(error.message(), HasSubstr("\"kubectl-edit\" has written .data.tls.crt, "
                                           ".data.tls.key since"));
  }
  EXPECT_EQ(world.secret().fields, before);
  EXPECT_EQ(world.cluster().writes(), 3) << "what cannot change is not tried again";
}

TEST(Kubernetes, LooksAgainWhenItWasChangedMeanwhile) {
  World world;
  ASSERT_TRUE(world.install("01"));
  world.cluster().before(2, [&world] {
    world.cluster().edit(name_space, name, {{".metadata.annotations.note", "mine"}});
  });
  const auto installed = world.install("02");
  ASSERT_TRUE(installed) << installed.error().message();
  world.expect_installed("02");
  EXPECT_EQ(world.secret().annotation("note"), "mine");
  EXPECT_EQ(world.cluster().writes(), 3);
}

TEST(Kubernetes, MakesItAnewWhenItGoesMeanwhile) {
  World world;
  ASSERT_TRUE(world.install("01"));
  world.cluster().before(2, [&world] { world.cluster().remove(name_space, name); });
  ASSERT_TRUE(world.install("02"));
  world.expect_installed("02");
}

TEST(Kubernetes, LeavesOneAloneThatComesMeanwhile) {
  World world;
  world.cluster().before(2, [&world] {
    world.cluster().edit(
        name_space, name,
        {{".type", "kubernetes.io/tls"}, {".data.tls.crt", "theirs"}, {".data.tls.key", "theirs"}});
  });
  EXPECT_EQ(error_of(world.install("01")).kind, Kind::conflict);
  EXPECT_EQ(world.secret().data("tls.crt"), "theirs");
  EXPECT_EQ(world.secret().label("app.kubernetes.io/managed-by"), "");
}

void change_again_and_again(World* world, int count) {
  world->cluster().before(1, [world, count] {
    world->cluster().edit(name_space, name,
                          {{".metadata.annotations.count", std::to_string(count)}});
    change_again_and_again(world, count + 1);
  });
}

TEST(Kubernetes, GivesUpWhenSomebodyGoesOnChangingIt) {
  World world;
  ASSERT_TRUE(world.install("01"));
  change_again_and_again(&world, 0);
  for (const auto& error : {error_of(world.install("02")), error_of(world.retire("01"))}) {
    EXPECT_EQ(error.kind, Kind::conflict);
    EXPECT_THAT(error.message(), HasSubstr("somebody else goes on changing it"));
  }
  EXPECT_EQ(world.secret().annotation("certherd/serial"), "01");
  EXPECT_EQ(world.cluster().writes(), 1 + 4 + 4);
}

TEST(Kubernetes, RetiresTheVersionOfTheReceipt) {
  World world;
  ASSERT_TRUE(world.install("01"));
  ASSERT_TRUE(world.install("02"));
  EXPECT_TRUE(world.retire("01"));
  world.expect_installed("02");
  EXPECT_TRUE(world.retire("02"));
  EXPECT_EQ(world.cluster().secrets(), 0U);
  EXPECT_TRUE(world.retire("02"));
}

TEST(Kubernetes, LooksAgainBeforeItRetiresWhatWasChanged) {
  World world;
  ASSERT_TRUE(world.install("01"));
  world.cluster().before(2, [&world] { world.overwrite("09"); });
  EXPECT_TRUE(world.retire("01"));
  EXPECT_EQ(world.observed(), "09") << "another version has come meanwhile";
  EXPECT_TRUE(world.retire("09"));
  EXPECT_EQ(world.cluster().secrets(), 0U);
}

TEST(Kubernetes, ChecksByAskingForItsRights) {
  World world;
  const auto good = world.check();
  EXPECT_TRUE(good) << good.error().message();
  EXPECT_EQ(world.cluster().writes(), 0);
  EXPECT_EQ(world.cluster().secrets(), 0U);
  for (const std::string verb : {"get", "create", "patch"}) {
    World without;
    without.cluster().forbid(verb);
    const auto error = error_of(without.check());
    EXPECT_EQ(error.kind, Kind::denied);
    EXPECT_THAT(error.message(), HasSubstr("the right to " + verb +
                                           " Secrets is missing: bind certherd's account "
                                           "to a Role of namespace web with the rule"));
  }
  World mute;
  mute.cluster().forbid("selfsubjectaccessreviews");
  EXPECT_THAT(error_of(mute.check()).message(), HasSubstr("ClusterRole system:basic-user"));
}

TEST(Kubernetes, TellsOfANamespaceThatIsNotThere) {
  World world;
  world.cluster().remove_namespace(name_space);
  const auto error = error_of(world.install("01"));
  EXPECT_EQ(error.kind, Kind::misconfigured);
  EXPECT_THAT(error.message(), HasSubstr("kubectl create namespace web"));
}

struct Meaning {
  int status;
  std::string reason;
  Kind kind;
  std::string words;
};

TEST(Kubernetes, GivesEachErrorItsKindAndWords) {
  const std::vector<Meaning> meanings = {
      {401, "Unauthorized", Kind::denied, "the token or client certificate is not valid"},
      {403, "Forbidden", Kind::denied, "the right to patch Secrets is missing"},
      {404, "", Kind::misconfigured, "does not seem to be the API server"},
      {415, "UnsupportedMediaType", Kind::misconfigured, "Kubernetes 1.22 or newer"},
      {422, "Invalid", Kind::misconfigured, "as the script says"},
      {429, "TooManyRequests", Kind::throttled, "as the script says"},
      {500, "InternalError", Kind::transient, "as the script says"},
      {503, "ServiceUnavailable", Kind::transient, "as the script says"}};
  for (const auto& meaning : meanings) {
    World world;
    world.cluster().disturb(
        2, ScriptedKubernetes::refusal(meaning.status, meaning.reason, "as the script says"));
    const auto error = error_of(world.install("01"));
    EXPECT_EQ(to_string(error.kind), to_string(meaning.kind)) << meaning.status;
    EXPECT_THAT(error.message(), HasSubstr(meaning.words)) << meaning.status;
    EXPECT_THAT(error.message(), testing::StartsWith("install example.com: "));
  }
}

TEST(Kubernetes, ComesBackWhenTheServerSays) {
  World world;
  world.cluster().disturb(
      1, ScriptedKubernetes::refusal(429, "TooManyRequests", "slowly", {{"retry-after", "7"}}));
  const auto error = error_of(world.install("01"));
  EXPECT_EQ(error.retry_at, world.stage().loop().clock().now() + std::chrono::seconds(7));
}

TEST(Kubernetes, NeverShowsWhatItSent) {
  World world;
  for (const std::string shown : {"LS0tLS1CRUdJTiBQUklWQVRF", "-----BEGIN PRIVATE KEY-----"}) {
    world.cluster().disturb(2, ScriptedKubernetes::refusal(500, "InternalError", "no: " + shown));
    const auto error = error_of(world.install("01"));
    EXPECT_THAT(error.message(), HasSubstr("its message repeats what was sent"));
    EXPECT_THAT(error.message(), Not(HasSubstr(shown)));
  }
}

TEST(Kubernetes, TakesAnAnswerThatIsCutOffForALostOne) {
  for (const int call : {1, 2}) {
    World world;
    world.cluster().disturb(call, ScriptedKubernetes::truncated());
    const auto error = error_of(world.install("01"));
    EXPECT_EQ(error.kind, Kind::transient);
    EXPECT_THAT(error.message(), HasSubstr("cut off"));
  }
}

/// Wherever a call breaks off: what is served goes on being whole, and the next run ends well, be
/// it of the same version or of another one.
TEST(Kubernetes, BrokenOffAnywhereIsMadeGoodByTheNextRun) {
  for (const bool is_first : {true, false}) {
    for (const auto& fault :
         {ScriptedKubernetes::lost_request(), ScriptedKubernetes::lost_reply()}) {
      for (const std::string next : {"02", "03"}) {
        for (int call = 1;; ++call) {
          SCOPED_TRACE(fmt::format("{}, call {} {}, then {}", is_first ? "first" : "renewal", call,
                                   fault.after_its_work ? "after" : "before", next));
          World world;
          if (!is_first) ASSERT_TRUE(world.install("01"));
          world.cluster().disturb(call, fault);
          const auto installed = world.install("02");
          if (!world.cluster().was_disturbed()) {
            EXPECT_TRUE(installed);
            EXPECT_EQ(call, 3);
            break;
          }
          EXPECT_EQ(error_of(installed).kind, Kind::transient);
          EXPECT_THAT(world.observed(),
                      testing::AnyOf(is_first ? "none" : "01", fault.after_its_work ? "02" : "01"));
          ASSERT_TRUE(world.install(next));
          ASSERT_NO_FATAL_FAILURE(world.expect_installed(next));
          EXPECT_EQ(world.cluster().secrets(), 1U);
        }
      }
    }
  }
}

TEST(Kubernetes, ARetirementThatBreaksOffIsEndedByTheNext) {
  for (const auto& fault : {ScriptedKubernetes::lost_request(), ScriptedKubernetes::lost_reply()}) {
    for (const int call : {1, 2}) {
      World world;
      ASSERT_TRUE(world.install("01"));
      world.cluster().disturb(call, fault);
      EXPECT_EQ(error_of(world.retire("01")).kind, Kind::transient);
      EXPECT_TRUE(world.retire("01"));
      EXPECT_EQ(world.cluster().secrets(), 0U);
    }
  }
}

/// Gives one credential after another, as the test says.
struct Given {
  std::vector<Result<Credential>> credentials;
  std::size_t asked = 0;
};

Credential token(const std::string& text, std::optional<Time> good_until = {}) {
  return {.token = Secret<std::string>(text),
          .certificate_pem = {},
          .key_pem = {},
          .good_until = good_until};
}

KubernetesStage::MakeSource one_after_another(Given* given) {
  class Source final : public kubernetes::CredentialSource {
   public:
    Source(runtime::Clock& clock, Given& given) : clock_(clock), given_(given) {}
    Task<Result<Credential>> fetch() override {
      co_await clock_.sleep_for(std::chrono::seconds(1));
      co_return given_.credentials.at(std::min(given_.asked++, given_.credentials.size() - 1));
    }

   private:
    runtime::Clock& clock_;
    Given& given_;
  };
  return [given](runtime::EventLoop& loop, runtime::Offload&) {
    return std::make_unique<Source>(loop.clock(), *given);
  };
}

TEST(KubernetesCredentials, AreKeptUntilTheServerRefusesThem) {
  Given given{.credentials = {token("first"), token("second")}};
  World world({}, one_after_another(&given));
  world.cluster().add_token("first");
  ASSERT_TRUE(world.install("01"));
  EXPECT_EQ(given.asked, 1U);

  world.cluster().revoke_token("first");
  world.cluster().add_token("second");
  ASSERT_TRUE(world.install("02"));
  EXPECT_EQ(given.asked, 2U);

  world.cluster().revoke_token("second");
  const auto before = world.cluster().calls().size();
  EXPECT_EQ(error_of(world.install("03")).kind, Kind::denied);
  EXPECT_EQ(given.asked, 3U);
  EXPECT_EQ(world.cluster().calls().size(), before + 1) << "the same token was tried again";
}

TEST(KubernetesCredentials, AreFetchedAgainAtTheirEnd) {
  const Time start(std::chrono::days(20'781));
  const Time end = start + std::chrono::minutes(10);
  Given given{.credentials = {token("first", end), token("second")}};
  World world({}, one_after_another(&given));
  world.cluster().add_token("first", end);
  world.cluster().add_token("second");
  ASSERT_TRUE(world.install("01"));
  world.pass(std::chrono::minutes(5));
  EXPECT_EQ(world.observed(), "01");
  EXPECT_EQ(given.asked, 1U);
  world.pass(std::chrono::minutes(5));
  EXPECT_EQ(world.observed(), "01");
  EXPECT_EQ(given.asked, 2U);
}

TEST(KubernetesCredentials, ThatAreReadAreReadAgainAfterAMinute) {
  int reads = 0;
  World world({}, [&reads](runtime::EventLoop& loop, runtime::Offload& offload) {
    return kubernetes::make_read_credentials(loop, offload, [&reads] {
      ++reads;
      return Result<Credential>(token(ScriptedKubernetes::token));
    });
  });
  ASSERT_TRUE(world.install("01"));
  world.pass(std::chrono::seconds(59));
  EXPECT_EQ(world.observed(), "01");
  EXPECT_EQ(reads, 1);
  world.pass(std::chrono::seconds(1));
  EXPECT_EQ(world.observed(), "01");
  EXPECT_EQ(reads, 2);
}

Task<void> observe_one(Target* target, std::vector<Error>* errors) {
  const auto found = co_await target->observe(Fqdn::literal(domain));
  if (!found) errors->push_back(found.error());
}

TEST(KubernetesCredentials, AreFetchedOnceForAllWhoWait) {
  Error no;
  no.kind = Kind::denied;
  no.op = "log in";
  for (const bool good : {true, false}) {
    Given given{.credentials = {tl::unexpected(no)}};
    if (good) given.credentials = {token(ScriptedKubernetes::token)};
    World world({}, one_after_another(&given));
    std::vector<Error> errors;
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(observe_one(&world.target(), &errors));
    world.stage().loop().run(runtime::together(std::move(tasks)));
    EXPECT_EQ(given.asked, 1U);
    EXPECT_EQ(errors.size(), good ? 0U : 10U);
    if (!good) EXPECT_THAT(errors.back().message(), HasSubstr("GET Secret web/"));
  }
}

TEST(KubernetesCredentials, ANewClientCertificateTakesANewConnection) {
  auto with_certificate = [](const std::string& certificate) {
    auto credential = token(ScriptedKubernetes::token, Time());
    credential.certificate_pem = certificate;
    return credential;
  };
  Given given{.credentials = {with_certificate("a"), with_certificate("a"), with_certificate("b")}};
  World world({}, one_after_another(&given));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(world.observed(), "none");
  EXPECT_THAT(world.stage().shown(), ElementsAre("a", "b"));
}

/// A plugin that prints what the test says.
struct Printing {
  runtime::CommandResult result;
  std::vector<runtime::Command> commands;
};

Task<Result<runtime::CommandResult>> print(Printing* printing, runtime::Command command) {
  printing->commands.push_back(std::move(command));
  co_return printing->result;
}

Result<Credential> credential_of(Printing* printing, kubernetes::ExecPlugin plugin = {}) {
  const auto loop = runtime::make_virtual_loop(Time(std::chrono::days(20'781)));
  plugin.api_version = "client.authentication.k8s.io/v1";
  if (plugin.arguments.empty()) plugin.arguments = {"login", "--cluster", "web"};
  const auto source = kubernetes::make_exec_credentials(
      *loop,
      [printing](runtime::Command command, Time) { return print(printing, std::move(command)); },
      std::move(plugin));
  return loop->run(source->fetch());
}

std::string exec_credential(const std::string& status) {
  return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":)" +
         status + "}";
}

TEST(KubernetesExec, ReadsTokenCertificateAndEnd) {
  Printing printing;
  printing.result.output =
      exec_credential(R"({"token":"t","expirationTimestamp":"2026-11-25T12:00:00Z",)"
                      R"("clientCertificateData":"c","clientKeyData":"k"})");
  const auto found = credential_of(&printing);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->token.reveal(), "t");
  EXPECT_EQ(found->certificate_pem, "c");
  EXPECT_EQ(found->key_pem.reveal(), "k");
  EXPECT_EQ(found->good_until, *parse_time("2026-11-25T11:59:50Z"));
}

TEST(KubernetesExec, TellsTheProgramOfItsTask) {
  Printing printing;
  printing.result.output = exec_credential(R"({"token":"t"})");
  ASSERT_TRUE(credential_of(&printing, {.api_version = {},
                                        .arguments = {"login", "-v"},
                                        .environment = {{"PROFILE", "web"}},
                                        .install_hint = {},
                                        .server = "https://k8s.example.com",
                                        .authority_pem = "ca",
                                        .withheld = {"SECRET"}}));
  const auto& command = printing.commands.at(0);
  EXPECT_THAT(command.arguments, ElementsAre("login", "-v"));
  EXPECT_EQ(command.environment.at("PROFILE"), "web");
  EXPECT_EQ(command.withheld, std::set<std::string>{"SECRET"});
  EXPECT_EQ(command.environment.at("KUBERNETES_EXEC_INFO"),
            R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
            R"("spec":{"interactive":false,"cluster":{"server":"https://k8s.example.com",)"
            R"("certificate-authority-data":"Y2E="}}})");
}

TEST(KubernetesExec, TellsWhatIsWrongWithItsOutput) {
  const std::vector<std::pair<std::string, std::string>> outputs = {
      {"no JSON", "it is no JSON object"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})",
       "`kind` or `apiVersion` is another one"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})",
       "it has no `status`"},
      {exec_credential("{}"), "there is neither `token` nor `clientCertificateData`"},
      {exec_credential(R"({"token":"t","clientKeyData":"k"})"), "come together"},
      {exec_credential(R"({"token":"t","expirationTimestamp":"soon"})"), "is no time"}};
  for (const auto& [output, words] : outputs) {
    Printing printing;
    printing.result.output = output;
    const auto found = credential_of(&printing);
    ASSERT_FALSE(found) << output;
    EXPECT_EQ(found.error().kind, Kind::misconfigured);
    EXPECT_THAT(found.error().message(), HasSubstr(words));
  }
}

TEST(KubernetesExec, TellsTheProgramsLastWords) {
  Printing printing;
  printing.result = {.exit_status = 3, .output = "", .errors = "your session\nhas expired\n"};
  const auto found = credential_of(&printing);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, Kind::denied);
  EXPECT_EQ(found.error().message(),
            "ask login for credentials: it ended with 3: your session has expired");
}

}  // namespace
}  // namespace certherd::deploy

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "config/section.hpp"
#include "crypto/encoding.hpp"
#include "crypto/local_ca.hpp"
#include "deploy/kubernetes/kubeconfig.hpp"
#include "deploy/kubernetes/names.hpp"
#include "deploy/kubernetes/pod.hpp"
#include "deploy/kubernetes/section.hpp"
#include "fakes/issued_material.hpp"
#include "fakes/memory_budget.hpp"
#include "fakes/scripted_kubernetes.hpp"
#include "fakes/temporary_folder.hpp"
#include "http/test_server.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"

namespace certherd::deploy {
namespace {

using fakes::ScriptedKubernetes;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Error::Kind;

constexpr const char* token = ScriptedKubernetes::token;

std::string write_in(const fakes::TemporaryFolder& folder, const std::string& file,
                     const std::string& text) {
  const auto path = folder.path() / file;
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
  return path.string();
}

/// One cluster, one user and a context "web" for them; the parts are lines of YAML flow mappings.
std::string kubeconfig(const std::string& cluster, const std::string& user,
                       const std::string& context = "namespace: web") {
  return fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: web\n"
      "clusters:\n- name: c\n  cluster: {{{}}}\n"
      "users:\n- name: u\n  user: {{{}}}\n"
      "contexts:\n- name: web\n  context: {{cluster: c, user: u, {}}}\n",
      cluster, user, context);
}

/// What is wrong with a section; empty when all is well.
std::string faults_of(const std::string& keys) {
  auto document = config::Document::parse("t.toml", keys);
  if (!document) return document.error().message();
  auto root = document->root();
  (void)read_kubernetes(root, "/etc/certherd");
  return document->faults().empty() ? "" : std::move(document->faults()).error().message();
}

class KubernetesFile : public testing::Test {
 protected:
  Result<kubernetes::Cluster> read(const std::string& text, const std::string& context = "") {
    return kubernetes::read_kubeconfig(write_in(folder, "config", text), context);
  }
  std::string refusal_of(const std::string& cluster, const std::string& user) {
    const auto read_one = read(kubeconfig(cluster, user));
    if (read_one) return "no error";
    EXPECT_EQ(read_one.error().kind, Kind::misconfigured);
    return read_one.error().message();
  }

  fakes::TemporaryFolder folder;
};

TEST_F(KubernetesFile, GivesServerTrustNamespaceAndToken) {
  const auto cluster = read(kubeconfig(
      R"(server: "https://k8s.example.com:6443/", certificate-authority-data: Y2E=)", "token: t"));
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_EQ(cluster->server, "https://k8s.example.com:6443");
  EXPECT_EQ(cluster->trust_pem, "ca");
  EXPECT_EQ(cluster->namespace_, "web");
  EXPECT_EQ(cluster->read()->token.reveal(), "t");
}

TEST_F(KubernetesFile, ReadsFilesBesideItAndTheseAnewEachTime) {
  write_in(folder, "ca.pem", "ca");
  write_in(folder, "token", "first\n");
  write_in(folder, "own.pem", "certificate");
  write_in(folder, "own.key", "key");
  const auto cluster = read(kubeconfig(
      R"(server: "https://k", certificate-authority: ca.pem)",
      "tokenFile: token, token: never, client-certificate: own.pem, client-key: own.key"));
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_EQ(cluster->trust_pem, "ca");
  const auto first = cluster->read();
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->token.reveal(), "first");
  EXPECT_EQ(first->certificate_pem, "certificate");
  EXPECT_EQ(first->key_pem.reveal(), "key");
  write_in(folder, "token", "second\n");
  EXPECT_EQ(cluster->read()->token.reveal(), "second");
  write_in(folder, "token", "\n");
  EXPECT_THAT(cluster->read().error().message(), HasSubstr("there is no token in it"));
}

TEST_F(KubernetesFile, GivesTheContextThatIsNamed) {
  auto text = kubeconfig(R"(server: "https://k")", "token: t");
  text += "- name: other\n  context: {cluster: c, user: u, namespace: shop}\n";
  EXPECT_EQ(read(text, "other")->namespace_, "shop");
  EXPECT_THAT(read(text, "third").error().message(), HasSubstr("there is no context \"third\""));
}

TEST_F(KubernetesFile, GivesTheProgramThatLogsIn) {
  const auto cluster = read(kubeconfig(
      R"(server: "https://k", certificate-authority-data: Y2E=)",
      "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login, "
      "args: [get-token, --id, 1], env: [{name: PROFILE, value: web}], provideClusterInfo: true, "
      "interactiveMode: IfAvailable, installHint: see the wiki}"));
  ASSERT_TRUE(cluster) << cluster.error().message();
  ASSERT_TRUE(cluster->exec);
  const auto& exec = *cluster->exec;
  EXPECT_EQ(exec.api_version, "client.authentication.k8s.io/v1beta1");
  EXPECT_THAT(exec.arguments,
              ElementsAre((folder.path() / "bin/login").string(), "get-token", "--id", "1"));
  EXPECT_EQ(exec.environment.at("PROFILE"), "web");
  EXPECT_EQ(exec.install_hint, "see the wiki");
  EXPECT_EQ(exec.server, "https://k");
  EXPECT_EQ(exec.authority_pem, "ca");
}

TEST_F(KubernetesFile, RefusesWhatIsUnsafeOrUnknownToUs) {
  const std::string cluster = R"(server: "https://k")";
  const std::string exec = "exec: {command: login, apiVersion: client.authentication.k8s.io/";
  const std::vector<std::tuple<std::string, std::string, std::string>> refusals = {
      {cluster + ", insecure-skip-tls-verify: true", "token: t", "certificate-authority instead"},
      {cluster + ", tls-server-name: a", "token: t", "a name that is on its certificate"},
      {cluster + R"(, proxy-url: "http://p")", "token: t", "set HTTPS_PROXY"},
      {R"(server: "http://k8s.example.com")", "token: t", "https"},
      {cluster + ", certificate-authority-data: '%'", "token: t", "this must be base64"},
      {cluster + ", certificate-authority: none.pem", "token: t", "none.pem"},
      {cluster, "username: u, password: p", "use a token or exec"},
      {cluster, "auth-provider: {name: gcp}", "use exec instead"},
      {cluster, "token: t, as: admin", "an account of its own"},
      {cluster, "", "there is nothing to log in by"},
      {cluster, "client-certificate-data: Y2E=", "go together"},
      {cluster, exec + "v1}, token: t", "exec goes without token"},
      {cluster, exec + "v1alpha1}", "only client.authentication.k8s.io/v1 and v1beta1"},
      {cluster, exec + "v1, interactiveMode: Always}", "nobody is there to be asked"},
      {cluster, "exec: {apiVersion: client.authentication.k8s.io/v1}", "must name the program"},
      {cluster, "token: [t]", "this must be a text"}};
  for (const auto& [of_cluster, of_user, words] : refusals) {
    EXPECT_THAT(refusal_of(of_cluster, of_user), HasSubstr(words)) << of_cluster << of_user;
  }
  EXPECT_THAT(refusal_of(cluster + ", insecure-skip-tls-verify: false", "token: t"), "no error");
}

TEST_F(KubernetesFile, TellsWhereItIsNoYaml) {
  const auto broken = read("clusters:\n- name: [\n");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, Kind::misconfigured);
  EXPECT_THAT(broken.error().message(), HasSubstr("line 3"));
  EXPECT_THAT(read("[]").error().message(), HasSubstr("must be a mapping"));
  EXPECT_THAT(read("").error().message(), HasSubstr("current-context"));
  EXPECT_EQ(kubernetes::read_kubeconfig("/no/such/config", "").error().kind, Kind::misconfigured);
}

TEST_F(KubernetesFile, APodHasAServiceAccount) {
  kubernetes::Pod pod{.host = "fd00::1", .port = "443", .account = folder.path()};
  EXPECT_EQ(kubernetes::namespace_of(pod), "");
  EXPECT_THAT(kubernetes::cluster_of(pod).error().message(), HasSubstr("ca.crt"));
  write_in(folder, "ca.crt", "ca");
  write_in(folder, "token", "t");
  write_in(folder, "namespace", "ops\n");
  const auto cluster = kubernetes::cluster_of(pod);
  ASSERT_TRUE(cluster) << cluster.error().message();
  EXPECT_EQ(cluster->server, "https://[fd00::1]:443");
  EXPECT_EQ(cluster->trust_pem, "ca");
  EXPECT_EQ(cluster->read()->token.reveal(), "t");
  EXPECT_EQ(kubernetes::namespace_of(pod), "ops");
  pod.host = "";
  EXPECT_THAT(kubernetes::cluster_of(pod).error().message(), HasSubstr("set `kubeconfig`"));
}

TEST(KubernetesSection, TellsWhatIsWrong) {
  const std::string server = "server = \"https://k\"\ntoken = {env = \"T\"}\n";
  EXPECT_EQ(faults_of(""), "");
  EXPECT_EQ(faults_of("kubeconfig = \"k\"\ncontext = \"c\"\nnamespace = \"web\"\n"), "");
  EXPECT_EQ(faults_of(server + "trust = \"ca.pem\"\nname = \"tls-{domain}\"\n"
                               "labels = {team = \"web\", \"example.com/a\" = \"\"}"),
            "");
  const std::vector<std::pair<std::string, std::string>> faults = {
      {server + "kubeconfig = \"k\"", "either by `kubeconfig` or by `server`"},
      {"context = \"c\"", "one of a `kubeconfig`"},
      {"token = {env = \"T\"}", "this goes with `server`"},
      {"trust = \"ca.pem\"", "this goes with `server`"},
      {"server = \"https://k\"", "must say where the token is"},
      {"server = \"http://k8s.example.com\"\ntoken = {env = \"T\"}", "https"},
      {"namespace = \"Web\"", "is no name of a namespace"},
      {"name = \"{domain}_tls\"", "is no name for an object"},
      {"name = \"\"", "is no name for an object"},
      {"labels = {\"app.kubernetes.io/managed-by\" = \"x\"}", "certherd's own mark"},
      {"labels = {team = \"a b\"}", "is no label"},
      {"labels = {\"/team\" = \"a\"}", "is no label"},
      {"secret = \"x\"", "unknown key"}};
  for (const auto& [keys, words] : faults) EXPECT_THAT(faults_of(keys), HasSubstr(words)) << keys;
}

/// A scripted cluster behind TLS, and targets as the config makes them.
class KubernetesOnSockets : public testing::Test {
 protected:
  explicit KubernetesOnSockets(bool asks_for_certificate = false)
      : server([this](const std::string& text) { return answer(text); },
               tls(asks_for_certificate)) {}

  http::TestServer::Tls tls(bool asks_for_certificate) const {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
    return {.chain_pem = issue(key, {"localhost"}),
            .key_pem = key.to_pem().reveal(),
            .client_root_pem = asks_for_certificate ? ca.root_pem() : ""};
  }
  std::string issue(const crypto::PrivateKey& key, const std::vector<std::string>& names) const {
    return ca.issue(key.public_key(), names, 1, now - std::chrono::hours(1),
                    now + std::chrono::hours(1));
  }

  http::TestServer::Answer answer(const std::string& text) {
    using Method = http::Request::Method;
    http::Request request;
    const auto head_end = text.find("\r\n\r\n");
    request.body = text.substr(head_end + 4);
    std::istringstream lines(text.substr(0, head_end));
    std::string method;
    std::string path;
    std::string line;
    lines >> method >> path;
    std::getline(lines, line);
    if (method == "PATCH") request.method = Method::patch;
    if (method == "DELETE") request.method = Method::delete_;
    if (method == "POST") request.method = Method::post;
    request.url = ScriptedKubernetes::server + path;
    while (std::getline(lines, line)) {
      const auto colon = line.find(": ");
      if (colon == std::string::npos) continue;
      if (line.ends_with('\r')) line.pop_back();
      if (line.starts_with("Accept:") && line.ends_with("*/*")) continue;
      request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    const auto given = cluster.answer(request).value();
    return {
        fmt::format("HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: "
                    "{}\r\n\r\n{}",
                    given.status, given.body.size(), given.body)};
  }

  /// The cluster's part of a kubeconfig.
  std::string to_cluster() const {
    return fmt::format(R"(server: "{}", certificate-authority-data: {})",
                       server.url("", "localhost"), crypto::base64(ca.root_pem()));
  }

  void open(const std::string& keys) {
    auto document = config::Document::parse("t.toml", keys).value();
    auto root = document.root();
    const auto section = read_kubernetes(root, folder.path());
    ASSERT_TRUE(document.faults().empty());
    auto opened = section->open({.loop = *loop,
                                 .offload = *offload,
                                 .random = random,
                                 .budget = budget,
                                 .user_agent = "certherd-test",
                                 .withheld = {}});
    ASSERT_TRUE(opened) << opened.error().message();
    target = std::move(*opened);
  }

  void expect_works(const std::string& serial) {
    const auto material = issuer.issue({"example.com"}, std::stoull(serial));
    const auto receipt = loop->run(target->install(Fqdn::literal("example.com"), material, serial));
    ASSERT_TRUE(receipt) << receipt.error().message();
    EXPECT_EQ(cluster.secret("web", "example.com-tls")->data("tls.crt"), material.fullchain);
    const auto checked = loop->run(target->check());
    EXPECT_TRUE(checked) << checked.error().message();
  }

  fakes::TemporaryFolder folder;
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  const Time now = loop->clock().now();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 1);
  runtime::SeededRandom random{1};
  fakes::MemoryBudget budget{loop->clock()};
  crypto::LocalCa ca{"Cluster", now};
  fakes::Issuer issuer{now};
  ScriptedKubernetes cluster{[] { return Time(); }};
  http::TestServer server;
  std::unique_ptr<Target> target;
};

class KubernetesThatAsksForCertificates : public KubernetesOnSockets {
 protected:
  KubernetesThatAsksForCertificates() : KubernetesOnSockets(true) {}
};

TEST_F(KubernetesOnSockets, TakesATokenAndTheClustersCa) {
  write_in(folder, "token", std::string(token) + "\n");
  write_in(folder, "ca.pem", ca.root_pem());
  open(
      fmt::format("server = \"{}\"\ntrust = \"ca.pem\"\ntoken = {{file = \"token\"}}\n"
                  "namespace = \"web\"\n",
                  server.url("/", "localhost")));
  expect_works("11");
}

TEST_F(KubernetesOnSockets, ACertificateOfTheServerThatIsNotTrustedIsOurMistake) {
  write_in(folder, "token", token);
  open(
      fmt::format("server = \"{}\"\ntoken = {{file = \"token\"}}\n", server.url("/", "localhost")));
  const auto checked = loop->run(target->check());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, Kind::misconfigured);
  EXPECT_THAT(checked.error().message(), HasSubstr("`trust`"));
}

TEST_F(KubernetesOnSockets, AsksTheProgramOfAKubeconfigAgainWhenItsTokenIsRefused) {
  cluster.revoke_token(token);
  cluster.add_token("token-1");
  write_in(folder, "login",
           "#!/bin/sh\n"
           "echo x >> runs\n"
           "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
           "\"status\":{\"token\":\"token-'$(wc -l < runs)'\"}}'\n");
  const auto script = fmt::format("cd '{}' && . ./login", folder.path().string());
  write_in(folder, "config",
           kubeconfig(to_cluster(),
                      "exec: {apiVersion: client.authentication.k8s.io/v1, "
                      "command: sh, args: [-c, \"" +
                          script + "\"]}"));
  open("kubeconfig = \"config\"\n");
  ASSERT_NO_FATAL_FAILURE(expect_works("11"));
  cluster.revoke_token("token-1");
  cluster.add_token("token-2");
  expect_works("12");
}

TEST_F(KubernetesThatAsksForCertificates, ShowsThatOfTheKubeconfig) {
  const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
  write_in(folder, "own.pem", issue(key, {"certherd"}));
  write_in(folder, "own.key", key.to_pem().reveal());
  write_in(folder, "config",
           kubeconfig(to_cluster(), fmt::format("token: {}, client-certificate: own.pem, "
                                                "client-key: own.key",
                                                token)));
  open("kubeconfig = \"config\"\n");
  expect_works("11");
}

}  // namespace
}  // namespace certherd::deploy

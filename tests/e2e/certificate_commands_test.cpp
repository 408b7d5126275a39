// The commands about certificates that are there: revoke, deploy, export, and a domain that goes.
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "end_to_end.hpp"
#include "http/curl_client.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto name = "site-0001.fleet.test";
constexpr auto other = "site-0002.fleet.test";

fs::perms permissions(const fs::path& file) { return fs::status(file).permissions(); }

class CertificateCommands : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 2});
    add_inventory();
    const auto issued = run({"issue", "--all"});
    ASSERT_EQ(issued.status, 0) << issued.err;
    http::CurlOptions options;
    options.user_agent = "certherd-test";
    options.trust_pem = stage_->pebble().trust_pem();
    http_ = http::make_curl_client(loop(), std::move(options));
  }

  void TearDown() override {
    http_.reset();
    OnStage::TearDown();
  }

  json::value shown(const std::string& domain) {
    const auto ended = run({"--json", "cert", "show", domain});
    EXPECT_EQ(ended.status, 0) << ended.err;
    return ended.json();
  }

  static std::string text(const json::value& document, std::string_view member) {
    return std::string(document.at(member).as_string());
  }

  std::string key_of(const std::string& domain) {
    const auto pem = content_of(text(shown(domain).at("vault"), "private_key"));
    const auto key = crypto::PrivateKey::from_pem(Secret<std::string>(pem));
    return key ? key->public_key() : "";
  }

  /// What the CA itself says of a certificate.
  json::value at_the_ca(const std::string& serial) {
    http::Request request;
    request.url = stage_->pebble().management_url() + "/cert-status-by-serial/" + serial;
    auto response = loop().run(http_->send(std::move(request), loop().clock().now() + 10s));
    EXPECT_TRUE(response) << response.error().message();
    return response ? json::parse(response->body) : json::value();
  }

  std::unique_ptr<http::Client> http_;
};

TEST_F(CertificateCommands, RevokeAsksTheCaByTheAccount) {
  const auto serial = text(shown(name), "serial");
  const auto revoked = run({"--json", "cert", "revoke", name, "--reason", "superseded"});
  EXPECT_EQ(revoked.status, 0) << revoked.err;
  const auto result = revoked.json().at("results").at(0);
  EXPECT_EQ(text(result, "outcome"), "current");
  EXPECT_EQ(text(result, "serial"), serial);
  EXPECT_EQ(text(result, "revocation_reason"), "superseded");
  EXPECT_EQ(text(at_the_ca(serial), "Status"), "Revoked");
  EXPECT_EQ(at_the_ca(serial).at("Reason").as_int64(), 4);
  EXPECT_EQ(text(at_the_ca(text(shown(other), "serial")), "Status"), "Valid");

  EXPECT_TRUE(shown(name).at("revoked_at").is_string());
  EXPECT_THAT(run({"cert", "list"}).out, HasSubstr("revoked"));
  EXPECT_THAT(run({"cert", "show", name}).out, HasSubstr("superseded"));
  EXPECT_THAT(run({"plan"}).out, HasSubstr("certificate was revoked (superseded)"));
  // Once more is no failure.
  EXPECT_EQ(run({"cert", "revoke", name, "--reason", "superseded"}).status, 0);
  const auto deployed = run({"deploy", name});
  EXPECT_EQ(deployed.status, 1);
  EXPECT_THAT(deployed.out, HasSubstr("was revoked"));
}

TEST_F(CertificateCommands, ACompromisedKeyIsRevokedByItselfAndReplacedByTheNextRun) {
  const auto serial = text(shown(name), "serial");
  const auto key = key_of(name);
  const auto untouched = text(shown(other), "serial");
  ASSERT_EQ(run({"cert", "revoke", name, "--reason", "1"}).status, 0);
  EXPECT_EQ(text(at_the_ca(serial), "Status"), "Revoked");
  EXPECT_EQ(at_the_ca(serial).at("Reason").as_int64(), 1);
  EXPECT_THAT(run({"log", name}).out, HasSubstr("certificate key"));
  const auto exported = run({"cert", "export", name, "--dir", "out"});
  EXPECT_EQ(exported.status, 1);
  EXPECT_THAT(exported.err, HasSubstr("compromised"));
  EXPECT_FALSE(fs::exists(path("out")));

  const auto renewed = run({"--json", "run", "--once"});
  EXPECT_EQ(renewed.status, 0) << renewed.err;
  EXPECT_EQ(renewed.json().at("summary").at("issued").as_int64(), 1);
  EXPECT_NE(text(shown(name), "serial"), serial);
  EXPECT_NE(key_of(name), key);
  EXPECT_TRUE(shown(name).at("served").as_bool());
  EXPECT_EQ(text(shown(other), "serial"), untouched);
}

TEST_F(CertificateCommands, AFormerCertificateIsRevokedByItsSerial) {
  const auto former = text(shown(name), "serial");
  ASSERT_EQ(run({"issue", name}).status, 0);
  const auto revoked = run({"cert", "revoke", name, "--serial", former, "--reason", "5"});
  EXPECT_EQ(revoked.status, 0) << revoked.err;
  EXPECT_EQ(text(at_the_ca(former), "Status"), "Revoked");
  EXPECT_EQ(text(at_the_ca(text(shown(name), "serial")), "Status"), "Valid");
  EXPECT_EQ(run({"--json", "run", "--once"}).json().at("summary").at("current").as_int64(), 2);
}

TEST_F(CertificateCommands, RevokeRefusesWhatItDoesNotKnow) {
  const auto reason = run({"cert", "revoke", name, "--reason", "cACompromise"});
  EXPECT_EQ(reason.status, 2);
  EXPECT_THAT(reason.err, HasSubstr("cessationOfOperation (5)"));
  const auto serial = run({"cert", "revoke", name, "--serial", "0a"});
  EXPECT_EQ(serial.status, 2);
  EXPECT_THAT(serial.err, HasSubstr("0a"));
  EXPECT_EQ(run({"cert", "revoke", "nobody.fleet.test"}).status, 2);
  EXPECT_EQ(text(at_the_ca(text(shown(name), "serial")), "Status"), "Valid");
}

TEST_F(CertificateCommands, DeployRestoresWhatATargetHasLost) {
  const auto folder = path("edge") / name;
  const auto chain = content_of(folder / "fullchain.pem");
  ASSERT_FALSE(chain.empty());
  fs::remove(folder / "privkey.pem");
  fs::remove(path("edge") / other);

  const auto deployed = run({"--json", "deploy", "--all"});

  EXPECT_EQ(deployed.status, 0) << deployed.err;
  const auto document = deployed.json();
  EXPECT_EQ(document.at("summary").at("current").as_int64(), 2);
  for (const auto& result : document.at("results").as_array()) {
    EXPECT_EQ(text(result.at("targets"), "nginx"), "installed") << result;
    EXPECT_TRUE(result.at("served").as_bool()) << result;
  }
  EXPECT_EQ(content_of(folder / "fullchain.pem"), chain);
  EXPECT_EQ(permissions(folder / "privkey.pem"), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(fs::exists(path("edge") / other / "privkey.pem"));
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 2U);
  const auto again = run({"--json", "deploy", name, "--target", "nginx"});
  EXPECT_EQ(text(again.json().at("results").at(0).at("targets"), "nginx"), "unchanged");
}

TEST_F(CertificateCommands, DeployRefusesWhatItDoesNotKnow) {
  const auto target = run({"deploy", name, "--target", "moon"});
  EXPECT_EQ(target.status, 2);
  EXPECT_THAT(target.err, HasSubstr("nginx"));
  EXPECT_EQ(run({"deploy"}).status, 2);
  ASSERT_EQ(run({"domain", "add", "new.fleet.test"}).status, 0);
  const auto fresh = run({"deploy", "new.fleet.test"});
  EXPECT_EQ(fresh.status, 2);
  EXPECT_THAT(fresh.err, HasSubstr("certherd issue"));
}

TEST_F(CertificateCommands, ExportWritesAllOrNothing) {
  const auto exported = run({"--json", "cert", "export", name, "--dir", "out/deep"});
  ASSERT_EQ(exported.status, 0) << exported.err;
  const auto out = path("out") / "deep";
  EXPECT_EQ(text(exported.json().at("files"), "private_key"), (out / "privkey.pem").string());
  EXPECT_EQ(permissions(out), fs::perms::owner_all);
  EXPECT_EQ(permissions(out / "privkey.pem"), fs::perms::owner_read | fs::perms::owner_write);
  const auto fullchain = content_of(out / "fullchain.pem");
  EXPECT_EQ(content_of(out / "cert.pem") + content_of(out / "chain.pem"), fullchain);
  EXPECT_EQ(fullchain, content_of(text(shown(name).at("vault"), "fullchain")));
  EXPECT_EQ(content_of(out / "privkey.pem"),
            content_of(text(shown(name).at("vault"), "private_key")));
  EXPECT_THAT(content_of(out / "csr.pem"), HasSubstr("CERTIFICATE REQUEST"));
  EXPECT_EQ(std::distance(fs::directory_iterator(out), {}), 5);
  EXPECT_EQ(run({"cert", "export", name, "--dir", "out/deep"}).status, 0) << "nothing differs";

  const auto refused = run({"cert", "export", other, "--dir", "out/deep"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_EQ(content_of(out / "fullchain.pem"), fullchain);
  EXPECT_EQ(std::distance(fs::directory_iterator(out), {}), 5);

  ASSERT_EQ(run({"cert", "export", other, "--dir", "out/deep", "--force"}).status, 0);
  const auto chain = crypto::read_chain(content_of(out / "fullchain.pem"));
  ASSERT_TRUE(chain);
  EXPECT_THAT(chain->front().names, ElementsAre(other));
  EXPECT_EQ(permissions(out / "privkey.pem"), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CertificateCommands, ExportSaysWhenTheVaultHoldsSomethingElse) {
  const auto vault = shown(name).at("vault");
  const auto foreign = content_of(text(shown(other).at("vault"), "private_key"));
  write_file(text(vault, "private_key"), foreign);
  const auto key = run({"cert", "export", name, "--dir", "out"});
  EXPECT_EQ(key.status, 1);
  EXPECT_THAT(key.err, HasSubstr("private key is not the one"));
  const auto deployed = run({"deploy", name});
  EXPECT_EQ(deployed.status, 1);
  EXPECT_THAT(deployed.out, HasSubstr("private key is not the one"));
  write_file(text(vault, "fullchain"), content_of(text(shown(other).at("vault"), "fullchain")));
  const auto chain = run({"cert", "export", name, "--dir", "out"});
  EXPECT_EQ(chain.status, 1);
  EXPECT_THAT(chain.err, HasSubstr("the store says"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(CertificateCommands, ADomainThatGoesIsTakenOffAndRevokedFirst) {
  // This nginx names all of them in its config, and would refuse to go on without one.
  configure("reload = [", "# reload = [");
  const auto serial = text(shown(name), "serial");
  const auto removed = run({"--json", "domain", "remove", name, "--retire", "--revoke"});
  EXPECT_EQ(removed.status, 0) << removed.err;
  EXPECT_EQ(removed.json().at("removed").as_array().size(), 1U);
  EXPECT_FALSE(fs::exists(path("edge") / name));
  EXPECT_TRUE(fs::exists(path("edge") / other));
  EXPECT_EQ(at_the_ca(serial).at("Reason").as_int64(), 5);
  EXPECT_EQ(run({"--json", "domain", "list"}).json().at("domains").as_array().size(), 1U);
}

TEST_F(CertificateCommands, NothingIsRemovedWhenATargetDoesNotLetGo) {
  const auto serial = text(shown(name), "serial");
  const auto refused = run({"--json", "domain", "remove", name, other, "--retire", "--revoke"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.json().at("removed").as_array(), IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr("none is removed"));
  EXPECT_EQ(text(at_the_ca(serial), "Status"), "Valid");
  EXPECT_EQ(run({"--json", "domain", "list"}).json().at("domains").as_array().size(), 2U);
}

TEST_F(CertificateCommands, AKilledRevocationIsMadeUpForByTheNextRun) {
  const auto serial = text(shown(name), "serial");
  const auto known = [&] {
    return content_of(path("state.db-wal")).find("revocation.begun") != std::string::npos ||
           content_of(path("state.db")).find("revocation.begun") != std::string::npos;
  };
  auto program = start({"cert", "revoke", name, "--reason", "keyCompromise"});
  ASSERT_TRUE(eventually(loop(), 1min, [&] { return !program->running() || known(); }));
  program->send(SIGKILL);
  (void)program->wait();

  const auto renewed = run({"--json", "run", "--once"});

  EXPECT_EQ(renewed.status, 0) << renewed.err;
  EXPECT_EQ(text(at_the_ca(serial), "Status"), "Revoked");
  EXPECT_NE(text(shown(name), "serial"), serial);
}

}  // namespace
}  // namespace certherd::e2e

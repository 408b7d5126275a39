#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <filesystem>

#include "on_tls_hosts.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::days;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int wrong_usage = 2;

std::map<std::string, json::value> by_endpoint(const json::value& document) {
  std::map<std::string, json::value> findings;
  for (const auto& finding : document.at("endpoints").as_array()) {
    findings.emplace(finding.at("endpoint").as_string(), finding);
  }
  return findings;
}

std::vector<std::string> drift_of(const json::value& finding) {
  std::vector<std::string> kinds;
  for (const auto& drift : finding.at("drift").as_array()) {
    kinds.emplace_back(drift.at("kind").as_string());
  }
  return kinds;
}

/// Endpoints of every kind, in a folder made by init.
class ScanHosts : public OnTlsHosts {
 protected:
  void SetUp() override {
    OnTlsHosts::SetUp();
    add("good.example.com", ca_, now_ - days(1), now_ + days(89));
    add("expiring.example.com", ca_, now_ - days(80), now_ + days(10));
    add("expired.example.com", ca_, now_ - days(60), now_ - days(2));
    add("future.example.com", ca_, now_ + days(1), now_ + days(30));
    add("untrusted.example.com", stranger_, now_ - days(1), now_ + days(89));
    add("both.example.com", stranger_, now_ - days(60), now_ - days(2));
    add("xn--bcher-kva.example.com", ca_, now_ - days(1), now_ + days(89));
    start_servers();
  }

  crypto::LocalCa stranger_{"somebody's CA", now_};

 private:
  void add(const std::string& name, const crypto::LocalCa& ca, Time not_before, Time not_after) {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
    servers_.add(name, ca.issue(key.public_key(), {name}, ++serial_, not_before, not_after), key);
  }

  std::uint64_t serial_ = 0x10;
};

TEST_F(ScanHosts, EachEndpointHasTheStatusThatMattersMost) {
  const fakes::SilentServer silent(loop());
  const auto free_port = fakes::SilentServer(loop()).port();
  const auto mute = fmt::format("mute.example.com:{}@127.0.0.1", silent.port());
  const auto closed = fmt::format("closed.example.com:{}@127.0.0.1", free_port);
  const auto plain = fmt::format("plain.example.com:{}@127.0.0.1", servers_.plain_port());
  const auto six = fmt::format("good.example.com:{}@[::1]", servers_.port());
  std::string list = "# all kinds\n";
  for (const auto* host : {"good", "expiring", "expired", "future", "untrusted", "both", "other"}) {
    list += at(std::string(host) + ".example.com") + "\n";
  }
  list += at("BÜCHER.example.com") + "\n" + mute + "\n" + closed + "\n" + plain + "\n" + six + "\n";

  const auto ended = run({"--json", "scan", "--hosts", "-", "--timeout", "1s"}, list);
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto document = ended.json();
  auto findings = by_endpoint(document);
  const std::map<std::string, std::string> expected = {{at("good.example.com"), "ok"},
                                                       {at("expiring.example.com"), "expiring"},
                                                       {at("expired.example.com"), "expired"},
                                                       {at("future.example.com"), "not_yet_valid"},
                                                       {at("untrusted.example.com"), "untrusted"},
                                                       {at("both.example.com"), "expired"},
                                                       {at("other.example.com"), "name_mismatch"},
                                                       {at("xn--bcher-kva.example.com"), "ok"},
                                                       {mute, "unreachable"},
                                                       {closed, "unreachable"},
                                                       {plain, "unreachable"},
                                                       {six, "ok"}};
  std::map<std::string, std::string> statuses;
  for (const auto& [endpoint, finding] : findings) {
    statuses.emplace(endpoint, finding.at("status").as_string());
  }
  EXPECT_EQ(statuses, expected);
  EXPECT_EQ(document.at("summary"), json::value({{"ok", 3},
                                                 {"expiring", 1},
                                                 {"expired", 2},
                                                 {"not_yet_valid", 1},
                                                 {"name_mismatch", 1},
                                                 {"untrusted", 1},
                                                 {"unreachable", 3},
                                                 {"drift", 0},
                                                 {"shared", 0},
                                                 {"skipped", 0}}));

  const auto& good = findings[at("good.example.com")];
  EXPECT_EQ(good.at("address").as_string(), fmt::format("127.0.0.1:{}", servers_.port()));
  EXPECT_EQ(good.at("serial"), "11");
  EXPECT_EQ(good.at("issuer"), "the CA of the test");
  EXPECT_EQ(good.at("not_after").as_string(), format_time(now_ + days(89)));
  EXPECT_EQ(good.at("days_left"), 88);
  EXPECT_EQ(good.at("names"), json::value(json::array{"good.example.com"}));
  EXPECT_EQ(good.at("key"), "ecdsa-p256");
  EXPECT_EQ(good.at("shared_by"), 1);
  EXPECT_EQ(good.at("chain").as_array().size(), 1U);
  EXPECT_EQ(good.at("chain").at(0).at("subject"), "CN=the CA of the test");
  EXPECT_TRUE(good.at("domain").is_null());
  EXPECT_TRUE(good.at("error").is_null());
  EXPECT_THAT(good.at("drift").as_array(), IsEmpty());
  EXPECT_TRUE(findings[at("expiring.example.com")].at("error").is_null());

  const auto words = [&](const std::string& endpoint) {
    return json::serialize(findings[endpoint].at("error"));
  };
  EXPECT_THAT(words(at("expired.example.com")), HasSubstr("expired at"));
  EXPECT_EQ(findings[at("expired.example.com")].at("days_left"), -3);
  EXPECT_THAT(words(at("both.example.com")),
              AllOf(HasSubstr("expired at"), HasSubstr("not trusted")));
  EXPECT_THAT(words(at("future.example.com")), HasSubstr("not valid before"));
  EXPECT_THAT(words(at("untrusted.example.com")), HasSubstr("not trusted"));
  EXPECT_THAT(words(at("other.example.com")), HasSubstr("is for good.example.com"));
  EXPECT_THAT(words(mute), AllOf(HasSubstr("deadline"), HasSubstr("shaking hands")));
  EXPECT_THAT(words(closed), HasSubstr("refused"));
  EXPECT_THAT(words(plain), HasSubstr("no TLS"));
  EXPECT_TRUE(findings[closed].at("not_after").is_null());
  EXPECT_TRUE(findings[closed].at("days_left").is_null());
}

TEST_F(ScanHosts, TheStatusTellsWhetherAllIsWell) {
  const auto good = run({"scan", "--hosts", "-"}, at("good.example.com"));
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_THAT(good.out, AllOf(HasSubstr("ENDPOINT"), HasSubstr(at("good.example.com")),
                              HasSubstr("the CA of the test"), HasSubstr("1 ok")));
  // A warning counts, and how early it is given is for the caller to say.
  const auto expiring = at("expiring.example.com");
  EXPECT_EQ(run({"scan", "--hosts", "-"}, expiring).status, 1);
  EXPECT_EQ(run({"scan", "--warn-days", "9", "--hosts", "-"}, expiring).status, 0);
  write_file(path("certherd.toml"), content_of(path("certherd.toml")) + "warn_days = 9\n");
  EXPECT_EQ(run({"scan", "--hosts", "-"}, expiring).status, 0);
}

TEST_F(ScanHosts, ABadListIsNamedByItsLinesAndNothingIsLookedAt) {
  write_file(path("hosts"), "good.example.com\n# fine\nbad..example\nx.example:99999\n");
  const auto refused = run({"scan", "--hosts", "hosts"});
  EXPECT_EQ(refused.status, wrong_usage);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("line 3:"), HasSubstr("line 4:"), HasSubstr("2 bad")));
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_EQ(run({"--json", "scan", "--hosts", "hosts"}).json().at("error").at("kind"),
            "misconfigured");
  EXPECT_EQ(run({"scan", "--hosts", "nowhere"}).status, wrong_usage);
  EXPECT_EQ(run({"scan", "--hosts", "-"}, "").status, wrong_usage);
  EXPECT_EQ(run({"scan", "--timeout", "soon"}).status, wrong_usage);
  EXPECT_EQ(run({"scan", "--warn-days", "-1"}).status, wrong_usage);
  EXPECT_EQ(run({"scan", "a.example.com", "--hosts", "hosts"}).status, wrong_usage);
  EXPECT_EQ(run({"scan", "--where", "owner=a", "--hosts", "hosts"}).status, wrong_usage);
  EXPECT_EQ(run({"scan", "lost.example.com"}).status, wrong_usage);
}

TEST_F(ScanHosts, RootsThatCannotBeReadAreToldBeforeAnythingIsLookedAt) {
  fs::remove(path("roots.pem"));
  const auto refused = run({"scan", "--hosts", "-"}, at("good.example.com"));
  EXPECT_EQ(refused.status, wrong_usage);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("[probe] trust"), HasSubstr("roots.pem")));
}

TEST_F(ScanHosts, WildcardsThatNameNoEndpointAreSkippedAndSaidSo) {
  const auto inventory = fmt::format(
      "domain,endpoints,enabled\n"
      "*.example.com,,\n"
      "*.example.net,{0},\n"
      "good.example.com,{0},\n"
      "off.example.com,{1},false\n",
      at("good.example.com"), at("expired.example.com"));
  ASSERT_EQ(run({"domain", "import", "-"}, inventory).status, 0);
  const auto all = run({"--json", "scan"});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_EQ(all.json().at("endpoints").as_array().size(), 2U);
  EXPECT_EQ(all.json().at("skipped").at(0).at("domain"), "*.example.com");
  EXPECT_EQ(all.json().at("summary").at("skipped"), 1);
  EXPECT_THAT(run({"scan"}).out, HasSubstr("*.example.com was skipped"));
  // Nothing of ours can differ yet, and a disabled domain is looked at when it is named.
  EXPECT_EQ(all.json().at("summary").at("drift"), 0);
  const auto picked = run({"--json", "scan", "--where", "domain=good.*"});
  EXPECT_EQ(picked.json().at("summary").at("ok"), 1);
  EXPECT_EQ(picked.json().at("endpoints").as_array().size(), 1U);
  const auto named = run({"--json", "scan", "off.example.com"});
  EXPECT_EQ(named.status, 1);
  EXPECT_EQ(named.json().at("endpoints").at(0).at("status"), "expired");
}

/// What certherd has issued, and what is made of it behind its back.
class ScanFleet : public OnStage {
 protected:
  json::value scan(std::vector<std::string> arguments, int status, std::string input = {}) {
    arguments.insert(arguments.begin(), {"--json", "scan"});
    const auto ended = run(std::move(arguments), std::move(input));
    EXPECT_EQ(ended.status, status) << ended.err << ended.out;
    return ended.json();
  }
  std::string log() { return run({"--json", "log"}).out; }
};

TEST_F(ScanFleet, TellsWhatDiffersFromWhatWasIssued) {
  set_stage({.domains = 3});
  add_inventory();
  ASSERT_EQ(run({"issue", "--all"}).status, 0);
  const auto before = log();
  const auto fine = scan({}, 0);
  EXPECT_EQ(fine.at("summary").at("ok"), 3);
  for (const auto& finding : fine.at("endpoints").as_array()) {
    const std::string domain(finding.at("domain").as_string());
    const auto shown = run({"--json", "cert", "show", domain}).json();
    EXPECT_EQ(finding.at("serial"), shown.at("serial"));
    EXPECT_EQ(finding.at("fingerprint"), shown.at("fingerprint"));
  }

  // Elsewhere, the first site still has its former certificate, and the second one a stranger's.
  const crypto::LocalCa stranger("somebody's CA", loop().clock().now());
  const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
  fakes::TlsServers elsewhere(loop());
  const auto first_key = crypto::PrivateKey::from_pem(
      Secret<std::string>(content_of(path("edge") / "site-0001.fleet.test" / "privkey.pem")));
  ASSERT_TRUE(first_key);
  elsewhere.add("site-0001.fleet.test",
                content_of(path("edge") / "site-0001.fleet.test" / "fullchain.pem"), *first_key);
  elsewhere.add("site-0002.fleet.test",
                stranger.issue(key.public_key(), {"site-0002.fleet.test"}, 0x77,
                               loop().clock().now() - days(1), loop().clock().now() + days(89)),
                key);
  ASSERT_TRUE(elsewhere.start());
  ASSERT_EQ(run({"issue", "site-0001.fleet.test"}).status, 0);
  const auto after = log();
  EXPECT_NE(after, before);
  const auto first = fmt::format("site-0001.fleet.test:{}@127.0.0.1", elsewhere.port());
  const auto second = fmt::format("site-0002.fleet.test:{}@127.0.0.1", elsewhere.port());
  const auto document = scan({"--hosts", "-"}, 1, first + "\n" + second + "\n");
  auto findings = by_endpoint(document);
  EXPECT_THAT(drift_of(findings[first]), ElementsAre("former"));
  EXPECT_EQ(findings[first].at("status"), "ok");
  EXPECT_EQ(findings[first].at("domain"), "site-0001.fleet.test");
  EXPECT_THAT(drift_of(findings[second]), ElementsAre("stranger"));
  EXPECT_EQ(findings[second].at("status"), "untrusted");
  EXPECT_EQ(document.at("summary").at("drift"), 2);

  // The vault of the third is emptied.
  ASSERT_TRUE(fs::remove(path("vault") / "site-0003.fleet.test"));
  const auto emptied = scan({"site-0003.fleet.test"}, 1);
  EXPECT_THAT(drift_of(emptied.at("endpoints").at(0)), ElementsAre("vault"));
  EXPECT_EQ(emptied.at("endpoints").at(0).at("status"), "ok");
  const auto table = run({"scan"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("[vault.files] holds nothing"), HasSubstr("3 ok"),
                               HasSubstr("1 drifted"), Not(HasSubstr("unreachable"))));

  // A revoked one is told where it is still served, and wants to be replaced.
  EXPECT_EQ(log(), after);
  const auto revoked = run({"cert", "revoke", "site-0002.fleet.test", "--yes"});
  ASSERT_EQ(revoked.status, 0) << revoked.err;
  const auto told = scan({"site-0002.fleet.test"}, 1);
  EXPECT_THAT(drift_of(told.at("endpoints").at(0)), ElementsAre("revoked"));
  const auto plan = run({"--json", "plan"}).json();
  EXPECT_EQ(plan.at("due"), 1);
  EXPECT_EQ(plan.at("items").at(0).at("domain"), "site-0002.fleet.test");
  EXPECT_EQ(plan.at("items").at(0).at("action"), "renew");

  // It needs neither CA nor DNS, and has written nothing.
  const auto last = log();
  configure(stage_->pebble().directory_url(), "https://ca.invalid/directory");
  configure("listen = [\"127.0.0.1:", "listen = [\"192.0.2.1:");
  EXPECT_EQ(scan({"site-0001.fleet.test"}, 0).at("summary").at("ok"), 1);
  EXPECT_EQ(log(), last);
}

}  // namespace
}  // namespace certherd::e2e

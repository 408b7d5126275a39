#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "crypto/x509.hpp"
#include "on_tls_hosts.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

/// What a virtual host serves, and what a scan has to say of it.
struct Kind {
  std::string name;
  int hosts;
  Time not_before;
  Time not_after;
  std::string status;
};

/// A thousand virtual hosts of one nginx.
class ThousandHosts : public OnTlsHosts {
 protected:
  static constexpr int sharing = 10;  ///< domains on one shared certificate

  void SetUp() override {
    OnTlsHosts::SetUp();
    const Time begun = now_ - days(1);
    const Time later = now_ + days(89);
    add({"fine", 300, begun, later, "ok"});
    add({"shared", 200, begun, later, "ok"});
    add({"expiring", 100, now_ - days(80), now_ + days(10), "expiring"});
    add({"expired", 100, now_ - days(90), now_ - days(1), "expired"});
    add({"future", 100, now_ + days(1), later, "not_yet_valid"});
    add({"wrong-name", 100, begun, later, "name_mismatch"});
    add({"untrusted", 100, begun, later, "untrusted"});
    start_servers();
  }

  /// What `openssl s_client` makes of a host: its verdict in our words, and the serial.
  std::pair<std::string, std::string> openssl_says(const std::string& host) {
    runtime::Command command;
    command.arguments = {"openssl",          "s_client",
                         "-connect",         fmt::format("127.0.0.1:{}", servers_.port()),
                         "-servername",      host,
                         "-verify_hostname", host,
                         "-CAfile",          path("roots.pem").string()};
    auto running = runtime::run_command(&loop(), std::move(command), loop().clock().now() + 20s);
    const auto ended = loop().run(std::move(running));
    if (!ended) return {ended.error().message(), ""};
    const auto& text = ended->output;
    const auto begin = text.find("-----BEGIN CERTIFICATE-----");
    const auto end = text.find("-----END CERTIFICATE-----");
    const auto verdict = text.find("Verify return code: ");
    if (std::max({begin, end, verdict}) == std::string::npos) return {text, ""};
    const auto pem = text.substr(begin, end + 26 - begin);
    const auto leaf = crypto::read_chain(pem).value().front();
    // openssl-verification-options(1) has the numbers.
    const std::map<int, std::string> statuses = {
        {0, "ok"}, {9, "not_yet_valid"}, {10, "expired"}, {19, "untrusted"}, {62, "name_mismatch"}};
    const int code = std::stoi(text.substr(verdict + 20));
    const auto status = statuses.find(code);
    if (status == statuses.end()) return {fmt::format("code {}", code), ""};
    // It does not warn.
    const bool soon = code == 0 && leaf.not_after < now_ + days(14);
    return {soon ? "expiring" : status->second, leaf.serial.text()};
  }

  std::map<std::string, std::string> expected_;  ///< by endpoint's host
  crypto::LocalCa stranger_{"somebody's CA", now_};

 private:
  void add(const Kind& kind) {
    const auto& ca = kind.name == "untrusted" ? stranger_ : ca_;
    std::string chain;
    for (int i = 0; i < kind.hosts; ++i) {
      const auto host = fmt::format("{}-{:03}.example", kind.name, i);
      std::vector<std::string> names = {host, "www." + host};
      if (kind.name == "wrong-name") names = {fmt::format("other-{:03}.example", i)};
      const bool next = kind.name != "shared" || i % sharing == 0;
      if (kind.name == "shared") names = shared_names(i);
      const auto& key = keys_.at(static_cast<std::size_t>(i) % keys_.size());
      // A shared certificate has one key.
      if (next) key_ = &key;
      if (next) {
        chain = ca.issue(key.public_key(), names, ++serial_, kind.not_before, kind.not_after);
      }
      servers_.add(host, chain, *key_);
      expected_.emplace(host, kind.status);
    }
  }

  static std::vector<std::string> shared_names(int first) {
    std::vector<std::string> names;
    for (int i = first; i < first + sharing; ++i) {
      names.push_back(fmt::format("shared-{:03}.example", i));
    }
    return names;
  }

  // Making a key for each would take longer than all the rest.
  std::vector<crypto::PrivateKey> keys_ = {
      crypto::PrivateKey::generate(KeyType::ecdsa_p256).value(),
      crypto::PrivateKey::generate(KeyType::rsa_2048).value()};
  const crypto::PrivateKey* key_ = nullptr;
  std::uint64_t serial_ = 0x1000;
};

TEST_F(ThousandHosts, AreAllClassifiedAsTheyAreAndAsOpensslSees) {
  std::string list;
  for (const auto& [host, status] : expected_) list += at(host) + "\n";
  const Time begin = loop().clock().now();
  const auto ended = run({"--json", "scan", "--hosts", "-"}, list);
  const auto took = std::chrono::duration<double>(loop().clock().now() - begin).count();
  ASSERT_EQ(ended.status, 1) << ended.err;
  const auto document = ended.json();
  fmt::print("{} endpoints in {:.2f} s: {:.0f} a second, the start of the program included\n",
             expected_.size(), took, static_cast<double>(expected_.size()) / took);

  std::map<std::string, std::string> statuses;
  std::map<std::string, std::string> serials;
  int shared = 0;
  for (const auto& finding : document.at("endpoints").as_array()) {
    const std::string text(finding.at("endpoint").as_string());
    const auto host = text.substr(0, text.find(':'));
    statuses.emplace(host, finding.at("status").as_string());
    serials.emplace(host, finding.at("serial").as_string());
    const bool of_a_share = host.starts_with("shared-");
    EXPECT_EQ(finding.at("shared_by"), of_a_share ? sharing : 1) << host;
    if (of_a_share) ++shared;
  }
  EXPECT_EQ(expected_.size(), 1000U);
  EXPECT_EQ(statuses, expected_);
  EXPECT_EQ(document.at("summary").at("shared"), shared);
  EXPECT_EQ(document.at("summary").at("unreachable"), 0);

  for (const auto* host :
       {"fine-000.example", "fine-299.example", "shared-007.example", "expiring-050.example",
        "expired-000.example", "expired-099.example", "future-001.example",
        "wrong-name-042.example", "untrusted-013.example", "untrusted-014.example"}) {
    const auto [status, serial] = openssl_says(host);
    EXPECT_EQ(status, statuses[host]) << host;
    EXPECT_EQ(serial, serials[host]) << host;
  }

  // What is shared falls into certificates of their own, twenty into two hundred.
  std::string of_shares;
  for (const auto& [host, status] : expected_) {
    if (host.starts_with("shared-")) of_shares += at(host) + "\n";
  }
  const auto split = run({"--json", "scan", "--split", "--hosts", "-"}, of_shares);
  EXPECT_EQ(split.status, 0) << split.err;
  EXPECT_EQ(split.json().at("shared").as_array().size(), 20U);
  EXPECT_EQ(split.json().at("proposed").as_array().size(), 200U);
}

}  // namespace
}  // namespace certherd::e2e

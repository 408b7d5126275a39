#include <gmock/gmock.h>

#include <csignal>
#include <iostream>
#include <random>
#include <set>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "dns/responder/responder.hpp"
#include "end_to_end.hpp"
#include "pebble_log.hpp"
#include "seed.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr int domains = 60;
constexpr int kills = 10;
constexpr int killed = 128 + SIGKILL;

// Pebble writes serials as the bytes of the number, we with all of its octets.
std::string without_zeros(std::string serial) {
  return serial.erase(0, std::min(serial.find_first_not_of('0'), serial.size()));
}

/// The lines of a key file in which the key itself stands.
std::vector<std::string> secret_lines(const std::string& pem) {
  std::vector<std::string> lines;
  std::istringstream stream(pem);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && !line.starts_with("-----")) lines.push_back(line);
  }
  return lines;
}

/// How many challenge values a new process of the program would serve.
Task<std::size_t> values_served(app::App* app) {
  const auto started = co_await app->start();
  EXPECT_TRUE(started) << started.error().message();
  const auto* provider = app->ports().dns.at(DnsName("responder")).provider;
  const auto count = dynamic_cast<const dns::Responder&>(*provider).value_count();
  co_await app->stop();
  co_return count;
}

class Killed : public OnStage {
 protected:
  void SetUp() override {
    // A CA that takes its time, and few orders at once, so that there is work for every run.
    set_stage({.domains = domains,
               .environment = {{"PEBBLE_VA_NOSLEEP", "0"}, {"PEBBLE_VA_SLEEPTIME", "3"}}});
    configure("max_in_flight = ", "max_in_flight = 10 # ");
    add_inventory();
  }

  void kill_a_run_after(Duration delay) {
    auto program = start({"run", "--once"});
    loop().run(loop().clock().sleep_for(delay));
    for (auto& line : processes_with("certherd")) said_ += line;
    ASSERT_TRUE(program->running()) << "nothing was left to be killed";
    program->send(SIGKILL);
    const auto ended = program->wait();
    ASSERT_EQ(ended.status, killed) << ended.err;
    said_ += ended.out + ended.err;
  }

  void finish() {
    const auto ended = run({"-v", "--json", "run", "--once"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    said_ += ended.out + ended.err;
    for (const auto& result : ended.json().at("results").as_array()) {
      EXPECT_EQ(result.at("served"), true) << result;
    }
  }

  /// Each certificate's key is in the vault, and nowhere in clear text besides there and the edge.
  void expect_keys_only_in_the_vault(const std::vector<Certificate>& certificates) {
    const auto log = content_of(pebble_log());
    const auto state = content_of(path("state.db")) + content_of(path("state.db-wal"));
    for (const auto& certificate : certificates) {
      const auto name = certificate.domain.text();
      const auto pem = content_of(certificate.vault.private_key);
      const auto key = crypto::PrivateKey::from_pem(Secret<std::string>(pem));
      ASSERT_TRUE(key) << name;
      const auto chain = crypto::read_chain(content_of(certificate.vault.fullchain));
      ASSERT_TRUE(chain) << name;
      EXPECT_EQ(chain->front().public_key, key->public_key()) << name;
      EXPECT_EQ(chain->front().serial, certificate.serial) << name;
      EXPECT_THAT(chain->front().names, testing::ElementsAre(name));
      for (const auto& line : secret_lines(pem)) {
        EXPECT_EQ(said_.find(line), std::string::npos) << "the key of " << name << " was shown";
        EXPECT_EQ(log.find(line), std::string::npos) << "the CA saw the key of " << name;
        EXPECT_EQ(state.find(line), std::string::npos) << "the key of " << name << " is unsealed";
      }
    }
    EXPECT_THAT(said_ + log + state, Not(HasSubstr("PRIVATE KEY")));
  }

  /// One certificate for each domain, and no abandoned order that got one.
  void expect_nothing_issued_twice(const std::vector<Certificate>& certificates) {
    std::set<std::string> known;
    std::set<Fqdn> served;
    for (const auto& certificate : certificates) {
      known.insert(without_zeros(certificate.serial.text()));
      served.insert(certificate.domain);
    }
    EXPECT_EQ(served.size(), domains);
    const auto log = read_pebble_log(pebble_log());
    EXPECT_EQ(log.issued.size(), domains);
    std::set<std::string> fulfilled;
    for (const auto& [order, serial] : log.issued) {
      EXPECT_TRUE(known.contains(without_zeros(serial))) << "nobody has the key of " << serial;
      fulfilled.insert(order);
    }
    EXPECT_EQ(fulfilled, log.finalized);
    // An order whose validation met a responder that had just been killed is over at the CA.
    const auto abandoned = log.placed.size() - log.invalid.size() - fulfilled.size();
    EXPECT_LE(abandoned, kills);
    std::cout << log.invalid.size() << " orders failed, " << abandoned << " abandoned\n";
  }

  void expect_no_challenge_left(app::App& app) {
    const auto entries = loop().run(app.store().entries(DnsName("responder")));
    ASSERT_TRUE(entries);
    EXPECT_TRUE(entries->empty());
    EXPECT_EQ(loop().run(values_served(&app)), 0U);
  }

 private:
  std::string said_;
};

TEST_F(Killed, TenTimesEachDomainStillGetsExactlyOneCertificate) {
  std::mt19937_64 random(seed_of_this_run());
  std::uniform_int_distribution<int> delay(50, 1500);
  for (int i = 0; i < kills; ++i) {
    ASSERT_NO_FATAL_FAILURE(kill_a_run_after(delay(random) * 1ms));
  }
  finish();

  const auto app = open_app();
  ASSERT_TRUE(app);
  const auto certificates = loop().run(app->store().certificates(true));
  ASSERT_TRUE(certificates);
  EXPECT_EQ(certificates->size(), domains);
  expect_keys_only_in_the_vault(*certificates);
  expect_nothing_issued_twice(*certificates);
  expect_no_challenge_left(*app);
}

}  // namespace
}  // namespace certherd::e2e

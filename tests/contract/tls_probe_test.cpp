#include "probe/tls_probe.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "crypto/local_ca.hpp"
#include "fakes/rude_server.hpp"
#include "fakes/tls_servers.hpp"
#include "runtime/together.hpp"

namespace certherd::contract {
namespace {

using std::chrono::days;

constexpr auto patience = std::chrono::seconds(20);

/// An nginx of its own on loopback, with one certificate per server name and one port without
/// TLS.
class TlsProbeTest : public testing::Test {
 protected:
  void SetUp() override {
    add_server("one.example.com", ca_, 0x11, now_ - days(1), now_ + days(30));
    add_server("two.example.com", ca_, 0x22, now_ - days(1), now_ + days(30));
    add_server("*.wild.example.com", ca_, 0x33, now_ - days(1), now_ + days(30));
    add_server("expired.example.com", ca_, 0x44, now_ - days(60), now_ - days(1));
    add_server("future.example.com", ca_, 0x66, now_ + days(1), now_ + days(30));
    add_server("untrusted.example.com", other_ca_, 0x55, now_ - days(1), now_ + days(30));
    const auto started = servers_.start();
    ASSERT_TRUE(started) << started.error().message();
  }

  Result<probe::Observation> look(const std::string& host, std::uint16_t port,
                                  Duration timeout = patience) {
    return loop_->run(probe_->look(loopback(host, port), loop_->clock().now() + timeout));
  }
  Result<probe::Observation> look(const std::string& host) { return look(host, servers_.port()); }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  Time now_ = loop_->clock().now();
  crypto::LocalCa ca_{"root of the test", now_};
  crypto::LocalCa other_ca_{"somebody's root", now_};
  std::unique_ptr<probe::Probe> probe_ = probe::make_tls_probe(
      *loop_, *offload_, *offload_, {.roots = *crypto::TrustedRoots::load(ca_.root_pem())});
  fakes::TlsServers servers_{*loop_};

  static Endpoint loopback(const std::string& host, std::uint16_t port) {
    return {.host = Fqdn::literal(host), .port = port, .address = "127.0.0.1"};
  }

 private:
  void add_server(const std::string& name, const crypto::LocalCa& ca, std::uint64_t serial,
                  Time not_before, Time not_after) {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
    ASSERT_TRUE(key);
    servers_.add(name, ca.issue(key->public_key(), {name}, serial, not_before, not_after), *key);
  }
};

TEST_F(TlsProbeTest, ReadsTheCertificateOfTheNameThatIsAskedFor) {
  for (const auto& [host, serial] :
       {std::pair("one.example.com", "11"), {"two.example.com", "22"}}) {
    const auto seen = look(host);
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(seen->leaf.serial, Serial(serial));
    EXPECT_TRUE(seen->name_matches);
    EXPECT_FALSE(seen->trust) << seen->trust->message();
    EXPECT_EQ(seen->address, fmt::format("127.0.0.1:{}", servers_.port()));
    ASSERT_EQ(seen->above.size(), 1U);
    EXPECT_EQ(seen->above[0].subject, "CN=root of the test");
  }
}

TEST_F(TlsProbeTest, AWildcardCoversOneLabel) {
  const auto seen = look("a.wild.example.com");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->leaf.serial, Serial("33"));
  EXPECT_TRUE(seen->name_matches);
}

TEST_F(TlsProbeTest, TellsThatTheNameDoesNotMatch) {
  const auto seen = look("elsewhere.example.net");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_FALSE(seen->name_matches);
}

TEST_F(TlsProbeTest, ReadsAnExpiredCertificate) {
  const auto seen = look("expired.example.com");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->leaf.serial, Serial("44"));
  EXPECT_LT(seen->leaf.not_after, now_);
}

TEST_F(TlsProbeTest, ReadsAnUntrustedCertificateAndSaysWhy) {
  const auto seen = look("untrusted.example.com");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->leaf.serial, Serial("55"));
  ASSERT_TRUE(seen->trust);
  EXPECT_EQ(seen->trust->kind, Error::Kind::rejected);
}

TEST_F(TlsProbeTest, ReadsACertificateThatIsNotValidYet) {
  const auto seen = look("future.example.com");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_GT(seen->leaf.not_before, now_);
  EXPECT_FALSE(seen->trust) << seen->trust->message();
}

TEST_F(TlsProbeTest, AsksTheAddressThatIsGivenAlsoAnIpv6One) {
  const Endpoint endpoint{
      .host = Fqdn::literal("one.example.com"), .port = servers_.port(), .address = "::1"};
  const auto seen = loop_->run(probe_->look(endpoint, loop_->clock().now() + patience));
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->leaf.serial, Serial("11"));
  EXPECT_EQ(seen->address, fmt::format("[::1]:{}", servers_.port()));
}

TEST_F(TlsProbeTest, LooksUpTheHostAndTakesTheAddressThatAnswers) {
  Endpoint endpoint{.host = Fqdn::literal("localhost"), .port = servers_.port(), .address = ""};
  const auto seen = loop_->run(probe_->look(endpoint, loop_->clock().now() + patience));
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_THAT(seen->address, testing::EndsWith(fmt::format(":{}", servers_.port())));
}

TEST_F(TlsProbeTest, GivesUpOnASilentServerAtTheDeadline) {
  const fakes::SilentServer silent(*loop_);
  const auto begin = loop_->clock().now();
  const auto seen = look("one.example.com", silent.port(), std::chrono::milliseconds(200));
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::deadline) << seen.error().message();
  EXPECT_LT(loop_->clock().now() - begin, patience);
}

TEST_F(TlsProbeTest, APortWithoutTlsIsTransient) {
  const auto seen = look("one.example.com", servers_.plain_port());
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::transient);
  EXPECT_NE(seen.error().message().find("TLS"), std::string::npos) << seen.error().message();
}

TEST_F(TlsProbeTest, ARefusedConnectionIsTransient) {
  const auto free_port = fakes::SilentServer(*loop_).port();
  const auto seen = look("one.example.com", free_port);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::transient);
  EXPECT_NE(seen.error().message().find("refused"), std::string::npos) << seen.error().message();
}

TEST_F(TlsProbeTest, AnAddressThatIsNoneIsOurOwnMistake) {
  Endpoint endpoint{
      .host = Fqdn::literal("one.example.com"), .port = servers_.port(), .address = "no where"};
  const auto seen = loop_->run(probe_->look(endpoint, loop_->clock().now() + patience));
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::misconfigured);
}

TEST_F(TlsProbeTest, FindsEveryAddressOfAHostOnceAndTakesAGivenOneAsItIs) {
  const auto addresses = [this](const std::string& host, const std::string& address) {
    const Endpoint endpoint{.host = Fqdn::literal(host), .port = 443, .address = address};
    return loop_->run(probe_->addresses(endpoint, loop_->clock().now() + patience));
  };
  const auto local = addresses("localhost", "");
  ASSERT_TRUE(local) << local.error().message();
  EXPECT_THAT(*local, testing::Contains("127.0.0.1").Times(1));
  EXPECT_EQ(addresses("one.example.com", "::1").value(), std::vector<std::string>{"::1"});
  EXPECT_EQ(addresses("one.example.com", "localhost").value(), *local);
  EXPECT_EQ(addresses("one.example.com", "no where").error().kind, Error::Kind::misconfigured);
}

TEST_F(TlsProbeTest, SpeaksEitherVersionOfTls) {
  for (const auto* protocol : {"TLSv1.2", "TLSv1.3"}) {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
    fakes::TlsServers servers(*loop_);
    servers.speak(protocol);
    servers.add(
        "one.example.com",
        ca_.issue(key.public_key(), {"one.example.com"}, 0x77, now_ - days(1), now_ + days(30)),
        key);
    ASSERT_TRUE(servers.start());
    const auto seen = look("one.example.com", servers.port());
    ASSERT_TRUE(seen) << protocol << ": " << seen.error().message();
    EXPECT_EQ(seen->leaf.serial, Serial("77"));
  }
}

/// Puts how it went into `*result`.
Task<void> look_into(probe::Probe* probe, Endpoint endpoint, Time deadline,
                     std::optional<Result<probe::Observation>>* result) {
  result->emplace(co_await probe->look(std::move(endpoint), deadline));
}

// All at once, so that one which held up the loop would spoil the good one among them.
TEST_F(TlsProbeTest, RudeServersEndInTimeAndSpoilNothingForOthers) {
  struct Case {
    std::unique_ptr<fakes::RudeServer> server;
    Error::Kind kind;
    std::string words;
    Duration timeout;
    std::optional<Result<probe::Observation>> result = std::nullopt;
  };
  using fakes::Rudeness;
  using enum Error::Kind;
  std::vector<Case> cases;
  const auto add = [&](Rudeness rudeness, Error::Kind kind, std::string words,
                       Duration timeout = patience) {
    auto server = std::make_unique<fakes::RudeServer>(rudeness);
    cases.push_back({std::move(server), kind, std::move(words), timeout});
  };
  add(Rudeness::hangs_up, transient, "no TLS");
  add(Rudeness::resets, transient, "no TLS");
  add(Rudeness::greets_as_mail, transient, "no TLS");
  add(Rudeness::floods, transient, "no TLS");
  add(Rudeness::trickles, deadline, "shaking hands", std::chrono::milliseconds(300));
  add(Rudeness::huge_certificate, transient, "excessive message size");
  std::optional<Result<probe::Observation>> good;

  const auto begin = loop_->clock().now();
  std::vector<Task<void>> looks;
  for (auto& each : cases) {
    looks.push_back(look_into(probe_.get(), loopback("one.example.com", each.server->port()),
                              begin + each.timeout, &each.result));
  }
  looks.push_back(look_into(probe_.get(), loopback("two.example.com", servers_.port()),
                            begin + patience, &good));
  loop_->run(runtime::together(std::move(looks)));

  for (const auto& each : cases) {
    ASSERT_TRUE(each.result && !*each.result) << each.words;
    const auto& error = each.result->error();
    EXPECT_EQ(error.kind, each.kind) << error.message();
    EXPECT_THAT(error.message(), testing::HasSubstr(each.words));
  }
  ASSERT_TRUE(good && *good);
  EXPECT_EQ((*good)->leaf.serial, Serial("22"));
  EXPECT_LT(loop_->clock().now() - begin, patience);
}

}  // namespace
}  // namespace certherd::contract

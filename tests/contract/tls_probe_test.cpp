#include "probe/tls_probe.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/versioned_folder.hpp"
#include "crypto/local_ca.hpp"
#include "fakes/temporary_folder.hpp"
#include "runtime/process.hpp"

namespace certherd::contract {
namespace {

using boost::asio::ip::tcp;
using std::chrono::days;

constexpr auto patience = std::chrono::seconds(20);
constexpr int port_draws = 5;

/// A socket of 127.0.0.1 whose connections nobody takes: they stay in the kernel's queue.
class SilentServer {
 public:
  explicit SilentServer(runtime::EventLoop& loop)
      : acceptor_(loop.context(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {}
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  tcp::acceptor acceptor_;
};

std::string nginx_program() {
  // Not everybody has sbin in PATH.
  const char* usual = "/usr/sbin/nginx";
  return std::filesystem::exists(usual) ? usual : "nginx";
}

/// An nginx of its own on loopback, with one certificate per server name and one port without
/// TLS.
class TlsProbeTest : public testing::Test {
 protected:
  void SetUp() override {
    add_server("one.example.com", ca_, 0x11, now_ - days(1), now_ + days(30));
    add_server("two.example.com", ca_, 0x22, now_ - days(1), now_ + days(30));
    add_server("*.wild.example.com", ca_, 0x33, now_ - days(1), now_ + days(30));
    add_server("expired.example.com", ca_, 0x44, now_ - days(60), now_ - days(1));
    add_server("untrusted.example.com", other_ca_, 0x55, now_ - days(1), now_ + days(30));
    ASSERT_TRUE(start()) << "nginx did not start; install it: scripts/setup test\n" << log();
  }

  void TearDown() override {
    if (nginx_) loop_->run(nginx_->stop(std::chrono::seconds(5)));
  }

  Result<probe::Observation> look(const std::string& host, std::uint16_t port,
                                  Duration timeout = patience) {
    return loop_->run(probe_->look(loopback(host, port), loop_->clock().now() + timeout));
  }
  Result<probe::Observation> look(const std::string& host) { return look(host, port_); }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  Time now_ = loop_->clock().now();
  crypto::LocalCa ca_{"root of the test", now_};
  crypto::LocalCa other_ca_{"somebody's root", now_};
  std::unique_ptr<probe::Probe> probe_ = probe::make_tls_probe(
      *loop_, *offload_, {.roots = *crypto::TrustedRoots::load(ca_.root_pem())});
  std::uint16_t port_ = 0;
  std::uint16_t plain_port_ = 0;

 private:
  static Endpoint loopback(const std::string& host, std::uint16_t port) {
    return {.host = Fqdn::literal(host), .port = port, .address = "127.0.0.1"};
  }

  void add_server(const std::string& name, const crypto::LocalCa& ca, std::uint64_t serial,
                  Time not_before, Time not_after) {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
    ASSERT_TRUE(key);
    const auto file = (folder_.path() / folder_name(name)).string();
    std::ofstream(file + ".pem") << ca.issue(key->public_key(), {name}, serial, not_before,
                                             not_after);
    std::ofstream(file + ".key") << key->to_pem().reveal();
    servers_ += fmt::format(
        "server {{ listen 127.0.0.1:PORT ssl; server_name {0}; ssl_certificate {1}.pem; "
        "ssl_certificate_key {1}.key; }}\n",
        name, file);
  }

  std::string log() const {
    return read_file(folder_.path() / "nginx.log", 10'000).value_or("it left no log");
  }

  // A free port may be taken before nginx has it: then others are drawn.
  bool start() {
    for (int draw = 0; draw < port_draws; ++draw) {
      port_ = SilentServer(*loop_).port();
      plain_port_ = SilentServer(*loop_).port();
      write_config();
      runtime::Command command;
      command.arguments = {nginx_program(),
                           "-e",
                           "stderr",
                           "-p",
                           folder_.path().string(),
                           "-c",
                           (folder_.path() / "nginx.conf").string()};
      command.log_file = folder_.path() / "nginx.log";
      auto child = runtime::Child::start(*loop_, command);
      if (!child) return false;
      nginx_ = std::move(*child);
      if (loop_->run(answers())) return true;
    }
    return false;
  }

  void write_config() const {
    std::string servers = servers_;
    for (auto at = servers.find("PORT"); at != std::string::npos; at = servers.find("PORT", at)) {
      servers.replace(at, 4, std::to_string(port_));
    }
    std::ofstream(folder_.path() / "nginx.conf")
        << "daemon off; master_process off; error_log stderr; pid nginx.pid;\n"
        << "events {}\n"
        << "http { access_log off; client_body_temp_path tmp; proxy_temp_path tmp;\n"
        << "fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
        << "server { listen 127.0.0.1:" << plain_port_ << "; return 404; }\n"
        << servers << "}\n";
  }

  Task<bool> answers() {
    const auto deadline = loop_->clock().now() + patience;
    while (!nginx_->exit_status() && loop_->clock().now() < deadline) {
      auto endpoint = loopback("one.example.com", port_);
      const auto seen = co_await probe_->look(std::move(endpoint), deadline);
      if (seen) co_return true;
      co_await loop_->clock().sleep_for(std::chrono::milliseconds(10));
    }
    co_return false;
  }

  fakes::TemporaryFolder folder_;
  std::string servers_;
  std::unique_ptr<runtime::Child> nginx_;
};

TEST_F(TlsProbeTest, ReadsTheCertificateOfTheNameThatIsAskedFor) {
  for (const auto& [host, serial] :
       {std::pair("one.example.com", "11"), {"two.example.com", "22"}}) {
    const auto seen = look(host);
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(seen->leaf.serial, Serial(serial));
    EXPECT_TRUE(seen->name_matches);
    EXPECT_FALSE(seen->trust) << seen->trust->message();
    EXPECT_EQ(seen->address, fmt::format("127.0.0.1:{}", port_));
    EXPECT_EQ(seen->chain_der.size(), 2U);
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

TEST_F(TlsProbeTest, LooksUpTheHostAndTakesTheAddressThatAnswers) {
  Endpoint endpoint{.host = Fqdn::literal("localhost"), .port = port_, .address = ""};
  const auto seen = loop_->run(probe_->look(endpoint, loop_->clock().now() + patience));
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->address, fmt::format("127.0.0.1:{}", port_));
}

TEST_F(TlsProbeTest, GivesUpOnASilentServerAtTheDeadline) {
  const SilentServer silent(*loop_);
  const auto begin = loop_->clock().now();
  const auto seen = look("one.example.com", silent.port(), std::chrono::milliseconds(200));
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::deadline) << seen.error().message();
  EXPECT_LT(loop_->clock().now() - begin, patience);
}

TEST_F(TlsProbeTest, APortWithoutTlsIsTransient) {
  const auto seen = look("one.example.com", plain_port_);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::transient);
  EXPECT_NE(seen.error().message().find("TLS"), std::string::npos) << seen.error().message();
}

TEST_F(TlsProbeTest, ARefusedConnectionIsTransient) {
  const auto free_port = SilentServer(*loop_).port();
  const auto seen = look("one.example.com", free_port);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::transient);
  EXPECT_NE(seen.error().message().find("refused"), std::string::npos) << seen.error().message();
}

TEST_F(TlsProbeTest, AnAddressThatIsNoneIsOurOwnMistake) {
  Endpoint endpoint{.host = Fqdn::literal("one.example.com"), .port = port_, .address = "nowhere"};
  const auto seen = loop_->run(probe_->look(endpoint, loop_->clock().now() + patience));
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, Error::Kind::misconfigured);
}

}  // namespace
}  // namespace certherd::contract

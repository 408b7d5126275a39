#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/versioned_folder.hpp"
#include "deploy/files/files.hpp"
#include "fakes/issued_material.hpp"
#include "fakes/temporary_folder.hpp"
#include "fakes/tls_servers.hpp"
#include "probe/tls_probe.hpp"
#include "runtime/process.hpp"
#include "runtime/task_group.hpp"

namespace certherd::contract {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto patience = 20s;
constexpr int port_draws = 5;

const std::vector<std::string> domains = {"one.example.com", "two.example.com", "*.example.net"};

/// A connection that sends its request in two halves.
class SlowClient {
 public:
  SlowClient(std::uint16_t port, const std::string& name) : stream_(context_, tls_) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str());
    stream_.handshake(asio::ssl::stream_base::client);
    asio::write(stream_, asio::buffer("GET / HTTP/1.1\r\nHost: " + name + "\r\n"));
  }

  /// The status line of the answer.
  std::string finish() {
    asio::write(stream_, asio::buffer(std::string("Connection: close\r\n\r\n")));
    std::string answer;
    const auto size = asio::read_until(stream_, asio::dynamic_buffer(answer), "\r\n");
    return answer.substr(0, size);
  }

 private:
  asio::io_context context_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  asio::ssl::stream<tcp::socket> stream_;
};

/// A real HAProxy on 127.0.0.1 that reads the bundles of the target `files` and chooses by server
/// name. Its master takes signals; workers serve.
class HaproxyTest : public testing::Test {
 protected:
  ~HaproxyTest() override {
    if (target_) loop_->run(target_->stop());
    if (haproxy_) loop_->run(haproxy_->stop(5s));
  }

  deploy::Target& target(std::vector<std::string> reload) {
    deploy::FilesOptions options;
    options.path = folder_.path() / "certs";
    options.bundles = {deploy::Server::haproxy};
    options.reload = std::move(reload);
    if (target_) loop_->run(target_->stop());
    target_ = deploy::make_files(*loop_, *offload_, std::move(options));
    return *target_;
  }

  Task<void> install(std::string domain, std::uint64_t serial) {
    auto material = issuer_.issue({domain}, serial);
    const auto version = fmt::format("{:02x}", serial);
    auto receipt = co_await target_->install(Fqdn::literal(domain), std::move(material), version);
    EXPECT_TRUE(receipt) << receipt.error().message();
  }

  /// All domains at once; their serials count up from the one that is given.
  Task<void> install_all(std::uint64_t serial) {
    runtime::TaskGroup tasks(*loop_);
    for (const auto& domain : domains) tasks.spawn(install(domain, serial++));
    co_await tasks.join();
  }

  // A free port may be taken before HAProxy has it: then others are drawn.
  Status start() {
    const auto log = folder_.path() / "haproxy.log";
    for (int draw = 0; draw < port_draws; ++draw) {
      port_ = fakes::SilentServer(*loop_).port();
      write_config();
      runtime::Command command;
      command.arguments = {"/usr/sbin/haproxy", "-W", "-f",
                           (folder_.path() / "haproxy.cfg").string()};
      command.log_file = log;
      auto child = runtime::Child::start(*loop_, command);
      if (!child) return fail(std::move(child.error()));
      haproxy_ = std::move(*child);
      if (loop_->run(serves("one.example.com", "11"))) return {};
    }
    return fail(Error::Kind::transient, "start HAProxy",
                read_file(log, 10'000).value_or("it left no log"));
  }

  void write_config() const {
    std::ofstream list(folder_.path() / "crt-list");
    for (const auto& domain : domains) {
      list << fmt::format("{}/certs/{}/bundle.pem {}\n", folder_.path().string(),
                          folder_name(domain), domain);
    }
    std::ofstream(folder_.path() / "haproxy.cfg")
        << "global\n  maxconn 100\n  nbthread 1\n"
        << "defaults\n  mode http\n  timeout client 20s\n  timeout http-request 20s\n"
        << "frontend edge\n"
        << fmt::format("  bind 127.0.0.1:{} ssl crt-list {}/crt-list\n", port_,
                       folder_.path().string())
        << "  http-request return status 200\n";
  }

  Result<std::string> served(const std::string& host) {
    const Endpoint endpoint{.host = Fqdn::literal(host), .port = port_, .address = "127.0.0.1"};
    const auto seen = loop_->run(look(endpoint));
    if (!seen) return fail(seen.error());
    EXPECT_TRUE(seen->name_matches) << host;
    EXPECT_FALSE(seen->trust) << seen->trust->message();
    return seen->leaf.serial.text();
  }

  Task<Result<probe::Observation>> look(Endpoint endpoint) {
    co_return co_await probe_->look(std::move(endpoint), loop_->clock().now() + patience);
  }

  /// Waits until that certificate is served; gives up when HAProxy has ended.
  Task<bool> serves(std::string host, std::string serial) {
    const auto deadline = loop_->clock().now() + patience;
    while (!haproxy_->exit_status() && loop_->clock().now() < deadline) {
      Endpoint endpoint{.host = Fqdn::literal(host), .port = port_, .address = "127.0.0.1"};
      const auto seen = co_await look(std::move(endpoint));
      if (seen && seen->leaf.serial.text() == serial) co_return true;
      unanswered_ += seen ? 0 : 1;
      co_await loop_->clock().sleep_for(10ms);
    }
    co_return false;
  }

  fakes::TemporaryFolder folder_;
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  fakes::Issuer issuer_{loop_->clock().now()};
  std::unique_ptr<probe::Probe> probe_ = probe::make_tls_probe(
      *loop_, *offload_, *offload_, {.roots = *crypto::TrustedRoots::load(issuer_.root_pem())});
  std::unique_ptr<deploy::Target> target_;
  std::unique_ptr<runtime::Child> haproxy_;
  std::uint16_t port_ = 0;
  int unanswered_ = 0;  ///< looks at a name that brought nothing
};

TEST_F(HaproxyTest, TheNextVersionTakesOverWhileOldConnectionsGoOn) {
  target({});
  loop_->run(install_all(0x11));
  const auto started = start();
  ASSERT_TRUE(started) << started.error().message();
  EXPECT_EQ(served("two.example.com"), "12");
  EXPECT_EQ(served("any.example.net"), "13");

  unanswered_ = 0;
  SlowClient client(port_, "two.example.com");
  target({"kill", "-USR2", std::to_string(haproxy_->pid())});
  loop_->run(install_all(0x21));
  EXPECT_TRUE(loop_->run(serves("one.example.com", "21")));
  EXPECT_TRUE(loop_->run(serves("two.example.com", "22")));
  EXPECT_TRUE(loop_->run(serves("any.example.net", "23")));
  EXPECT_EQ(unanswered_, 0);
  EXPECT_THAT(client.finish(), HasSubstr("200 OK"));
}

}  // namespace
}  // namespace certherd::contract

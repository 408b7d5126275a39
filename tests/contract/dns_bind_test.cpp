// The look-ups of src/dns against BIND, as an authority for two zones with a CNAME from one into
// the other: what the unit tests say of DNS servers holds for a real one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "dns/live_visibility.hpp"
#include "dns/query.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view remedy =
    "named (BIND 9) is not installed: run scripts/setup, which installs the package bind9";

/// Debian keeps servers where only root's PATH looks.
std::string find_named() {
  for (const char* path : {"/usr/sbin/named", "/usr/local/sbin/named", "/usr/bin/named"}) {
    if (fs::exists(path)) return path;
  }
  return {};
}

constexpr std::string_view example_zone = R"($TTL 60
@ IN SOA ns1.example.net. hostmaster.example.test. 1 3600 600 86400 60
@ IN NS ns1.example.net.
@ IN NS ns2.example.test.
ns2 IN A 127.0.0.1
_acme-challenge IN CNAME X1.acme.test.
_acme-challenge.away IN CNAME x1.elsewhere.test.
_acme-challenge.round IN CNAME circle
circle IN CNAME _acme-challenge.round
_acme-challenge.direct IN TXT "first" " half"
_acme-challenge.direct IN TXT "foreign"
)";

/// Its name x1 holds so many values that they do not fit into one datagram.
std::string acme_zone() {
  std::string text = R"($TTL 5
@ IN SOA ns1 hostmaster 1 3600 600 86400 5
@ IN NS ns1
ns1 IN A 127.0.0.1
)";
  for (int i = 0; i < 60; ++i) {
    text += fmt::format("x1 IN TXT \"value-{:02}-0123456789012345678901234567890123\"\n", i);
  }
  return text;
}

/// A named of our own on a free port of 127.0.0.1, in a folder of its own.
class Bind : public testing::Test {
 protected:
  void SetUp() override {
    named = find_named();
    ASSERT_FALSE(named.empty()) << remedy;
    std::string pattern = (fs::temp_directory_path() / "certherd-bind.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    write("example.test.zone", example_zone);
    write("acme.test.zone", acme_zone());
    ASSERT_TRUE(loop->run(start())) << log();
    options.servers = {server};
    options.authoritative_port = server.port;
    options.overrides = {{Fqdn::literal("ns1.example.net"), server}};
  }

  void TearDown() override {
    if (child) loop->run(child->stop(seconds(10)));
    child.reset();
    std::error_code ignored;
    if (!folder.empty()) fs::remove_all(folder, ignored);
  }

  void write(std::string_view name, std::string_view content) const {
    std::ofstream(folder / name) << content;
  }

  std::string log() const {
    std::ifstream file(folder / "named.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// A port that is free for UDP and TCP now; somebody may still take it before named does.
  std::uint16_t free_port() {
    using boost::asio::ip::address_v4;
    for (;;) {
      boost::asio::ip::tcp::acceptor tcp(loop->context(), {address_v4::loopback(), 0});
      boost::asio::ip::udp::socket udp(loop->context(), boost::asio::ip::udp::v4());
      boost::system::error_code taken;
      const auto port = tcp.local_endpoint().port();
      udp.bind({address_v4::loopback(), port}, taken);
      if (!taken) return port;
    }
  }

  Task<bool> start() {
    for (int i = 0; i < 5; ++i) {
      server = {.address = "127.0.0.1", .port = free_port()};
      write("named.conf", fmt::format(R"(
options {{
  directory "{0}";
  pid-file "{0}/named.pid";
  listen-on port {1} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses yes;
  notify no;
}};
controls {{ }};
zone "example.test" {{ type primary; file "example.test.zone"; }};
zone "acme.test" {{ type primary; file "acme.test.zone"; }};
)",
                                      folder.string(), server.port));
      runtime::Command command;
      command.arguments = {named, "-g", "-n", "1", "-c", (folder / "named.conf").string()};
      command.log_file = folder / "named.log";
      auto started = runtime::Child::start(*loop, std::move(command));
      if (!started) co_return false;
      child = std::move(*started);
      if (co_await answers()) co_return true;
    }
    co_return false;
  }

  /// Whether named answers for its last zone before it ends or half a minute has passed.
  Task<bool> answers() {
    const Time deadline = loop->clock().now() + seconds(30);
    while (loop->clock().now() < deadline && !child->exit_status()) {
      Question question{.name = "acme.test", .type = RecordType::soa};
      auto reply = co_await querier.ask(server, std::move(question), Transport::tcp, {}, deadline);
      if (reply && reply->authoritative) co_return true;
      co_await loop->clock().sleep_for(milliseconds(20));
    }
    co_return false;
  }

  Visibility& visibility() {
    if (!visibility_) visibility_ = make_visibility(*loop, random, options).value();
    return *visibility_;
  }

  Result<Location> locate(std::string_view name) {
    return loop->run(visibility().locate(Fqdn::literal(name)));
  }

  Result<View> look(std::string_view record, std::string_view zone, std::vector<TxtValue> values) {
    const Location place{.record = Fqdn::literal(record), .zone = Fqdn::literal(zone)};
    return loop->run(visibility().look(place, std::move(values)));
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::SystemRandom random;
  Querier querier{*loop, random};
  std::string named;
  fs::path folder;
  ServerAddress server;
  std::unique_ptr<runtime::Child> child;
  ResolverOptions options;

 private:
  std::unique_ptr<Visibility> visibility_;
};

TEST_F(Bind, LeadsThroughACnameIntoTheOtherZone) {
  const auto location = locate("_acme-challenge.example.test");

  ASSERT_TRUE(location) << location.error().message();
  EXPECT_EQ(location->record.text(), "x1.acme.test");
  EXPECT_EQ(location->zone.text(), "acme.test");
}

TEST_F(Bind, TellsTheZoneOfNamesThatExistAndOfThoseThatDoNot) {
  EXPECT_EQ(locate("_acme-challenge.direct.example.test")->zone.text(), "example.test");
  EXPECT_EQ(locate("_acme-challenge.a.b.example.test")->zone.text(), "example.test");
}

TEST_F(Bind, ShowsValuesOnEachOfItsNameServersByUdpAndTcp) {
  const auto view = look("_acme-challenge.direct.example.test", "example.test",
                         {TxtValue("first half"), TxtValue("foreign")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(view->everywhere) << view->missing();
  EXPECT_EQ(view->sightings.size(), 4U);
}

TEST_F(Bind, ShowsValuesThatOnlyFitIntoTcp) {
  const auto view = look("x1.acme.test", "acme.test",
                         {TxtValue("value-00-0123456789012345678901234567890123"),
                          TxtValue("value-59-0123456789012345678901234567890123")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(view->everywhere) << view->missing();
  EXPECT_EQ(view->sightings.size(), 2U);
}

TEST_F(Bind, ShowsThatAValueIsNotThereYet) {
  const auto view = look("_acme-challenge.direct.example.test", "example.test", {TxtValue("new")});

  ASSERT_TRUE(view) << view.error().message();
  EXPECT_FALSE(view->everywhere);
  EXPECT_THAT(view->missing(), testing::HasSubstr("1 of 1 values missing among its 2"));
}

TEST_F(Bind, RefusesZonesThatItDoesNotServe) {
  const auto location = locate("_acme-challenge.away.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::not_found);
  EXPECT_THAT(location.error().detail, testing::HasSubstr("REFUSED"));
  EXPECT_THAT(location.error().detail, testing::HasSubstr("-> x1.elsewhere.test"));
}

TEST_F(Bind, LeadsInACircleThatIsToldAsSuch) {
  const auto location = locate("_acme-challenge.round.example.test");

  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(location.error().detail, testing::HasSubstr("lead in a circle"));
}

}  // namespace
}  // namespace certherd::dns

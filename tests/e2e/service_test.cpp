// `certherd run`: the service as an operator meets it.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstring>
#include <mutex>
#include <set>
#include <sstream>

#include "crypto/x509.hpp"
#include "end_to_end.hpp"
#include "http/curl_client.hpp"
#include "http/test_server.hpp"
#include "pebble_log.hpp"
#include "probe/tls_probe.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/together.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int wrong_usage = 2;

Duration span_of(const char* variable, Duration otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : parse_duration(text).value();
}

class Service : public OnStage {
 protected:
  void begin(demo::StageOptions options) {
    set_stage(std::move(options));
    add_inventory();
    service_ = start({"run"});
  }

  bool says(const std::string& text, Duration within = 1min) {
    return eventually(loop(), within,
                      [this, &text] {
                        return !service_->running() ||
                               service_->errors().find(text) != std::string::npos;
                      }) &&
           service_->errors().find(text) != std::string::npos;
  }

  std::size_t issued() { return read_pebble_log(pebble_log()).issued.size(); }

  bool has_issued(std::size_t count) {
    return eventually(loop(), 1min,
                      [this, count] { return !service_->running() || issued() >= count; });
  }

  void expect_drained() {
    service_->send(SIGTERM);
    const auto ended = service_->wait(30s);
    EXPECT_EQ(ended.status, 0) << ended.err;
  }

  /// Whether there are so many events of that name before long.
  bool has_events(const std::string& name, std::size_t count) {
    const Time end = loop().clock().now() + 1min;
    while (events(name).size() < count) {
      if (loop().clock().now() > end) return false;
      loop().run(loop().clock().sleep_for(200ms));
    }
    return true;
  }

  json::value plan() { return run({"--json", "plan", "--all"}).json(); }

  std::vector<json::value> events(const std::string& name) {
    std::vector<json::value> found;
    const auto log = run({"--json", "log"}).json();
    for (const auto& event : log.at("events").as_array()) {
      if (event.at("event").as_string() == name) found.push_back(event);
    }
    return found;
  }

  std::unique_ptr<Program> service_;
};

/// What is served while the service works.
class ShortLived : public Service {
 protected:
  struct Served {
    std::set<Serial> serials;
    Duration least_left = Duration::max();
  };

  Task<void> look(probe::Probe* probe, Endpoint endpoint) {
    auto seen = co_await probe->look(endpoint, loop().clock().now() + 5s);
    if (!seen) co_return;
    // nginx begins with placeholders of another CA.
    if (seen->leaf.issuer.find("Pebble") == std::string::npos) co_return;
    auto& served = served_[endpoint.host];
    served.serials.insert(seen->leaf.serial);
    served.least_left = std::min(served.least_left, seen->leaf.not_after - loop().clock().now());
  }

  Task<void> look_for(probe::Probe* probe, std::vector<Endpoint> endpoints, Duration span) {
    const Time end = loop().clock().now() + span;
    while (loop().clock().now() < end) {
      std::vector<Task<void>> looks;
      for (const auto& endpoint : endpoints) looks.push_back(look(probe, endpoint));
      co_await runtime::together(std::move(looks));
      co_await loop().clock().sleep_for(1s);
    }
  }

  std::map<Fqdn, Served> served_;
};

TEST_F(ShortLived, NoneIsServedExpiredAndNoneIsRenewedTooOften) {
  // All are due at one moment, and a third of their life has to be enough for all: on a processor
  // that other tests use too, and with sanitizers.
  constexpr int domains = 25;
  const Duration span = span_of("CERTHERD_SERVE_FOR", 2min);
  const auto validity =
      std::chrono::duration_cast<std::chrono::seconds>(span_of("CERTHERD_VALIDITY", 40s));
  begin({.domains = domains, .certificate_validity = validity});
  ASSERT_TRUE(says(fmt::format("keeping the certificates of {} domains", domains)));

  std::vector<Endpoint> endpoints;
  const auto listed = run({"domain", "export"});
  std::size_t at = 0;
  while ((at = listed.out.find("site-", at)) != std::string::npos) {
    const auto end = listed.out.find_first_of(", \n", at);
    auto endpoint = Endpoint::parse(listed.out.substr(at, end - at));
    at = end;
    if (endpoint && !endpoint->address.empty()) endpoints.push_back(std::move(*endpoint));
  }
  ASSERT_THAT(endpoints, SizeIs(domains));

  const auto roots = crypto::TrustedRoots::load(stage_->pebble().issuing_root_pem());
  ASSERT_TRUE(roots);
  const auto probe = probe::make_tls_probe(loop(), *offload_, *offload_, {.roots = *roots});
  loop().run(look_for(probe.get(), endpoints, span));
  EXPECT_TRUE(service_->running()) << service_->errors();
  expect_drained();

  ASSERT_THAT(served_, SizeIs(domains));
  Duration least = Duration::max();
  std::size_t most = 0;
  for (const auto& [host, served] : served_) {
    if (served.least_left <= Duration::zero()) {
      // Pebble does not know a predecessor again whose serial is padded in its ARI id, one of 256.
      // Two refusals until it is ordered without one are long in a life of seconds.
      const auto log = run({"log", host.text()}).out;
      EXPECT_THAT(log, HasSubstr("could not find order for the given certificate"))
          << host.text() << " was served expired";
    }
    least = std::min(least, served.least_left);
    most = std::max(most, served.serials.size());
  }
  // Renewed in the second third of its life at the earliest.
  const auto allowed = static_cast<std::size_t>(span / (validity / 3)) + 2;
  EXPECT_LE(most, allowed);
  EXPECT_LE(issued(), domains * allowed);
  fmt::print("{} certificates, at most {} for a domain (allowed: {}), the oldest had {} left\n",
             issued(), most, allowed, format_duration(least));
}

class RenewalInformation : public Service {
 protected:
  /// What Pebble's management interface takes for a certificate.
  void set_window(const std::string& domain, Time start, Time end) {
    const auto window = json::serialize(json::object{
        {"suggestedWindow", {{"start", format_time(start)}, {"end", format_time(end)}}},
        {"explanationURL", "https://ca.test/incident"}});
    const auto chain = content_of(path("vault") / domain / "fullchain.pem");
    const std::string end_mark = "-----END CERTIFICATE-----\n";
    http::CurlOptions options;
    options.user_agent = "certherd-test";
    options.trust_pem = stage_->pebble().trust_pem();
    const auto client = http::make_curl_client(loop(), std::move(options));
    http::Request request;
    request.method = http::Request::Method::post;
    request.url = stage_->pebble().management_url() + "/set-renewal-info/";
    request.headers = {{"content-type", "application/json"}};
    request.body = json::serialize(
        json::object{{"Certificate", chain.substr(0, chain.find(end_mark) + end_mark.size())},
                     {"ARIResponse", window}});
    auto answer = loop().run(client->send(std::move(request), loop().clock().now() + 10s));
    ASSERT_TRUE(answer) << answer.error().message();
    ASSERT_EQ(answer->status, 200) << answer->body;
  }
};

TEST_F(RenewalInformation, AWindowOfThePastRenewsThatCertificateAloneAndOnce) {
  set_stage({.domains = 3});
  add_inventory();
  ASSERT_EQ(run({"issue", "--all"}).status, 0);
  ASSERT_EQ(issued(), 3U);
  const Time now = loop().clock().now();
  set_window("site-0002.fleet.test", now - 2h, now - 1h);

  service_ = start({"run"});
  ASSERT_TRUE(has_issued(4)) << service_->errors();
  ASSERT_TRUE(says("site-0002.fleet.test: certificate")) << service_->errors();
  // All have been asked about by now, the new one too.
  ASSERT_TRUE(has_events("renewal.window", 4));
  const auto planned = plan();
  expect_drained();

  EXPECT_EQ(issued(), 4U);
  EXPECT_EQ(planned.at("due"), 0) << planned;
  std::vector<std::string> replaced;
  for (const auto& placed : events("order.placed")) {
    const auto* replaces = placed.at("detail").as_object().if_contains("replaces");
    if (replaces == nullptr) continue;
    EXPECT_EQ(placed.at("domain").as_string(), "site-0002.fleet.test");
    replaced.emplace_back(replaces->as_string());
  }
  EXPECT_THAT(replaced, SizeIs(1));
  EXPECT_THAT(events("order.replaces_refused"), SizeIs(0));

  // Nor once more after a restart.
  service_ = start({"run"});
  ASSERT_TRUE(says("keeping the certificates"));
  EXPECT_EQ(plan().at("due"), 0);
  expect_drained();
  EXPECT_EQ(issued(), 4U);
}

/// The socket that systemd would listen on.
class NotifySocket {
 public:
  explicit NotifySocket(const std::filesystem::path& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    bound_ =
        ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  bool bound() const { return bound_; }

  /// All that was said so far, a line for each message.
  const std::string& heard() {
    std::array<char, 4096> buffer{};
    while (true) {
      const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return heard_;
      heard_.append(buffer.data(), static_cast<std::size_t>(size));
      heard_ += '\n';
    }
  }

 private:
  runtime::Descriptor socket_;
  bool bound_ = false;
  std::string heard_;
};

TEST_F(Service, TellsSystemdHowItIs) {
  NotifySocket systemd(path("notify"));
  ASSERT_TRUE(systemd.bound());
  environment_["NOTIFY_SOCKET"] = path("notify").string();
  environment_["WATCHDOG_USEC"] = "2000000";
  begin({.domains = 1});
  const auto hears = [&](const std::string& text) {
    return eventually(loop(), 1min,
                      [&] { return systemd.heard().find(text) != std::string::npos; });
  };
  EXPECT_TRUE(hears("READY=1"));
  EXPECT_TRUE(hears("WATCHDOG=1"));
  service_->send(SIGHUP);
  EXPECT_TRUE(hears("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_TRUE(eventually(loop(), 1min, [&] {
    const auto& heard = systemd.heard();
    return heard.find("READY=1", heard.find("RELOADING=1")) != std::string::npos;
  }));
  expect_drained();
  EXPECT_TRUE(hears("STOPPING=1"));
}

TEST_F(Service, WorksBesideOtherCommandsAndIsAlone) {
  begin({.domains = 4});
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(says(fmt::format("site-000{}.fleet.test: certificate", i))) << service_->errors();
  }

  const auto issued_again = run({"--json", "issue", "site-0001.fleet.test"});
  EXPECT_EQ(issued_again.status, 0) << issued_again.err;
  EXPECT_EQ(issued_again.json().at("summary").at("issued"), 1);
  EXPECT_THAT(issued_again.err, HasSubstr(std::to_string(service_->pid())));

  const auto second = run({"run"});
  EXPECT_EQ(second.status, wrong_usage);
  EXPECT_THAT(second.err, HasSubstr(fmt::format("process {} executes for this store already",
                                                service_->pid())));
  // What comes into the inventory is taken up by itself.
  ASSERT_EQ(run({"domain", "remove", "site-0004.fleet.test"}).status, 0);
  ASSERT_EQ(run({"domain", "set", "site-0002.fleet.test", "names=www.site-0002.fleet.test"}).status,
            0);
  EXPECT_TRUE(has_issued(6)) << service_->errors();
  expect_drained();
  EXPECT_EQ(run({"run", "--once"}).status, 0);
  EXPECT_EQ(issued(), 6U);
}

TEST_F(Service, FollowsAProgramThatKnowsTheDomains) {
  set_stage({.domains = 3});
  const auto [head, first, second, third] = [this] {
    std::array<std::string, 4> lines;
    std::istringstream text(stage_->inventory());
    for (auto& line : lines) std::getline(text, line);
    return lines;
  }();
  const auto print = [&](const std::string& rows) {
    // Moved into its place whole: the service may read at any moment, and half a file is refused.
    write_file(path("domains.new"), head + "\n" + rows);
    std::filesystem::rename(path("domains.new"), path("domains.csv"));
  };
  print(first + "\n" + second + "\n");
  write_file(path("certherd.toml"), content_of(path("certherd.toml")) +
                                        "\n[inventory.company]\ncommand = [\"cat\", \"" +
                                        path("domains.csv").string() +
                                        "\"]\nevery = \"1s\"\nprune = true\nretire = true\n");
  service_ = start({"run"});
  ASSERT_TRUE(has_issued(2)) << service_->errors();

  // What is gone is renewed no longer and taken off its targets; what has come gets a certificate.
  print(first + "\n" + third + "\n");
  ASSERT_TRUE(has_issued(3)) << service_->errors();
  const auto gone = path("edge") / "site-0002.fleet.test" / "fullchain.pem";
  EXPECT_TRUE(eventually(loop(), 1min, [&] { return !std::filesystem::exists(gone); }))
      << service_->errors();
  const auto shown = run({"--json", "domain", "show", "site-0002.fleet.test"}).json();
  EXPECT_EQ(shown.at("state").as_string(), "disabled") << shown;

  print("");
  ASSERT_TRUE(says("[inventory.company]"));
  EXPECT_TRUE(has_events("inventory.refused", 1));
  const auto kept = run({"--json", "domain", "show", "site-0001.fleet.test"}).json();
  EXPECT_NE(kept.at("state").as_string(), "disabled") << kept;
  const auto difference = run({"domain", "sync", "--feed", "company", "--dry-run"});
  EXPECT_THAT(difference.out, HasSubstr("--yes will be needed"));
  print(first + "\n" + third + "\n");
  EXPECT_TRUE(has_events("inventory.recovered", 1));
  EXPECT_THAT(events("inventory.refused"), SizeIs(1)) << "told once";
  expect_drained();
}

TEST_F(Service, TellsAWebhookOfAnAlarm) {
  set_stage({.domains = 2});
  std::mutex mutex;
  std::string told;
  const http::TestServer hook([&](const std::string& request) {
    const std::lock_guard lock(mutex);
    told += request;
    return http::TestServer::Answer{"HTTP/1.1 204 No Content\r\n\r\n"};
  });
  const auto heard = [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    return told.find(text) != std::string::npos;
  };
  write_file(path("certherd.toml"), content_of(path("certherd.toml")) +
                                        "\n[notify.hook]\ntype = \"webhook\"\nurl = \"" +
                                        hook.url("/told") + "\"\n");
  add_inventory();
  ASSERT_EQ(run({"issue", "--all"}).status, 0);
  EXPECT_EQ(run({"alarms"}).status, 0);

  // What nginx needs for the one is gone, so it takes nothing for the other.
  const auto folder = path("edge") / "site-0002.fleet.test";
  std::filesystem::rename(folder, path("away"));
  service_ = start({"run"});
  ASSERT_TRUE(says("keeping the certificates"));
  EXPECT_EQ(run({"issue", "site-0001.fleet.test"}).status, 1);
  EXPECT_TRUE(eventually(loop(), 1min, [&] { return heard(R"("kind":"failing")"); }))
      << service_->errors();
  EXPECT_TRUE(heard("site-0001.fleet.test")) << told;
  const auto standing = run({"--json", "alarms"});
  EXPECT_EQ(standing.status, 1);
  EXPECT_THAT(standing.json().at("alarms").as_array(), SizeIs(1));

  std::filesystem::rename(path("away"), folder);
  EXPECT_EQ(run({"issue", "site-0001.fleet.test"}).status, 0);
  EXPECT_TRUE(has_events("alarm.cleared", 1)) << service_->errors();
  EXPECT_EQ(run({"alarms"}).status, 0);
  expect_drained();
}

TEST_F(Service, ReadsItsConfigAgainAndRefusesABadOne) {
  begin({.domains = 2});
  ASSERT_TRUE(has_issued(2)) << service_->errors();
  const auto good = content_of(path("certherd.toml"));

  write_file(path("certherd.toml"), good + "\n[shop]\n");
  service_->send(SIGHUP);
  ASSERT_TRUE(says("the config is left as it was"));
  ASSERT_TRUE(says("shop"));

  write_file(path("certherd.toml"),
             good + "\n[target.second]\ntype = \"files\"\npath = \"second\"\n");
  configure("targets = [\"nginx\"]", "targets = [\"nginx\", \"second\"]");
  service_->send(SIGHUP);
  ASSERT_TRUE(says("going over to the config as it is now"));
  EXPECT_TRUE(eventually(loop(), 1min, [this] {
    return std::filesystem::exists(path("second") / "site-0002.fleet.test" / "fullchain.pem");
  })) << service_->errors();
  expect_drained();
  EXPECT_EQ(issued(), 2U);
}

}  // namespace
}  // namespace certherd::e2e

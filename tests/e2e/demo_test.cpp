#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int interrupted = 130;

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

/// The members of a JSON object.
std::set<std::string> members(const json::value& object) {
  std::set<std::string> names;
  for (const auto& member : object.as_object()) names.emplace(member.key());
  return names;
}

class Demo : public EndToEnd {
 protected:
  void SetUp() override { fs::create_directory(temporary()); }

  fs::path temporary() const { return path("temporary"); }

  /// Starts a demo whose temporary folder we can watch.
  std::unique_ptr<Program> start_demo(std::vector<std::string> options) {
    std::vector<std::string> arguments = {"demo"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    auto demo = call(std::move(arguments));
    demo.environment["TMPDIR"] = temporary();
    return std::make_unique<Program>(loop(), demo);
  }

  /// Neither processes nor files of a demo.
  void expect_nothing_left() {
    EXPECT_THAT(processes_with(temporary().string()), IsEmpty());
    EXPECT_TRUE(fs::is_empty(temporary()));
  }

  /// Runs a demo that gets Ctrl-C as soon as `moment` has come.
  void interrupt_when(std::function<bool(Program&)> moment, int signal = SIGINT) {
    auto demo = start_demo({"--domains", "60"});
    auto* program = demo.get();
    const bool came = eventually(loop(), 1min, [&] { return moment(*program); });
    ASSERT_TRUE(came) << demo->errors();
    demo->send(signal);
    const auto ended = demo->wait(20s);
    EXPECT_EQ(ended.status, signal == SIGINT ? interrupted : 0) << ended.err;
    expect_nothing_left();
  }
};

TEST_F(Demo, TwoAtOnceBothServeAllTheirDomainsAndLeaveNothing) {
  auto one = start_demo({"--domains", "12"});
  auto other = start_demo({"--domains", "12"});
  for (const auto& ended : {one->wait(), other->wait()}) {
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(last_line(ended.out),
              "12 domains · 12 issued · 12 stored · 12 installed · 12 served");
  }
  expect_nothing_left();
}

TEST_F(Demo, CtrlCBeforeAnythingRunsLeavesNothing) {
  interrupt_when([this](Program&) { return !fs::is_empty(temporary()); });
}

TEST_F(Demo, CtrlCDuringStartUpLeavesNothing) {
  interrupt_when([this](Program&) {
    return !processes_with((temporary() / "certherd-demo-").string()).empty();
  });
}

TEST_F(Demo, SigtermDuringStartUpLeavesNothing) {
  const auto starting = [this](Program&) {
    return !processes_with((temporary() / "certherd-demo-").string()).empty();
  };
  interrupt_when(starting, SIGTERM);
}

TEST_F(Demo, ATerminalThatGoesAwayDuringStartUpLeavesNothing) {
  const auto starting = [this](Program&) {
    return !processes_with((temporary() / "certherd-demo-").string()).empty();
  };
  interrupt_when(starting, SIGHUP);
}

TEST_F(Demo, CtrlCInTheMiddleLeavesNothing) {
  interrupt_when([](Program& program) {
    return program.errors().find("Pebble and nginx run") != std::string::npos;
  });
}

TEST_F(Demo, KeepsConfigAndStateForTheOtherCommands) {
  auto demo = start_demo({"--domains", "2", "--keep", path("kept"), "--json"});
  const auto ended = demo->wait();
  ASSERT_EQ(ended.status, 0) << ended.err;
  const auto document = ended.json();
  EXPECT_EQ(members(document), (std::set<std::string>{"results", "summary"}));
  EXPECT_EQ(document.at("summary"),
            json::value({{"issued", 2}, {"current", 0}, {"deferred", 0}, {"failed", 0}}));
  const auto& result = document.at("results").at(0);
  EXPECT_EQ(members(result),
            (std::set<std::string>{"domain", "outcome", "serial", "not_before", "not_after",
                                   "names", "vault", "targets", "served", "error", "revoked_at",
                                   "revocation_reason"}));
  EXPECT_EQ(result.at("outcome").as_string(), "issued");
  EXPECT_EQ(result.at("targets"), json::value({{"nginx", "installed"}}));
  expect_nothing_left();

  const auto config = (path("kept") / "certherd.toml").string();
  const auto ask = [&](std::vector<std::string> command) {
    command.insert(command.begin(), {"--config", config, "--json"});
    const auto answered = run(std::move(command));
    EXPECT_EQ(answered.status, 0) << answered.err;
    return answered.json();
  };
  const std::string name = "site-0001.fleet.test";
  const std::set<std::string> domain = {"domain",  "zone_id",    "names",
                                        "state",   "not_after",  "next_action",
                                        "next_at", "last_error", "metadata"};
  const auto domains = ask({"domain", "list"});
  ASSERT_EQ(domains.at("domains").as_array().size(), 2U);
  EXPECT_THAT(members(domains.at("domains").at(0)), testing::IsSupersetOf(domain));
  EXPECT_EQ(domains.at("domains").at(0).at("state").as_string(), "ok");
  EXPECT_EQ(domains.at("domains").at(0).at("next_action").as_string(), "renew");
  EXPECT_THAT(members(ask({"domain", "show", name})), testing::IsSupersetOf(domain));

  const std::set<std::string> certificate = {
      "domain",      "serial", "names",  "issuer", "not_before", "not_after",
      "fingerprint", "vault",  "served", "ca",     "revoked_at", "revocation_reason"};
  const auto certificates = ask({"cert", "list"});
  ASSERT_EQ(certificates.at("certificates").as_array().size(), 2U);
  EXPECT_EQ(members(certificates.at("certificates").at(0)), certificate);
  const auto shown = ask({"cert", "show", name});
  EXPECT_EQ(members(shown), certificate);
  EXPECT_EQ(shown.at("serial"), result.at("serial"));
  EXPECT_EQ(shown.at("served"), true);
  for (const auto* part : {"csr", "private_key", "fullchain"}) {
    const fs::path file = std::string(shown.at("vault").at(part).as_string());
    EXPECT_TRUE(fs::is_regular_file(file)) << file;
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  }

  std::set<std::string> told;
  for (const auto& event : ask({"log", name}).at("events").as_array()) {
    EXPECT_EQ(members(event), (std::set<std::string>{"at", "domain", "event", "detail"}));
    told.emplace(event.at("event").as_string());
  }
  EXPECT_THAT(
      told, testing::IsSupersetOf({"key.created", "order.placed", "challenge.published",
                                   "challenge.answered", "certificate.issued", "certificate.stored",
                                   "certificate.installed", "certificate.served"}));

  const auto account = ask({"account", "show"});
  EXPECT_EQ(account.at("status").as_string(), "valid");
  EXPECT_EQ(account.at("ca").as_string(), "pebble");

  // For people, the same as tables.
  const auto table = run({"--config", config, "cert", "list"});
  EXPECT_THAT(table.out, HasSubstr(name));
  const auto refused = run({"demo", "--keep", "kept"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("not empty"));
}

}  // namespace
}  // namespace certherd::e2e

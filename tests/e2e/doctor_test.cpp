#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>
#include <set>

#include "app/process_identity.hpp"
#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The one check of that kind for a domain, or for a section when `domain` is empty.
json::object check_of(const json::value& document, std::string_view domain, std::string_view check,
                      std::string_view subject) {
  for (const auto& each : document.at("checks").as_array()) {
    const auto& whose = each.at("domain");
    const bool same = whose.is_null() ? domain.empty() : whose.as_string() == domain;
    const bool sought = each.at("check").as_string() == check;
    if (same && sought && each.at("subject").as_string() == subject) return each.as_object();
  }
  ADD_FAILURE() << "no check " << check << " of " << subject << " in " << document;
  return {{"status", ""}, {"finding", ""}, {"remedy", ""}};
}

std::string text_of(const json::object& check, std::string_view member) {
  return std::string(check.at(member).as_string());
}

class Doctor : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 3});
    add_inventory();
  }

  std::uint16_t responder_port() const {
    constexpr std::string_view listen = "listen = [\"127.0.0.1:";
    const auto config = content_of(path("certherd.toml"));
    return static_cast<std::uint16_t>(
        std::stoi(config.substr(config.find(listen) + listen.size())));
  }

  std::vector<TxtRecord> ledger() {
    const auto app = open_app();
    return app == nullptr ? std::vector<TxtRecord>()
                          : loop().run(app->store().entries(DnsName("responder"))).value();
  }
};

TEST_F(Doctor, FindsAFleetWellAndLeavesNoTrace) {
  const auto before = run({"--json", "log"}).out;
  const auto ended = run({"--json", "doctor"});
  EXPECT_EQ(ended.status, 0) << ended.err << ended.out;

  const auto document = ended.json();
  EXPECT_EQ(document.at("summary").at("domains"),
            json::value({{"ok", 3}, {"warning", 0}, {"failed", 0}}));
  for (const auto* check : {"delegation", "challenge", "write", "caa"}) {
    EXPECT_EQ(text_of(check_of(document, "site-0002.fleet.test", check, "site-0002.fleet.test"),
                      "status"),
              "ok");
  }
  EXPECT_THAT(text_of(check_of(document, "", "ca", "ca.pebble"), "finding"),
              HasSubstr("no account yet"));
  EXPECT_THAT(text_of(check_of(document, "", "clock", "ca.pebble"), "finding"),
              HasSubstr("this machine says"));
  check_of(document, "", "vault", "vault.files");
  check_of(document, "", "target", "target.nginx");
  check_of(document, "", "dns", "dns.responder");

  EXPECT_EQ(run({"account", "show"}).status, 2);
  EXPECT_EQ(run({"--json", "log"}).out, before);
}

TEST_F(Doctor, SaysOneLineForADomainThatIsWellAndAllOnDemand) {
  const auto brief = run({"doctor"});
  EXPECT_EQ(brief.status, 0) << brief.err;
  EXPECT_EQ(brief.out,
            "ok       what the domains need\n"
            "ok       site-0001.fleet.test\n"
            "ok       site-0002.fleet.test\n"
            "ok       site-0003.fleet.test\n"
            "3 ok · 0 with warnings · 0 failed\n");

  const auto whole = run({"doctor", "--all", "site-0001.fleet.test"});
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_THAT(whole.out,
              AllOf(HasSubstr("ok       delegation site-0001.fleet.test: fleet.test is served by "
                              "ns1.fleet.test"),
                    Not(HasSubstr("site-0002"))));
  EXPECT_EQ(run({"doctor", "unknown.fleet.test"}).status, 2);
}

TEST_F(Doctor, NamesTheServersOfAZoneThatNobodyServes) {
  ASSERT_EQ(run({"domain", "add", "lost.nowhere.test"}).status, 0);
  const auto ended = run({"--json", "doctor"});
  EXPECT_EQ(ended.status, 1) << ended.err;

  const auto document = ended.json();
  EXPECT_EQ(document.at("summary").at("domains"),
            json::value({{"ok", 3}, {"warning", 0}, {"failed", 1}}));
  const auto check = check_of(document, "lost.nowhere.test", "delegation", "lost.nowhere.test");
  EXPECT_EQ(text_of(check, "status"), "failed");
  EXPECT_THAT(text_of(check, "finding"), AllOf(HasSubstr("_acme-challenge.lost.nowhere.test"),
                                               HasSubstr("127.0.0.1:"), HasSubstr("REFUSED")));
  EXPECT_THAT(text_of(check, "remedy"), HasSubstr("have its zone served"));
  EXPECT_EQ(text_of(check_of(document, "lost.nowhere.test", "caa", "lost.nowhere.test"), "status"),
            "failed");

  const auto table = run({"doctor"});
  EXPECT_THAT(table.out,
              AllOf(HasSubstr("failed   lost.nowhere.test\n  failed   delegation"),
                    HasSubstr("\n           → "), HasSubstr("3 ok · 0 with warnings · 1 failed")));
}

TEST_F(Doctor, TriesWritingAndRemovesWhatItWrote) {
  ASSERT_EQ(run({"domain", "add", "wild.fleet.test", "--name", "*.wild.fleet.test"}).status, 0);
  const auto ended = run({"--json", "doctor", "--write-test"});
  EXPECT_EQ(ended.status, 0) << ended.err << ended.out;
  const auto document = ended.json();
  for (const auto* domain : {"site-0001.fleet.test", "wild.fleet.test"}) {
    EXPECT_THAT(text_of(check_of(document, domain, "write", domain), "finding"),
                HasSubstr("seen on every name server"));
  }
  EXPECT_TRUE(ledger().empty());
}

TEST_F(Doctor, TellsWhichDomainsMissWhatTheirSectionsLack) {
  configure("path = \"vault\"", "path = \"inventory.csv\"");  // a file where a folder should be
  ASSERT_EQ(run({"domain", "add", "bare.fleet.test", "--set", "zone_id=Z1"}).status, 0);
  const auto ended = run({"--json", "doctor"});
  EXPECT_EQ(ended.status, 1);
  const auto document = ended.json();
  const auto section = check_of(document, "", "vault", "vault.files");
  EXPECT_EQ(text_of(section, "status"), "failed");
  EXPECT_EQ(text_of(check_of(document, "site-0001.fleet.test", "vault", "vault.files"), "finding"),
            text_of(section, "finding"));
  const auto write = check_of(document, "bare.fleet.test", "write", "bare.fleet.test");
  EXPECT_EQ(text_of(write, "status"), "failed");
  EXPECT_THAT(text_of(write, "finding"), HasSubstr("zone id Z1"));
}

TEST_F(Doctor, WorksBesideAnExecutorAndWritesNothingThen) {
  const auto app = open_app();
  ASSERT_NE(app, nullptr);
  const auto me = app::process_identity();
  ASSERT_EQ(loop().run(app->store().acquire_lease(me, 1h, nullptr)).value().owner, me);

  const auto refused = run({"doctor", "--write-test"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr(app::describe_process(me)), HasSubstr("leave out --write-test")));

  // This process executes nothing, so nobody answers: what matters is that it is told.
  const auto beside = run({"--json", "doctor", "site-0001.fleet.test"});
  EXPECT_EQ(beside.status, 1);
  EXPECT_THAT(text_of(check_of(beside.json(), "", "dns", "dns.responder"), "finding"),
              HasSubstr(app::describe_process(me) + " executes for this store"));
  EXPECT_TRUE(loop().run(app->store().release_lease(me)));
}

TEST_F(Doctor, GivesWayToWhoWantsSomethingDone) {
  // A CA that takes connections and says nothing keeps the doctor busy for its time-out.
  using boost::asio::ip::tcp;
  tcp::acceptor silent(loop().context(), {boost::asio::ip::address_v4::loopback(), 0});
  configure("[dns.responder]",
            fmt::format("[ca.silent]\ndirectory = \"https://127.0.0.1:{}/directory\"\n"
                        "terms_of_service_agreed = true\n\n[dns.responder]",
                        silent.local_endpoint().port()));
  const auto doctor = start({"--json", "doctor"});
  ASSERT_TRUE(eventually(loop(), 1min, [&] {
    tcp::socket socket(loop().context());
    boost::system::error_code refused;
    socket.connect({boost::asio::ip::address_v4::loopback(), responder_port()}, refused);
    return !refused || !doctor->running();
  }));
  const auto issued = run({"issue", "site-0001.fleet.test"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  EXPECT_TRUE(doctor->running());
  const auto ended = doctor->wait();
  EXPECT_THAT(ended.err, HasSubstr("another process works now"));
  EXPECT_EQ(text_of(check_of(ended.json(), "", "ca", "ca.silent"), "status"), "failed");
}

TEST_F(Doctor, TellsThatAResponderCannotBegin) {
  const auto port = responder_port();
  const boost::asio::ip::tcp::acceptor taken(loop().context(),
                                             {boost::asio::ip::address_v4::loopback(), port});
  const auto ended = run({"--json", "doctor"});
  EXPECT_EQ(ended.status, 1);
  const auto check = check_of(ended.json(), "", "dns", "dns.responder");
  EXPECT_THAT(text_of(check, "finding"), HasSubstr(std::to_string(port)));
  EXPECT_THAT(text_of(check, "remedy"), HasSubstr("free its address"));
}

}  // namespace
}  // namespace certherd::e2e

#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include "app/process_identity.hpp"
#include "bind_server.hpp"
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

TEST_F(Doctor, WarnsOfNamesThatAPublicCaRefuses) {
  configure("[ca.pebble]", "[ca.pebble]\nlimits = \"letsencrypt\"");
  const auto ended = run({"--json", "doctor", "site-0001.fleet.test"});
  EXPECT_EQ(ended.status, 0) << ended.err << ended.out;
  const auto document = ended.json();
  EXPECT_EQ(document.at("summary").at("domains"),
            json::value({{"ok", 0}, {"warning", 1}, {"failed", 0}}));
  const auto check = check_of(document, "site-0001.fleet.test", "name", "site-0001.fleet.test");
  EXPECT_EQ(text_of(check, "status"), "warning");
  EXPECT_THAT(text_of(check, "finding"), HasSubstr("[ca.pebble] will refuse"));
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

constexpr std::string_view example_zone = R"($TTL 60
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
_acme-challenge.good IN CNAME good.fleet.test.
good IN CAA 0 issue "pebble.letsencrypt.org; validationmethods=dns-01"
_acme-challenge.forbidden IN CNAME forbidden.fleet.test.
forbidden IN CAA 0 issue "other.example"
_acme-challenge.round IN CNAME circle
circle IN CNAME _acme-challenge.round
_acme-challenge.astray IN CNAME elsewhere
)";

/// Its only name server is led to one that does not serve it.
constexpr std::string_view lame_zone = R"($TTL 60
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
)";

/// Domains in zones of a BIND, which is a resolver to the program as well.
class DoctorAtBind : public Doctor {
 protected:
  void SetUp() override {
    Doctor::SetUp();
    std::map<std::string, std::string> zones = {{"example.test", std::string(example_zone)},
                                                {"lame.test", std::string(lame_zone)}};
    auto started = loop().run(dns::BindServer::start(&loop(), std::move(zones)));
    ASSERT_TRUE(started) << started.error().message();
    bind_ = std::move(*started);
    const auto bind = bind_->address().text();
    configure("[resolver]\nservers = [",
              fmt::format("[resolver]\noverrides = {{ \"ns1.example.test\" = \"{0}\", "
                          "\"ns1.lame.test\" = \"127.0.0.1:{1}\" }}\nservers = [\"{0}\", ",
                          bind, responder_port()));
    const auto imported = run({"domain", "import", "-"},
                              "domain\ngood.example.test\nforbidden.example.test\n"
                              "round.example.test\nastray.example.test\nwww.lame.test\n");
    ASSERT_EQ(imported.status, 0) << imported.err;
  }

  void TearDown() override {
    if (bind_) loop().run(bind_->stop());
    Doctor::TearDown();
  }

  std::unique_ptr<dns::BindServer> bind_;
};

TEST_F(DoctorAtBind, TellsWhatKeepsEachDomainFromACertificate) {
  const auto ended = run({"--json", "doctor"});
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto document = ended.json();
  EXPECT_EQ(document.at("summary").at("domains"),
            json::value({{"ok", 4}, {"warning", 0}, {"failed", 4}}));
  const auto check = [&document](std::string_view name, std::string_view kind) {
    return check_of(document, name, kind, name);
  };

  const auto good = check("good.example.test", "challenge");
  EXPECT_EQ(text_of(good, "finding"),
            "_acme-challenge.good.example.test -> good.fleet.test in the zone fleet.test");
  EXPECT_THAT(text_of(check("good.example.test", "caa"), "finding"),
              HasSubstr("at good.example.test lets the CA issue"));

  const auto forbidden = check("forbidden.example.test", "caa");
  EXPECT_EQ(text_of(forbidden, "status"), "failed");
  EXPECT_EQ(text_of(forbidden, "finding"),
            "by the CAA records at forbidden.example.test: only other.example may issue, and the "
            "CA is pebble.letsencrypt.org");
  EXPECT_EQ(text_of(forbidden, "remedy"),
            "at forbidden.example.test: let the set hold `0 issue \"pebble.letsencrypt.org\"`");

  EXPECT_THAT(text_of(check("round.example.test", "challenge"), "finding"),
              HasSubstr("the CNAMEs lead in a circle: _acme-challenge.round.example.test -> "
                        "circle.example.test -> _acme-challenge.round.example.test"));

  const auto astray = check("astray.example.test", "challenge");
  EXPECT_THAT(text_of(astray, "finding"), HasSubstr("elsewhere.example.test"));
  EXPECT_THAT(text_of(astray, "remedy"), HasSubstr("CNAME"));

  const auto lame = check("www.lame.test", "delegation");
  EXPECT_EQ(text_of(lame, "status"), "failed");
  EXPECT_EQ(text_of(lame, "finding"),
            fmt::format("not every name server serves lame.test: ns1.lame.test (127.0.0.1:{0}, "
                        "UDP): REFUSED; ns1.lame.test (127.0.0.1:{0}, TCP): REFUSED",
                        responder_port()));
}

TEST_F(DoctorAtBind, AnIssuanceForAZoneThatNobodyServesEndsAtOnceWithTheSameFinding) {
  const Time begun = loop().clock().now();
  const auto ended = run({"--json", "issue", "www.lame.test"});
  EXPECT_LT(loop().clock().now() - begun, 20s);  // check_within is a minute
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto document = ended.json();
  const auto& error = document.at("results").at(0).at("error");
  EXPECT_EQ(error.at("kind").as_string(), "not_found");
  EXPECT_EQ(std::string(error.at("detail").as_string()),
            fmt::format("nobody serves lame.test: ns1.lame.test (127.0.0.1:{}, UDP): REFUSED",
                        responder_port()));
}

}  // namespace
}  // namespace certherd::e2e

#include "fleet/scan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/virtual_loop.hpp"
#include "sim/fake_vault.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;
using policy::Drift;
using policy::EndpointStatus;
using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time start = Time(days(20'000));

/// Tells of each host what it is told to; of the others, that nobody answers until the deadline.
class ScriptedProbe final : public probe::Probe {
 public:
  explicit ScriptedProbe(runtime::Clock& clock) : clock_(clock) {}

  std::map<Fqdn, probe::Observation> served;
  std::map<std::string, probe::Observation> served_at;  ///< by address, where one differs
  std::map<Fqdn, std::vector<std::string>> known_addresses;
  std::function<Task<void>()> meanwhile;  ///< what happens while an endpoint is looked at
  int most_at_once = 0;

  Task<Result<probe::Observation>> look(Endpoint endpoint, Time deadline) override {
    most_at_once = std::max(most_at_once, ++at_once_);
    const auto found = served.find(endpoint.host);
    co_await clock_.sleep_until(found == served.end() ? deadline : clock_.now() + 50ms);
    if (meanwhile) co_await meanwhile();
    --at_once_;
    const auto there = served_at.find(endpoint.address);
    if (there != served_at.end()) co_return there->second;
    if (found == served.end()) {
      co_return fail(Error::Kind::deadline, "probe " + endpoint.text(), "no answer in time");
    }
    co_return found->second;
  }

  Task<Result<std::vector<std::string>>> addresses(Endpoint endpoint, Time) override {
    const auto found = known_addresses.find(endpoint.host);
    co_await clock_.sleep_for(10ms);
    if (found == known_addresses.end()) {
      co_return fail(Error::Kind::not_found, "look up", "the host has no address");
    }
    co_return found->second;
  }

 private:
  runtime::Clock& clock_;
  int at_once_ = 0;
};

Certificate certificate(const std::string& name, const std::string& serial) {
  Certificate made;
  made.domain = Fqdn::literal(name);
  made.names = {made.domain};
  made.serial = Serial(serial);
  made.fingerprint = Fingerprint("print of " + serial);
  made.not_before = start - days(1);
  made.not_after = start + days(89);
  made.vault_name = VaultName("files");
  return made;
}

probe::Observation observation(const Certificate& served) {
  probe::Observation seen;
  seen.address = "192.0.2.1:443";
  seen.leaf.serial = served.serial;
  seen.leaf.fingerprint = served.fingerprint;
  seen.leaf.names = {served.domain.text()};
  seen.leaf.not_before = served.not_before;
  seen.leaf.not_after = served.not_after;
  seen.name_matches = true;
  return seen;
}

class ScanTest : public testing::Test {
 protected:
  ScanTest() {
    store_ = std::move(
        *store::Store::open({.url = "sqlite::memory:"}, *offload_, *offload_, loop_->clock()));
    ports_.loop = loop_.get();
    ports_.store = store_.get();
    ports_.probe = &probe_;
    ports_.vaults[VaultName("files")] = &vault_;
  }

  void add(const std::string& name) {
    Domain domain;
    domain.name = Fqdn::literal(name);
    std::vector<Domain> domains = {domain};
    ASSERT_TRUE(loop_->run(store_->add_domains(std::move(domains), {})));
  }

  /// Makes it the current certificate of its domain, and ends where an issuance does.
  Task<void> issue(Certificate issued, Step last = Step::done) {
    auto row = co_await store_->domain(issued.domain);
    Issuance issuance;
    issuance.domain_id = row->domain.id;
    issuance.domain = issued.domain;
    issuance.names = issued.names;
    auto started = co_await store_->start(std::move(issuance), {});
    EXPECT_TRUE(started);
    started->step = last;
    store::Changes changes;
    changes.certificate = issued;
    auto committed = co_await store_->commit(std::move(*started), std::move(changes));
    EXPECT_TRUE(committed);
  }

  void keep(const Certificate& kept) {
    ASSERT_TRUE(loop_->run(vault_.store(kept.domain, Material{}, {.key = kept.serial.text()})));
  }

  std::vector<Finding> scan() {
    auto rows = loop_->run(store_->domains());
    EXPECT_TRUE(rows);
    auto places = scan_places(*rows, ports_);
    Scan scan(ports_, options_);
    auto findings = loop_->run(scan.run(std::move(places.subjects), shared_rows(std::move(*rows))));
    EXPECT_TRUE(findings) << findings.error().message();
    EXPECT_EQ(scan.progress().looked_at, scan.progress().total);
    return findings ? std::move(*findings) : std::vector<Finding>();
  }

  static std::vector<Drift::Kind> kinds(const Finding& finding) {
    std::vector<Drift::Kind> kinds;
    for (const auto& drift : finding.drift) kinds.push_back(drift.kind);
    return kinds;
  }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(start);
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  std::unique_ptr<store::Store> store_;
  sim::FakeVault vault_;
  ScriptedProbe probe_{loop_->clock()};
  Ports ports_;
  Scan::Options options_;
};

TEST_F(ScanTest, WhatServesItsPresentCertificateIsGood) {
  const auto own = certificate("a.example", "aa");
  add("a.example");
  loop_->run(issue(own));
  keep(own);
  probe_.served[own.domain] = observation(own);
  const auto findings = scan();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].status, EndpointStatus::ok);
  EXPECT_TRUE(findings[0].good());
  EXPECT_EQ(findings[0].domain, own.domain);
  EXPECT_EQ(findings[0].domains, 1U);
  EXPECT_FALSE(findings[0].error);
}

TEST_F(ScanTest, ADomainThatHasNoCertificateYetCannotDrift) {
  add("a.example");
  probe_.served[Fqdn::literal("a.example")] = observation(certificate("a.example", "ff"));
  EXPECT_TRUE(scan().at(0).good());
}

TEST_F(ScanTest, FormerAndStrangersCertificatesAndVaultsAreToldApart) {
  for (const auto* name : {"a.example", "b.example", "c.example"}) {
    add(name);
    loop_->run(issue(certificate(name, std::string("1") + name[0])));
    const auto second = certificate(name, std::string("2") + name[0]);
    loop_->run(issue(second));
    keep(second);
    probe_.served[second.domain] = observation(second);
  }
  probe_.served[Fqdn::literal("a.example")] = observation(certificate("a.example", "1a"));
  probe_.served[Fqdn::literal("b.example")] = observation(certificate("b.example", "ff"));
  keep(certificate("c.example", "1c"));
  const auto findings = scan();
  EXPECT_THAT(kinds(findings.at(0)), ElementsAre(Drift::Kind::former));
  EXPECT_THAT(kinds(findings.at(1)), ElementsAre(Drift::Kind::stranger));
  EXPECT_THAT(kinds(findings.at(2)), ElementsAre(Drift::Kind::vault));
  for (const auto& finding : findings) {
    EXPECT_EQ(finding.status, EndpointStatus::ok);
    EXPECT_FALSE(finding.good());
  }
}

TEST_F(ScanTest, ARevokedCertificateIsToldAlsoWhereNobodyAnswers) {
  auto own = certificate("a.example", "aa");
  own.revoked_at = start;
  add("a.example");
  loop_->run(issue(own));
  keep(own);
  const auto findings = scan();
  EXPECT_EQ(findings.at(0).status, EndpointStatus::unreachable);
  EXPECT_THAT(kinds(findings.at(0)), ElementsAre(Drift::Kind::revoked));
}

TEST_F(ScanTest, ACertificateOnItsWayIsNoFault) {
  add("a.example");
  loop_->run(issue(certificate("a.example", "aa")));
  const auto second = certificate("a.example", "bb");
  loop_->run(issue(second, Step::prove));
  keep(second);
  probe_.served[second.domain] = observation(certificate("a.example", "aa"));
  const auto findings = scan();
  EXPECT_THAT(kinds(findings.at(0)), ElementsAre(Drift::Kind::rolling_out));
  EXPECT_TRUE(findings.at(0).good());
}

TEST_F(ScanTest, WhatIsRenewedWhileItIsLookedAtIsNoFault) {
  const auto first = certificate("a.example", "aa");
  const auto second = certificate("a.example", "bb");
  add("a.example");
  loop_->run(issue(first));
  keep(second);
  probe_.meanwhile = [this] { return issue(certificate("a.example", "bb")); };
  for (const auto& served : {first, second}) {
    probe_.served[served.domain] = observation(served);
    const auto findings = scan();
    EXPECT_TRUE(findings.at(0).good()) << served.serial.text();
    probe_.meanwhile = nullptr;
  }
}

TEST_F(ScanTest, AVaultThatTellsNothingIsAFindingAndStopsNothing) {
  const auto own = certificate("a.example", "aa");
  add("a.example");
  loop_->run(issue(own));
  probe_.served[own.domain] = observation(own);
  vault_.fail_next(fail(Error::Kind::denied, "describe", "no rights").value());
  const auto denied = scan();
  ASSERT_EQ(denied.at(0).drift.size(), 1U);
  EXPECT_THAT(denied.at(0).drift[0].detail, HasSubstr("no rights"));
  ports_.vaults.clear();
  EXPECT_THAT(scan().at(0).drift.at(0).detail, HasSubstr("[vault.files]"));
}

TEST_F(ScanTest, EveryAddressIsLookedAtAndOnlyThatWhichDiffersIsAtFault) {
  const auto own = certificate("a.example", "aa");
  add("a.example");
  add("lost.example");
  loop_->run(issue(certificate("a.example", "11")));
  loop_->run(issue(own));
  keep(own);
  probe_.known_addresses[own.domain] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
  probe_.served[own.domain] = observation(own);
  probe_.served_at["192.0.2.2"] = observation(certificate("a.example", "11"));
  options_.all_addresses = true;
  const auto findings = scan();
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].endpoint.text(), "a.example@192.0.2.1");
  EXPECT_EQ(findings[0].asked.text(), "a.example");
  EXPECT_TRUE(findings[0].good());
  EXPECT_EQ(findings[1].endpoint.text(), "a.example@192.0.2.2");
  EXPECT_THAT(kinds(findings[1]), ElementsAre(Drift::Kind::former));
  EXPECT_EQ(findings[2].endpoint.text(), "a.example@[2001:db8::1]");
  EXPECT_TRUE(findings[2].good());
  EXPECT_EQ(findings[3].endpoint.text(), "lost.example");
  EXPECT_EQ(findings[3].status, EndpointStatus::unreachable);
  ASSERT_TRUE(findings[3].error);
  EXPECT_EQ(findings[3].error->kind, Error::Kind::not_found);
}

TEST_F(ScanTest, AThousandSilentHostsDoNotHoldUpNineThousandOthers) {
  std::vector<ScanSubject> subjects;
  constexpr int hosts = 10'000;
  constexpr int silent = 1'000;
  subjects.reserve(hosts);
  for (int i = 0; i < hosts; ++i) {
    const auto name = fmt::format("host-{}.example", i);
    Endpoint endpoint;
    endpoint.host = Fqdn::literal(name);
    if (i % (hosts / silent) != 0) {
      probe_.served[endpoint.host] = observation(certificate(name, "aa"));
    }
    subjects.push_back({.endpoint = std::move(endpoint), .domain = {}});
  }
  Scan scan(ports_, options_);
  const auto findings = loop_->run(scan.run(std::move(subjects), {}));
  ASSERT_TRUE(findings);
  EXPECT_EQ(scan.progress().looked_at, static_cast<std::size_t>(hosts));
  EXPECT_EQ(scan.progress().not_ok, static_cast<std::size_t>(silent));
  EXPECT_EQ(probe_.most_at_once, 256);
  // All places busy all the time would take 41 s.
  EXPECT_LT(loop_->clock().now() - start, 55s);
}

TEST(ScanPlaces, AreTheEndpointsElseTheNameItselfAndAWildcardHasNone) {
  std::vector<store::DomainRow> rows(3);
  rows[0].domain.name = Fqdn::literal("a.example");
  rows[1].domain.name = Fqdn::literal("*.b.example");
  rows[2].domain.name = Fqdn::literal("*.c.example");
  rows[2].domain.endpoints = {Endpoint::parse("x.c.example:8443").value(),
                              Endpoint::parse("y.c.example").value()};
  const auto places = scan_places(rows, Ports());
  std::vector<std::string> texts;
  for (const auto& subject : places.subjects) texts.push_back(subject.endpoint.text());
  EXPECT_THAT(texts, ElementsAre("a.example", "x.c.example:8443", "y.c.example"));
  EXPECT_THAT(places.nowhere, ElementsAre(Fqdn::literal("*.b.example")));
}

TEST(ScanPlaces, AreTheEdgesOfTheTargetsWhateverTheDnsSays) {
  std::vector<store::DomainRow> rows(2);
  rows[0].domain.name = Fqdn::literal("a.example");
  rows[1].domain.name = Fqdn::literal("*.b.example");
  Ports ports;
  ports.defaults.targets = {TargetName("cdn")};
  ports.edges[TargetName("cdn")] = {{.host = "edge.example.net"},
                                    {.host = "192.0.2.1", .port = 8443}};
  const auto places = scan_places(rows, ports);
  std::vector<std::string> texts;
  for (const auto& subject : places.subjects) texts.push_back(subject.endpoint.text());
  EXPECT_THAT(texts, ElementsAre("a.example@edge.example.net", "a.example:8443@192.0.2.1",
                                 "certherd-proof.b.example@edge.example.net",
                                 "certherd-proof.b.example:8443@192.0.2.1"));
  EXPECT_TRUE(places.nowhere.empty());
}

TEST(ScanSubjects, BelongToTheDomainWhoseNamesCoverTheHost) {
  std::vector<store::DomainRow> rows(2);
  rows[0].domain.name = Fqdn::literal("a.example");
  rows[0].domain.names = {Fqdn::literal("*.a.example")};
  rows[1].domain.name = Fqdn::literal("own.a.example");
  std::vector<Endpoint> endpoints;
  for (const auto* host : {"a.example", "x.a.example", "own.a.example", "y.x.a.example"}) {
    endpoints.push_back(Endpoint::parse(host).value());
  }
  const auto subjects = subjects_at(std::move(endpoints), rows);
  std::vector<std::optional<Fqdn>> domains;
  for (const auto& subject : subjects) domains.push_back(subject.domain);
  EXPECT_THAT(domains, ElementsAre(rows[0].domain.name, rows[0].domain.name, rows[1].domain.name,
                                   std::nullopt));
}

}  // namespace
}  // namespace certherd::fleet

#include "app/doctor/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::app {
namespace {

using namespace std::chrono_literals;
using Status = Verdict::Status;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Fqdn zone = Fqdn::literal("example.test");

Time at(std::string_view text) { return parse_time(text).value(); }

dns::ZoneSurvey healthy() {
  return {.words = {{.server = "ns1.example.test (192.0.2.1:53, UDP)", .finding = {}},
                    {.server = "ns1.example.test (192.0.2.1:53, TCP)", .finding = {}}},
          .servers = {{.address = "192.0.2.1", .port = 53}},
          .own = {"ns1.example.test"},
          .delegated = {"ns1.example.test"},
          .undelegated = {},
          .parent_unknown = {}};
}

TEST(JudgeZone, IsContentWhenAllServersServeIt) {
  const auto verdict = judge_zone(zone, healthy());
  EXPECT_EQ(verdict.status, Status::ok);
  EXPECT_EQ(verdict.finding, "example.test is served by ns1.example.test");
  EXPECT_EQ(verdict.remedy, "");
}

TEST(JudgeZone, SaysWhatItWasNotHeldAgainst) {
  auto survey = healthy();
  survey.delegated.clear();
  survey.parent_unknown = "it is a top-level domain";
  EXPECT_EQ(judge_zone(zone, survey).status, Status::ok);
  EXPECT_THAT(judge_zone(zone, survey).finding, HasSubstr("it is a top-level domain"));
}

TEST(JudgeZone, FailsForOneServerThatDoesNotServeIt) {
  auto survey = healthy();
  survey.words[1].finding = "REFUSED";
  const auto verdict = judge_zone(zone, survey);
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_EQ(verdict.finding,
            "not every name server serves example.test: ns1.example.test (192.0.2.1:53, TCP): "
            "REFUSED");
  EXPECT_THAT(verdict.remedy, HasSubstr("take them out of the NS records"));
}

TEST(JudgeZone, OnlyWarnsOfWhatThisMachineCannotAsk) {
  auto survey = healthy();
  survey.words.push_back({.server = "ns1.example.test ([2001:db8::1]:53, UDP)",
                          .finding = "network unreachable",
                          .excused = true});
  EXPECT_EQ(judge_zone(zone, survey).status, Status::warning);
}

TEST(JudgeZone, WarnsWhenParentAndZoneNameOtherServers) {
  auto survey = healthy();
  survey.own = {"ns1.example.test", "ns3.example.test"};
  survey.delegated = {"ns1.example.test", "ns2.example.test"};
  const auto verdict = judge_zone(zone, survey);
  EXPECT_EQ(verdict.status, Status::warning);
  EXPECT_EQ(verdict.finding,
            "the NS records of example.test differ: only the zone above names ns2.example.test; "
            "only the zone itself names ns3.example.test");
}

TEST(JudgeZone, FailsForAZoneThatIsNotDelegated) {
  auto survey = healthy();
  survey.undelegated = "a.nic.test (192.0.2.9:53, UDP) of the zone test says NXDOMAIN";
  const auto verdict = judge_zone(zone, survey);
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_THAT(verdict.finding, HasSubstr("says NXDOMAIN"));
  EXPECT_THAT(verdict.remedy, HasSubstr("registrar"));
}

TEST(JudgeZone, PassesOnWhyItCouldNotBeLookedAt) {
  const auto verdict = judge_zone(zone, fail(Error::Kind::not_found, "look", "nobody serves it"));
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_EQ(verdict.finding, "look: nobody serves it");
  EXPECT_THAT(verdict.remedy, HasSubstr("example.test"));
}

TEST(Join, KeepsTheWorstAndAllThatHaveIt) {
  const Verdict fine{.status = Status::ok, .finding = "fine", .remedy = {}};
  const Verdict bad{.status = Status::failed, .finding = "bad", .remedy = "mend"};
  const Verdict worse{.status = Status::failed, .finding = "worse", .remedy = "mend"};
  EXPECT_EQ(join({fine, bad, worse}),
            (Verdict{.status = Status::failed, .finding = "bad. worse", .remedy = "mend"}));
  EXPECT_EQ(join({fine, fine}), fine);
}

class JudgeCaaOf : public testing::Test {
 protected:
  JudgeCaaOf() {
    view.ca = CaName("le");
    view.directory.emplace();
    view.directory->caa_identities = {"ca.example"};
    view.account = "https://ca.example/acct/1";
    set.at = zone;
  }

  Verdict judge(std::string_view name) const {
    return judge_caa_of(Fqdn::literal(name), set, view);
  }

  CaaView view;
  dns::CaaSet set;
};

TEST_F(JudgeCaaOf, FailsWhereTheSetForbidsAndTellsWhatShouldStandWhere) {
  set.properties = {{0, "issue", "other.example"}};
  set.by = "www.example.test -> example.test";
  const auto verdict = judge("www.example.test");
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_EQ(verdict.finding,
            "by the CAA records at www.example.test -> example.test: only other.example may issue, "
            "and the CA is ca.example");
  EXPECT_EQ(verdict.remedy, "at example.test: let the set hold `0 issue \"ca.example\"`");
}

TEST_F(JudgeCaaOf, GoesByIssuewildForWildcardsAlone) {
  set.properties = {{0, "issuewild", ";"}};
  EXPECT_EQ(judge("*.example.test").status, Status::failed);
  EXPECT_EQ(judge("example.test").status, Status::ok);
}

TEST_F(JudgeCaaOf, WarnsWhereTheCaCouldNotBeAsked) {
  set.properties = {{0, "issue", "other.example"}};
  view.directory.reset();
  const auto verdict = judge("example.test");
  EXPECT_EQ(verdict.status, Status::warning);
  EXPECT_THAT(verdict.finding, HasSubstr("[ca.le] could not be asked"));
}

TEST_F(JudgeCaaOf, WarnsWhereTheCaDoesNotTellItsNameAndTellsTheNamedOnes) {
  set.properties = {{0, "issue", "other.example"}};
  view.directory->caa_identities.clear();
  const auto verdict = judge("example.test");
  EXPECT_EQ(verdict.status, Status::warning);
  EXPECT_THAT(verdict.finding, HasSubstr("only other.example may issue"));
}

TEST_F(JudgeCaaOf, FailsWhereTheLookUpFails) {
  const auto verdict = judge_caa_of(zone, fail(Error::Kind::not_found, "look", "SERVFAIL"), view);
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_THAT(verdict.remedy, HasSubstr("CAs issue nothing"));
}

TEST_F(JudgeCaaOf, IsContentWithoutRecordsAndSaysHowFarItSaw) {
  set = {};
  EXPECT_EQ(judge("example.test").finding, "no CAA record, so every CA may issue");
  set.unasked = Fqdn::literal("test");
  EXPECT_EQ(judge("example.test").status, Status::ok);
  EXPECT_THAT(judge("example.test").finding, HasSubstr("no CAA record below test"));
}

class JudgeValues : public testing::Test {
 protected:
  static std::vector<TxtValue> values(int count) {
    std::vector<TxtValue> all;
    for (int i = 0; i < count; ++i) all.emplace_back(fmt::format("value-{}", i));
    return all;
  }

  const dns::ChallengePath path{.names = {zone.challenge_name(), Fqdn::literal("x.acme.test")},
                                .origin = zone,
                                .zone = Fqdn::literal("acme.test")};
};

TEST_F(JudgeValues, TellsWhereTheNameLeadsAndWhoseValuesStandThere) {
  EXPECT_EQ(judge_values(path, {}, {}, {}).finding,
            "_acme-challenge.example.test -> x.acme.test in the zone acme.test");
  const auto foreign = judge_values(path, values(3), values(1), {});
  EXPECT_EQ(foreign.status, Status::ok);
  EXPECT_THAT(foreign.finding, HasSubstr("2 TXT values of somebody else"));
}

TEST_F(JudgeValues, WarnsOfVeryManyAndOfWhatIsLeftOver) {
  const auto many = judge_values(path, values(100), {}, {});
  EXPECT_EQ(many.status, Status::warning);
  EXPECT_THAT(many.finding, HasSubstr("100 TXT values stand there, 100 of them not ours"));
  const auto stale = judge_values(path, values(1), values(1), values(1));
  EXPECT_EQ(stale.status, Status::warning);
  EXPECT_THAT(stale.finding, HasSubstr("1 value of earlier issuances"));
}

TEST(JudgeResponder, ComparesWhereTheDelegationLeadsWithWhereItAnswers) {
  dns::ResponderOptions options;
  options.listen = {{.address = "192.0.2.1", .port = 53}};
  const DnsName name("own");
  EXPECT_EQ(judge_responder(name, options, zone, {{.address = "192.0.2.1", .port = 53}}).status,
            Status::ok);
  const auto astray = judge_responder(name, options, zone, {{.address = "192.0.2.7", .port = 53}});
  EXPECT_EQ(astray.status, Status::warning);
  EXPECT_THAT(astray.finding, AllOf(HasSubstr("192.0.2.7:53"), HasSubstr("192.0.2.1")));
  options.addresses = {"192.0.2.7"};
  EXPECT_EQ(judge_responder(name, options, zone, {{.address = "192.0.2.7", .port = 53}}).status,
            Status::ok);
  options = {};
  options.listen = {{.address = "0.0.0.0", .port = 53}};
  EXPECT_EQ(judge_responder(name, options, zone, {{.address = "192.0.2.7", .port = 53}}).status,
            Status::ok);
}

TEST(JudgeClock, ComparesBothClocksAndAllowsForTheWayBetween) {
  const Time sent = at("2026-11-24T10:00:00.900Z");
  const Time received = at("2026-11-24T10:00:02.100Z");
  const auto judge = [&](std::string_view date) { return judge_clock(sent, received, at(date)); };

  for (const auto* date : {"2026-11-24T10:00:00Z", "2026-11-24T10:00:02Z", "2026-11-24T10:00:07Z",
                           "2026-11-24T09:59:55Z"}) {
    EXPECT_EQ(judge(date).status, Status::ok) << date;
  }
  const auto behind = judge("2026-11-24T10:00:20Z");
  EXPECT_EQ(behind.status, Status::warning);
  EXPECT_EQ(behind.finding,
            "this machine says 2026-11-24T10:00:02Z, the CA 2026-11-24T10:00:20Z: this clock is "
            "17s behind");
  EXPECT_EQ(judge("2026-11-24T09:59:40Z").status, Status::warning);
  const auto year = judge("2025-11-24T10:00:00Z");
  EXPECT_EQ(year.status, Status::failed);
  EXPECT_THAT(year.finding, HasSubstr("this clock is 364d ahead"));
  EXPECT_THAT(year.remedy, HasSubstr("NTP"));
}

TEST(JudgeProfile, WantsOneThatTheCaOffers) {
  const CaName ca("le");
  CaConfig config;
  acme::Directory directory;
  directory.profiles = {{"classic", "…"}, {"tlsserver", "…"}};
  EXPECT_EQ(judge_profile(ca, config, directory).status, Status::ok);
  config.profile = "tlsserver";
  EXPECT_EQ(judge_profile(ca, config, directory).status, Status::ok);
  config.profile = "quick";
  EXPECT_EQ(judge_profile(ca, config, directory).status, Status::failed);
  EXPECT_EQ(judge_profile(ca, config, directory).finding,
            "the CA offers no profile \"quick\"; it offers classic, tlsserver");
}

TEST(JudgeAccount, TellsWhetherAnOrderWillHaveOne) {
  const CaName ca("le");
  CaConfig config;
  config.directory = "https://ca.example/directory";
  acme::Directory directory;
  directory.terms_of_service = "https://ca.example/terms";

  const auto terms = judge_account(ca, config, directory, std::nullopt);
  EXPECT_EQ(terms.status, Status::failed);
  EXPECT_THAT(terms.remedy, HasSubstr("terms_of_service_agreed = true under [ca.le]"));

  config.terms_of_service_agreed = true;
  EXPECT_EQ(judge_account(ca, config, directory, std::nullopt).status, Status::ok);

  directory.external_account_required = true;
  EXPECT_THAT(judge_account(ca, config, directory, std::nullopt).remedy, HasSubstr("eab"));
  config.eab.emplace();
  EXPECT_EQ(judge_account(ca, config, directory, std::nullopt).status, Status::ok);

  Account account;
  account.directory = config.directory;
  account.url = AccountUrl("https://ca.example/acct/1");
  account.status = "valid";
  EXPECT_EQ(judge_account(ca, config, directory, account).finding,
            "account https://ca.example/acct/1");
  account.status = "deactivated";
  EXPECT_EQ(judge_account(ca, config, directory, account).status, Status::failed);
  account.directory = "https://other.example/directory";
  EXPECT_THAT(judge_account(ca, config, directory, account).finding,
              HasSubstr("belongs to https://other.example/directory"));
}

}  // namespace
}  // namespace certherd::app

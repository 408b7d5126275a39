#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>

#include "end_to_end.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

/// The commands that speak to a CA, besides issuing.
class CaCommands : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 4});
    add_inventory();
  }
};

TEST_F(CaCommands, ConfigCheckTriesEachSystemAndMakesNoAccount) {
  const auto checked = run({"--json", "config", "check"});
  EXPECT_EQ(checked.status, 0) << checked.err;
  std::set<std::string> sections;
  const auto document = checked.json();
  for (const auto& check : document.at("checks").as_array()) {
    EXPECT_EQ(check.at("ok"), true) << check;
    sections.emplace(check.at("section").as_string());
  }
  EXPECT_THAT(sections, testing::IsSupersetOf({"ca.pebble", "vault.files", "target.nginx"}));
  EXPECT_EQ(run({"account", "show"}).status, 2);
}

TEST_F(CaCommands, RegisteringAgainFindsTheSameAccount) {
  const auto first = run({"--json", "account", "register"});
  EXPECT_EQ(first.status, 0) << first.err;
  const auto again = run({"--json", "account", "register"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(first.json().at("account"), again.json().at("account"));
  EXPECT_EQ(first.json().at("thumbprint"), again.json().at("thumbprint"));
  EXPECT_EQ(run({"account", "register", "--ca", "moon"}).status, 2);
}

TEST_F(CaCommands, NothingIsRegisteredBeforeTheTermsAreAgreedTo) {
  configure("terms_of_service_agreed = true", "terms_of_service_agreed = false");
  const auto refused = run({"account", "register"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("terms_of_service_agreed"));
  const auto issued = run({"issue", "--all"});
  EXPECT_EQ(issued.status, 1) << issued.err;
  EXPECT_THAT(issued.err, HasSubstr("terms_of_service_agreed"));
}

TEST_F(CaCommands, WithTheCaAwayEachDomainFailsByItsName) {
  loop().run(stage_->strike());
  const auto checked = run({"config", "check"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.out, HasSubstr("ca.pebble"));
  const auto issued = run({"--json", "issue", "site-0001.fleet.test"});
  EXPECT_EQ(issued.status, 1) << issued.err;
  const auto document = issued.json();
  const auto& result = document.at("results").at(0);
  EXPECT_EQ(result.at("outcome").as_string(), "failed") << result;
  EXPECT_EQ(result.at("error").at("kind").as_string(), "transient") << result;
}

TEST_F(CaCommands, QuietSaysNothingButResults) {
  const auto issued = run({"--quiet", "issue", "site-0001.fleet.test", "site-0002.fleet.test"});
  EXPECT_EQ(issued.status, 0);
  EXPECT_THAT(issued.err, IsEmpty());
  EXPECT_THAT(issued.out, HasSubstr("2 issued · 0 current · 0 deferred · 0 failed"));
}

TEST_F(CaCommands, IssueAsksForANewCertificateAlsoWhenNothingIsDue) {
  const auto first = run({"--json", "issue", "site-0001.fleet.test"});
  ASSERT_EQ(first.status, 0) << first.err;
  const auto second = run({"--json", "issue", "site-0001.fleet.test"});
  ASSERT_EQ(second.status, 0) << second.err;
  const auto before = first.json();
  const auto after = second.json();
  EXPECT_NE(before.at("results").at(0).at("serial"), after.at("results").at(0).at("serial"));
  const auto shown = run({"--json", "cert", "show", "site-0001.fleet.test"}).json();
  EXPECT_EQ(shown.at("serial"), after.at("results").at(0).at("serial"));
  const auto all = run({"--json", "cert", "list", "--all"}).json();
  EXPECT_EQ(all.at("certificates").as_array().size(), 2U);
}

TEST_F(CaCommands, SigtermDrainsAndTheNextRunTakesUpTheRest) {
  auto program = start({"--json", "run", "--once"});
  ASSERT_TRUE(eventually(loop(), 1min, [&] {
    return !program->running() || !read_pebble_log(pebble_log()).placed.empty();
  }));
  program->send(SIGTERM);
  const auto drained = program->wait(20s);
  EXPECT_EQ(drained.status, 0) << drained.err;
  (void)drained.json();
  const auto rest = run({"run", "--once"});
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 4U);
}

}  // namespace
}  // namespace certherd::e2e

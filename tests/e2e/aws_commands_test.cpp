#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "app/create.hpp"
#include "aws_stage.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

class AwsCommands : public OnAwsStage {
 protected:
  void SetUp() override {
    set_aws_stage();
    if (HasFatalFailure()) return;
    ids_ = make_zones({{.name = "good.test"},
                       {.name = "good.test", .comment = "not delegated"},
                       {.name = "good.test", .is_private = true},
                       {.name = "stray.test", .comment = "delegated to ns1.good.test"}});
  }

  std::vector<std::string> ids_;
};

TEST_F(AwsCommands, ZonesBecomeDomainsAndTheDoctorSeesWhereTheyAreDelegated) {
  const auto proposed = run({"--json", "domain", "discover"});
  ASSERT_EQ(proposed.status, 0) << proposed.err;
  const auto document = proposed.json();
  EXPECT_EQ(document.at("added"), false);
  std::map<std::string, std::string> zones;
  for (const auto& each : document.at("proposed").as_array()) {
    zones[std::string(each.at("domain").as_string())] = each.at("zone_id").as_string();
  }
  EXPECT_EQ(zones,
            (std::map<std::string, std::string>{{"good.test", ids_[0]}, {"stray.test", ids_[3]}}));
  ASSERT_THAT(document.at("passed_over").as_array(), SizeIs(1)) << document;
  EXPECT_EQ(document.at("passed_over").at(0).at("zone_id").as_string(), ids_[1]);

  ASSERT_EQ(run({"domain", "discover", "--wildcard", "--add"}).status, 0);
  const auto doctor = run({"--json", "doctor"});
  EXPECT_EQ(doctor.status, 1) << doctor.err;
  const auto found = doctor.json();
  EXPECT_EQ(found.at("summary").at("domains"),
            json::value({{"ok", 1}, {"warning", 0}, {"failed", 1}}))
      << doctor.out;
  for (const auto& check : found.at("checks").as_array()) {
    if (check.at("domain").is_null() || check.at("domain").as_string() != "stray.test") continue;
    if (check.at("status").as_string() != "failed") continue;
    EXPECT_THAT(std::string(check.at("finding").as_string()),
                AllOf(HasSubstr("ns1.good.test"), HasSubstr(ids_[3])));
  }
  EXPECT_EQ(texts(), Texts()) << "the doctor leaves nothing behind";
}

TEST_F(AwsCommands, ABundleIsOneSecretWithAllParts) {
  configure("type = \"aws-secrets-manager\"",
            "type = \"aws-secrets-manager\"\nlayout = \"bundle\"");
  ASSERT_EQ(run({"domain", "add", "*.good.test", "--name", "good.test"}).status, 0);
  const auto issued = run({"--json", "issue", "*.good.test"});
  ASSERT_EQ(issued.status, 0) << issued.err;
  const auto renewed = run({"--json", "issue", "*.good.test"});
  ASSERT_EQ(renewed.status, 0) << renewed.err;

  const auto domains = secrets();
  ASSERT_THAT(domains, SizeIs(1));
  const auto& bundle = domains.at("_wildcard.good.test");
  EXPECT_EQ(bundle.at("secrets"), 1);
  EXPECT_THAT(bundle.at("faults").as_array(), SizeIs(0)) << bundle;
  EXPECT_THAT(bundle.at("sets").as_object(), SizeIs(2)) << bundle;
  const auto& current = bundle.at("sets").at(bundle.at("current").as_string());
  EXPECT_EQ(current.at("serial"), renewed.json().at("results").at(0).at("serial"));
}

TEST_F(AwsCommands, AnotherMachineTakesTheAccountFromTheVault) {
  configure("[ca.pebble]\n", "[ca.pebble]\naccount_vault = \"aws\"\n");
  const auto first = run({"--json", "account", "register"});
  ASSERT_EQ(first.status, 0) << first.err;

  // Another store under another seal key.
  const auto created = app::create_folder(path("other"), content_of(path("certherd.toml")));
  ASSERT_TRUE(created) << created.error().message();
  write_file(path("other") / "pebble-https-root.pem", pebble().trust_pem());
  const std::vector<std::string> other = {"--config", "other/certherd.toml", "--json"};
  const auto on_other = [&](std::vector<std::string> words) {
    words.insert(words.begin(), other.begin(), other.end());
    return run(std::move(words));
  };
  ASSERT_EQ(on_other({"domain", "add", "good.test"}).status, 0);
  const auto issued = on_other({"issue", "good.test"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  const auto second = on_other({"account", "show"});
  ASSERT_EQ(second.status, 0) << second.err;
  for (const auto* member : {"account", "thumbprint"}) {
    EXPECT_EQ(second.json().at(member), first.json().at(member));
  }
}

}  // namespace
}  // namespace certherd::e2e

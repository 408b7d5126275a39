#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;

std::map<std::string, json::value> by_domain(const json::value& document) {
  std::map<std::string, json::value> results;
  for (const auto& result : document.at("results").as_array()) {
    results.emplace(result.at("domain").as_string(), result);
  }
  return results;
}

class FailingDomains : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 5, .domain_blocklist = {"blocked.fleet.test"}});
    add_inventory();
    const auto imported = run({"domain", "import", "-"},
                              "domain,names\n"
                              "blocked.fleet.test,\n"
                              "half.fleet.test,www.blocked.fleet.test\n"
                              "lost.nowhere.test,\n");
    ASSERT_EQ(imported.status, 0) << imported.err;
  }
};

TEST_F(FailingDomains, DoNotHoldUpTheOthersAndKeepTheCasOwnWords) {
  const auto ended = run({"--json", "run", "--once"});
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto document = ended.json();
  EXPECT_EQ(document.at("summary").at("issued"), 5);
  EXPECT_EQ(document.at("summary").at("failed"), 3);

  auto results = by_domain(document);
  for (const auto* name : {"blocked.fleet.test", "half.fleet.test"}) {
    const auto& result = results[name];
    EXPECT_EQ(result.at("outcome").as_string(), "failed") << result;
    EXPECT_TRUE(result.at("serial").is_null());
    const auto& error = result.at("error");
    EXPECT_EQ(error.at("kind").as_string(), "rejected") << error;
    EXPECT_EQ(error.at("problem").at("type").as_string(),
              "urn:ietf:params:acme:error:rejectedIdentifier");
    const std::string words(error.at("problem").at("detail").as_string());
    EXPECT_THAT(words, HasSubstr("blocked.fleet.test"));
    EXPECT_THAT(ended.err, HasSubstr(words));
  }
  const auto& lost = results["lost.nowhere.test"];
  EXPECT_EQ(lost.at("outcome").as_string(), "failed") << lost;
  EXPECT_THAT(json::serialize(lost.at("error")), HasSubstr("nowhere.test"));

  const auto shown = run({"--json", "domain", "show", "blocked.fleet.test"}).json();
  EXPECT_EQ(shown.at("state").as_string(), "failing");
  EXPECT_EQ(shown.at("last_error").at("kind").as_string(), "rejected");
  EXPECT_EQ(
      run({"--json", "domain", "show", "site-0003.fleet.test"}).json().at("state").as_string(),
      "ok");

  // Put off by now: neither tried again at once, nor called done.
  const auto again = run({"--json", "run", "--once"});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(again.json().at("summary"),
            json::value({{"issued", 0}, {"current", 5}, {"deferred", 3}, {"failed", 0}}));

  const auto table = run({"domain", "list"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("failing"), HasSubstr("forbidden domain")));
}

class ManyNames : public OnStage {};

TEST_F(ManyNames, ApexAndWildcardShareOneRecordAndOneCertificate) {
  set_stage({.domains = 1});
  auto inventory = content_of(path("inventory.csv"));
  const auto endpoints = inventory.substr(inventory.find(',', inventory.find('\n')));
  ASSERT_EQ(run({"domain", "import", "-"},
                "domain,names,endpoints\n"
                "site-0001.fleet.test,*.site-0001.fleet.test www.site-0001.fleet.test" +
                    endpoints.substr(0, endpoints.rfind(',')) + "\n")
                .status,
            0);
  const auto issued = run({"--json", "issue", "site-0001.fleet.test"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  const auto document = issued.json();
  const auto& result = document.at("results").at(0);
  EXPECT_EQ(result.at("names").as_array().size(), 3U);
  EXPECT_EQ(result.at("served"), true);
}

}  // namespace
}  // namespace certherd::e2e

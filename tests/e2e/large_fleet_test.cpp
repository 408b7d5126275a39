#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <chrono>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class LargeFleet : public OnStage {
 protected:
  /// The rows of the demo's inventory without their header, as name, endpoint and owner.
  std::vector<std::string> inventory_rows() const {
    std::vector<std::string> rows;
    auto text = content_of(path("inventory.csv"));
    std::size_t begin = text.find('\n') + 1;
    while (begin < text.size()) {
      const auto end = text.find('\n', begin);
      rows.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return rows;
  }

  /// Runs `issue --all` and gives its document; how long it took is in took_.
  json::value issue_all(int expected_status) {
    const Time begin = loop().clock().now();
    const auto ended = Program(loop(), call({"--json", "issue", "--all"})).wait(5min);
    took_ = loop().clock().now() - begin;
    EXPECT_EQ(ended.status, expected_status) << ended.err;
    errors_ = ended.err;
    return ended.json();
  }

  Duration took_{};
  std::string errors_;
};

// Half of all nonces are refused, half of the authorizations are valid already, chains have two
// intermediates, and the CA takes its time before it looks.
TEST_F(LargeFleet, IsIssuedByACaInItsWorstMood) {
  constexpr std::size_t domains = 50;
  constexpr std::size_t wildcards = 10;
  set_stage({.domains = domains,
             .environment = {{"PEBBLE_WFE_NONCEREJECT", "50"},
                             {"PEBBLE_AUTHZREUSE", "50"},
                             {"PEBBLE_CHAIN_LENGTH", "2"},
                             {"PEBBLE_VA_NOSLEEP", "0"}}});
  std::string inventory = "domain,endpoints,owner,names\n";
  const auto rows = inventory_rows();
  ASSERT_EQ(rows.size(), domains);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto name = rows[i].substr(0, rows[i].find(','));
    inventory += rows[i] + (i < wildcards ? ",*." + name : ",") + "\n";
  }
  const auto imported = run({"domain", "import", "-"}, inventory);
  ASSERT_EQ(imported.status, 0) << imported.err;

  // Only the second time there are authorizations that could be valid already.
  for (const auto* time : {"first", "second"}) {
    const auto document = issue_all(0);
    EXPECT_EQ(document.at("summary"),
              json::value({{"issued", domains}, {"current", 0}, {"deferred", 0}, {"failed", 0}}))
        << time << errors_;
    std::size_t with_wildcard = 0;
    for (const auto& result : document.at("results").as_array()) {
      EXPECT_EQ(result.at("served"), true) << result;
      if (result.at("names").as_array().size() == 2) ++with_wildcard;
    }
    EXPECT_EQ(with_wildcard, wildcards);
  }
  // Leaf and two intermediates.
  const auto chain = content_of(path("vault") / "site-0001.fleet.test" / "fullchain.pem");
  std::size_t certificates = 0;
  for (auto at = chain.find("BEGIN CERTIFICATE"); at != std::string::npos;
       at = chain.find("BEGIN CERTIFICATE", at + 1)) {
    ++certificates;
  }
  EXPECT_EQ(certificates, 3U) << chain;
}

TEST_F(LargeFleet, LosesNoTimeWithDomainsThatCannotBeIssued) {
  constexpr int healthy = 90;
  constexpr int blocked = 5;
  constexpr int lost = 5;
  std::vector<std::string> blocklist;
  std::string doomed = "domain\n";
  for (int i = 1; i <= blocked; ++i) {
    blocklist.push_back(fmt::format("blocked-{}.fleet.test", i));
    doomed += blocklist.back() + "\n";
  }
  for (int i = 1; i <= lost; ++i) doomed += fmt::format("www.lost-{}.test\n", i);
  set_stage({.domains = healthy, .domain_blocklist = blocklist});
  add_inventory();

  EXPECT_EQ(issue_all(0).at("summary").at("issued"), healthy);
  const auto healthy_took = took_;

  const auto imported = run({"domain", "import", "-"}, doomed);
  ASSERT_EQ(imported.status, 0) << imported.err;
  const auto document = issue_all(1);
  EXPECT_LT(took_, healthy_took + 1min);
  EXPECT_EQ(
      document.at("summary"),
      json::value(
          {{"issued", healthy}, {"current", 0}, {"deferred", 0}, {"failed", blocked + lost}}));

  for (const auto& result : document.at("results").as_array()) {
    const std::string name(result.at("domain").as_string());
    if (result.at("outcome").as_string() == "issued") continue;
    const auto& error = result.at("error");
    const std::string detail(error.at("detail").as_string());
    if (name.starts_with("blocked-")) {
      // The CA's own words.
      EXPECT_EQ(error.at("problem").at("type").as_string(),
                "urn:ietf:params:acme:error:rejectedIdentifier");
      const std::string words(error.at("problem").at("detail").as_string());
      EXPECT_THAT(words, HasSubstr(name));
      EXPECT_THAT(detail, HasSubstr(words));
    } else {
      // What we found: the name, the servers that were asked, and what each answered.
      EXPECT_THAT(detail, AllOf(HasSubstr("_acme-challenge." + name), HasSubstr("127.0.0.1:"),
                                HasSubstr("REFUSED")))
          << error;
    }
    EXPECT_THAT(errors_, HasSubstr(detail));
  }
}

}  // namespace
}  // namespace certherd::e2e

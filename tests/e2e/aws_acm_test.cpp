#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "aws_stage.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::SizeIs;

constexpr int domains = 5;

/// Wildcards without endpoints are not proven: nobody serves them here.
std::string domain_name(int number) { return fmt::format("*.site-{}.acm.test", number); }

/// As tags and folders spell a domain.
std::string spelled(std::string_view name) { return fmt::format("_wildcard{}", name.substr(1)); }

std::string text(const json::value& value) { return std::string(value.as_string()); }

class AwsAcm : public OnAwsStage {
 protected:
  void SetUp() override {
    set_aws_stage();
    if (HasFatalFailure()) return;
    make_zones({{.name = "acm.test"}});
    configure("targets = []\n",
              "targets = [\"acm\", \"files\"]\n\n"
              "[target.acm]\ntype = \"acm\"\ntags = { team = \"web\" }\n\n"
              "[target.files]\ntype = \"files\"\npath = \"certs\"\n");
    std::string inventory = "domain,names\n";
    for (int i = 0; i < domains; ++i) {
      inventory += fmt::format("{},{}\n", domain_name(i), domain_name(i).substr(2));
    }
    const auto added = run({"domain", "import", "-"}, inventory);
    ASSERT_EQ(added.status, 0) << added.err;
  }

  /// ARN and content by domain, as tags spell it; each has one that holds what is in the files,
  /// too.
  std::map<std::string, std::pair<std::string, json::value>> by_domain() {
    std::map<std::string, std::pair<std::string, json::value>> found;
    for (const auto& [arn, certificate] : imported()) {
      const auto name = text(certificate.at("tags").at("domain"));
      EXPECT_FALSE(found.contains(name)) << name << " has two";
      EXPECT_EQ(certificate.at("tags"),
                json::value({{"domain", name}, {"managed-by", "certherd"}, {"team", "web"}}));
      EXPECT_EQ(text(certificate.at("fullchain")),
                content_of(path("certs") / name / "fullchain.pem"));
      found.emplace(name, std::make_pair(std::string(arn), certificate));
    }
    return found;
  }
};

TEST_F(AwsAcm, FiveDomainsAreImportedAndReplacedUnderTheirArns) {
  const auto issued = run({"--json", "issue", "--all"});
  ASSERT_EQ(issued.status, 0) << issued.err << issued.out;
  const auto first = by_domain();
  ASSERT_THAT(first, SizeIs(domains));
  const auto document = issued.json();
  for (const auto& result : document.at("results").as_array()) {
    EXPECT_EQ(result.at("targets"), json::value({{"acm", "installed"}, {"files", "installed"}}));
    EXPECT_EQ(first.at(spelled(text(result.at("domain")))).second.at("serial"),
              result.at("serial"));
  }

  const auto name = domain_name(3);
  const auto key = spelled(name);
  const auto renewed = run({"--json", "issue", name});
  ASSERT_EQ(renewed.status, 0) << renewed.err << renewed.out;
  const auto second = by_domain();
  ASSERT_THAT(second, SizeIs(domains));
  EXPECT_EQ(second.at(key).first, first.at(key).first) << "another ARN";
  EXPECT_EQ(second.at(key).second.at("serial"), renewed.json().at("results").at(0).at("serial"));
  EXPECT_NE(second.at(key).second.at("serial"), first.at(key).second.at("serial"));

  const auto deployed = run({"--json", "deploy", name});
  ASSERT_EQ(deployed.status, 0) << deployed.err << deployed.out;
  EXPECT_EQ(deployed.json().at("results").at(0).at("targets"),
            json::value({{"acm", "unchanged"}, {"files", "unchanged"}}));
  EXPECT_EQ(by_domain(), second);
}

}  // namespace
}  // namespace certherd::e2e

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "aws_stage.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::SizeIs;

constexpr int zones = 20;
constexpr int domains_in_zone = 10;
constexpr int foreign_names = 10;

std::string zone_name(int zone) { return fmt::format("zone-{:02}.test", zone); }

/// The first domain of a zone is the zone itself.
std::string domain_name(int zone, int number) {
  return number == 0 ? zone_name(zone) : fmt::format("site-{}.{}", number, zone_name(zone));
}

std::string challenge_name(const std::string& domain) { return "_acme-challenge." + domain; }

std::string text(const json::value& value) { return std::string(value.as_string()); }

class AwsFleet : public OnAwsStage {
 protected:
  void SetUp() override {
    set_aws_stage();
    if (!HasFatalFailure()) make_fleet();
  }

  /// Every other zone is named by id in the inventory, and the rest is found by name, where twins
  /// of it mislead: a private one, and a public one that nobody has delegated. The last domain of
  /// each zone is led into the next zone by a CNAME.
  void make_fleet() {
    std::vector<HostedZone> wanted;
    for (int i = 0; i < zones; ++i) wanted.push_back({.name = zone_name(i)});
    for (int i = 0; i < 4; ++i) {
      wanted.push_back({.name = zone_name(2 * i + 1), .is_private = true});
      wanted.push_back({.name = zone_name(2 * i + 1), .comment = "not delegated"});
    }
    ids_ = make_zones(wanted);

    std::string inventory = "domain,names,zone_id,owner\n";
    std::vector<RecordSet> records;
    for (int i = 0; i < zones; ++i) {
      const bool named = i % 2 == 0;
      for (int k = 0; k < domains_in_zone; ++k) {
        const bool led_away = k == domains_in_zone - 1;
        const auto name = domain_name(i, k);
        inventory +=
            fmt::format("{0},*.{0},{1},team-{2}\n", name, named ? id_of(i) : std::string(), i);
        if (!led_away) continue;
        const auto target = fmt::format("{}.led.{}.", name, zone_name((i + 1) % zones));
        records.push_back({id_of(i), challenge_name(name), "CNAME", {target}});
      }
    }
    for (int i = 0; i < foreign_names; ++i) {
      const auto name = challenge_name(domain_name(i, 1));
      foreign_[name] = {fmt::format("\"of somebody else {}\"", i), R"("with \"quotes\" and \\")"};
      records.push_back({id_of(i), name, "TXT", {foreign_[name].begin(), foreign_[name].end()}});
    }
    put(records);
    const auto added = run({"domain", "import", "-"}, inventory);
    ASSERT_EQ(added.status, 0) << added.err;
  }

  const std::string& id_of(int zone) const { return ids_[static_cast<std::size_t>(zone)]; }

  std::vector<std::string> ids_;
  Texts foreign_;
};

TEST_F(AwsFleet, TwoHundredDomainsInTwentyZonesAreIssuedIntoSecretsThatFit) {
  const auto issued = run({"--json", "issue", "--all"});
  ASSERT_EQ(issued.status, 0) << issued.err << issued.out;
  EXPECT_EQ(issued.json().at("summary"),
            json::value({{"issued", 200}, {"current", 0}, {"deferred", 0}, {"failed", 0}}));

  auto domains = secrets();
  EXPECT_THAT(domains, SizeIs(200));
  const auto document = issued.json();
  for (const auto& result : document.at("results").as_array()) {
    const auto name = text(result.at("domain"));
    ASSERT_TRUE(domains.contains(name)) << name;
    const auto& held = domains.at(name);
    EXPECT_EQ(held.at("secrets"), 3) << name;
    EXPECT_THAT(held.at("faults").as_array(), SizeIs(0)) << held;
    ASSERT_TRUE(held.at("current").is_string()) << held;
    ASSERT_THAT(held.at("sets").as_object(), SizeIs(1)) << held;
    const auto& set = held.at("sets").at(held.at("current").as_string());
    EXPECT_EQ(set.at("names"), json::value({"*." + name, name}));
    EXPECT_EQ(set.at("serial"), result.at("serial"));
    for (const auto& [part, tags] : held.at("tags").as_object()) {
      EXPECT_EQ(tags.at("domain").as_string(), name);
      EXPECT_EQ(tags.at("serial"), result.at("serial"));
      EXPECT_EQ(tags.at("not_after"), result.at("not_after"));
      EXPECT_EQ(tags.at("managed-by").as_string(), "certherd");
      EXPECT_THAT(text(tags.at("owner")), testing::StartsWith("team-"));
    }
    for (const auto& [part, reference] : result.at("vault").as_object()) {
      EXPECT_THAT(text(reference), testing::StartsWith("arn:aws:secretsmanager:eu-west-1:"));
      EXPECT_THAT(text(reference), HasSubstr(fmt::format(":secret:tls/{}/{}", name, part)));
    }
  }
  EXPECT_EQ(texts(), foreign_) << "what was there before, and nothing else";

  // A renewal leaves the former set where those who ask for AWSPREVIOUS find it.
  const auto renewed_name = domain_name(1, 1);
  const auto renewed = run({"issue", renewed_name});
  EXPECT_EQ(renewed.status, 0) << renewed.err;
  const auto now = secrets().at(renewed_name).as_object();
  EXPECT_NE(now.at("current"), domains.at(renewed_name).at("current"));
  EXPECT_THAT(now.at("faults").as_array(), SizeIs(0)) << now;
  EXPECT_THAT(now.at("sets").as_object(), SizeIs(2)) << now;
  EXPECT_TRUE(
      now.at("sets").as_object().contains(domains.at(renewed_name).at("current").as_string()));
  EXPECT_EQ(texts(), foreign_);
}

}  // namespace
}  // namespace certherd::e2e

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <iostream>

#include "aws_stage.hpp"
#include "crypto/x509.hpp"
#include "fakes/issued_material.hpp"
#include "fastly_stage.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::SizeIs;

// Three hundred domains where there is a seed.
const int zones = std::getenv("CERTHERD_SEED") == nullptr ? 5 : 15;
constexpr int domains_in_zone = 20;
const int fleet_size = zones * domains_in_zone;
constexpr int kept = 60;          // domains that are renewed with the key that they have
constexpr int shared_before = 5;  // domains that share a certificate of somebody else at first

constexpr const char* token = "a-token-of-fastly";

std::string zone_name(int zone) { return fmt::format("zone-{:02}.test", zone); }

std::string domain_name(int number) {
  return fmt::format("site-{:03}.{}", number, zone_name(number % zones));
}

std::string text(const json::value& value) { return std::string(value.as_string()); }

/// Route 53 and Secrets Manager by moto, a Pebble that asks the zones' own name servers, and a
/// Fastly whose edge serves what its API was told.
class FastlyFleet : public OnAwsStage {
 protected:
  void SetUp() override {
    set_aws_stage();
    if (HasFatalFailure()) return;
    environment_["FASTLY_API_TOKEN"] = token;
    configure("targets = []\n", "targets = [\"fastly\"]\nkey = \"auto\"\n");
    configure("[defaults]\n", fmt::format("[target.fastly]\n"
                                          "type = \"fastly\"\n"
                                          "token = {{ env = \"FASTLY_API_TOKEN\" }}\n"
                                          "endpoint = \"{}\"\n"
                                          "endpoints = [\"127.0.0.1:{}\"]\n"
                                          "writes_per_hour = 100000\n\n"
                                          "[defaults]\n",
                                          stage_.url(), stage_.edge_port()));
    stage_.fastly().set_budget(100'000, true);  // as support has raised it for this customer

    std::vector<HostedZone> wanted;
    for (int i = 0; i < zones; ++i) wanted.push_back({.name = zone_name(i)});
    const auto ids = make_zones(wanted);
    std::string inventory = "domain,zone_id\n";
    for (int i = 0; i < fleet_size; ++i) {
      inventory += fmt::format("{},{}\n", domain_name(i), ids[static_cast<std::size_t>(i % zones)]);
    }
    const auto added = run({"domain", "import", "-"}, inventory);
    ASSERT_EQ(added.status, 0) << added.err;
    share_a_certificate();
  }

  /// As somebody has uploaded and activated it by hand.
  void share_a_certificate() {
    fakes::Issuer issuer(loop().clock().now());
    std::vector<std::string> names;
    for (int i = 0; i < shared_before; ++i) names.push_back(domain_name(i));
    foreign_ = stage_.fastly().put_certificate(issuer.issue(names, 0x5ea1), "shared by hand");
    for (const auto& name : names) stage_.fastly().put_activation(foreign_, name);
  }

  /// Runs it to success, and gives what it printed with the writes that it has cost.
  std::pair<json::value, int> writes_of(const std::vector<std::string>& arguments) {
    const int before = stage_.fastly().writes();
    const auto ended = run(arguments);
    EXPECT_EQ(ended.status, 0) << ended.err << ended.out;
    return {ended.status == 0 ? ended.json() : json::value(), stage_.fastly().writes() - before};
  }

  /// Each domain is active on a certificate of its own, which is the one of the result, was proven,
  /// and has its key; there is nothing else of ours.
  void expect_right(const json::value& document) {
    const auto certificates = stage_.fastly().certificates();
    std::map<std::string, std::string> active;  // certificate by domain
    for (const auto& [id, activation] : stage_.fastly().activations()) {
      active[activation.domain] = activation.certificate;
    }
    for (const auto& result : document.at("results").as_array()) {
      const auto name = text(result.at("domain"));
      ASSERT_TRUE(active.contains(name)) << name;
      const auto& certificate = certificates.at(active[name]);
      const auto serial = crypto::read_chain(certificate.blob)->front().serial;
      EXPECT_EQ(serial.text(), text(result.at("serial"))) << name;
      EXPECT_EQ(result.at("served"), true) << name;
      EXPECT_TRUE(result.at("targets").as_object().contains("fastly")) << name;
    }
    EXPECT_THAT(active, SizeIs(fleet_size));
    EXPECT_THAT(certificates, SizeIs(fleet_size + 1));  // and the one that is not ours
    EXPECT_THAT(stage_.fastly().keys(), SizeIs(fleet_size + 1));
    EXPECT_EQ(certificates.at(foreign_).name, "shared by hand");
    EXPECT_THAT(stage_.fastly().lost_tls(), SizeIs(0));
  }

  FastlyStage stage_{token, [this] { return loop().clock().now(); }};
  std::string foreign_;
};

TEST_F(FastlyFleet, AFleetIsIssuedRenewedAndProvenWithFewWrites) {
  const auto [first, first_writes] = writes_of({"--json", "issue", "--all"});
  ASSERT_FALSE(first.is_null());
  EXPECT_EQ(first.at("summary").at("issued"), fleet_size);
  expect_right(first);
  EXPECT_LE(first_writes, 3 * fleet_size);

  const auto [renewed, renewal_writes] = writes_of({"--json", "issue", "--all"});
  ASSERT_FALSE(renewed.is_null());
  EXPECT_EQ(renewed.at("summary").at("issued"), fleet_size);
  expect_right(renewed);
  EXPECT_LE(renewal_writes, 3 * fleet_size);

  configure("key = \"auto\"", "key = \"keep\"");
  std::vector<std::string> arguments = {"--json", "issue"};
  for (int i = 0; i < kept; ++i) arguments.push_back(domain_name(i));
  const auto [again, kept_writes] = writes_of(arguments);
  ASSERT_FALSE(again.is_null());
  EXPECT_EQ(again.at("summary").at("issued"), kept);
  expect_right(again);
  EXPECT_EQ(kept_writes, kept);

  const auto [idle, idle_writes] = writes_of({"--json", "run", "--once"});
  ASSERT_FALSE(idle.is_null());
  EXPECT_EQ(idle.at("summary").at("current"), fleet_size);
  EXPECT_EQ(idle_writes, 0);
  const auto [deployed, deploy_writes] = writes_of({"--json", "deploy", domain_name(0)});
  ASSERT_FALSE(deployed.is_null());
  EXPECT_EQ(deployed.at("results").at(0).at("targets"), json::value({{"fastly", "unchanged"}}));
  EXPECT_EQ(deploy_writes, 0);

  std::cout << fmt::format(
      "Fastly writes a domain: {:.3f} at first, {:.3f} at a renewal with a new key, {:.3f} with "
      "the "
      "key kept, {} with nothing to do; {} reads in all, {} handshakes at the edge\n",
      1.0 * first_writes / fleet_size, 1.0 * renewal_writes / fleet_size, 1.0 * kept_writes / kept,
      idle_writes, stage_.fastly().reads(), stage_.edge().handshakes());
}

}  // namespace
}  // namespace certherd::e2e

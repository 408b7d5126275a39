#include "fleet/report.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace certherd::fleet {
namespace {

Certificate certificate() {
  Certificate certificate;
  certificate.domain = Fqdn::literal("a.example");
  certificate.serial = Serial("0a1b");
  certificate.names = {Fqdn::literal("a.example"), Fqdn::literal("*.a.example")};
  certificate.not_before = *parse_time("2026-11-23T00:00:00Z");
  certificate.not_after = *parse_time("2027-02-21T00:00:00Z");
  certificate.vault = {.csr = "c", .private_key = "k", .fullchain = "f"};
  certificate.targets[TargetName("edge")] = Installed::unchanged;
  certificate.served = true;
  return certificate;
}

TEST(Report, HasEveryMemberOfAResult) {
  Report report;
  report.domain = Fqdn::literal("a.example");
  report.certificate = certificate();
  EXPECT_EQ(boost::json::serialize(to_json(report)),
            R"({"domain":"a.example","outcome":"issued","serial":"0a1b",)"
            R"("not_before":"2026-11-23T00:00:00Z","not_after":"2027-02-21T00:00:00Z",)"
            R"("names":["a.example","*.a.example"],)"
            R"("vault":{"csr":"c","private_key":"k","fullchain":"f"},)"
            R"("targets":{"edge":"unchanged"},"served":true,)"
            R"("revoked_at":null,"revocation_reason":null,"error":null})");
}

TEST(Report, KeepsTheProblemOfTheServerWhole) {
  Problem problem;
  problem.type = "urn:ietf:params:acme:error:rejectedIdentifier";
  problem.detail = "policy forbids it";
  problem.status = 400;
  problem.subproblems = {{.type = "t", .detail = "d", .identifier = "a.example"}};
  Report report;
  report.domain = Fqdn::literal("a.example");
  report.outcome = Outcome::failed;
  report.error.emplace();
  report.error->kind = Error::Kind::rejected;
  report.error->op = "order";
  report.error->problem = std::make_shared<Problem>(problem);
  const auto json = to_json(report);
  EXPECT_TRUE(json.at("serial").is_null());
  EXPECT_TRUE(json.at("served").is_null());
  const auto& error = json.at("error").as_object();
  EXPECT_EQ(error.at("kind"), "rejected");
  EXPECT_TRUE(error.at("retry_at").is_null());
  EXPECT_EQ(error.at("problem").at("detail"), "policy forbids it");
  EXPECT_EQ(error.at("problem").at("subproblems").as_array().front().at("identifier"), "a.example");
}

TEST(Report, IsJsonWhateverAServerSays) {
  Error error;
  error.op = "GET https://ca.example/\xff";
  error.detail = "the server leads on to \xfe\x1b";

  const auto json = to_json(error);

  EXPECT_EQ(json.at("op"), "GET https://ca.example/\uFFFD");
  EXPECT_EQ(json.at("detail"), "the server leads on to \uFFFD ");
}

TEST(Report, SurvivesTheStore) {
  Report report;
  report.domain = Fqdn::literal("a.example");
  report.certificate = certificate();
  EXPECT_EQ(parse_report(to_text(report)), to_json(report));
  EXPECT_FALSE(parse_report("[]"));
  EXPECT_FALSE(parse_report("{"));
}

}  // namespace
}  // namespace certherd::fleet

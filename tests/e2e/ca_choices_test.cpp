#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/versioned_folder.hpp"
#include "crypto/x509.hpp"
#include "end_to_end.hpp"
#include "http/curl_client.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// What an operator may choose of what a CA offers.
class ChoicesAtTheCa : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 1, .environment = {{"PEBBLE_ALTERNATE_ROOTS", "1"}}});
    add_inventory();
  }

  /// The common name of Pebble's root of that number; 0 is the default one.
  std::string root(int number) {
    const auto& pebble = stage_->pebble();
    const auto http = http::make_curl_client(
        loop(), {.user_agent = "certherd-test", .trust_pem = pebble.trust_pem()});
    http::Request request;
    request.url = pebble.management_url() + "/roots/" + std::to_string(number);
    const auto response = loop().run(http->send(request, loop().clock().now() + 10s));
    const auto chain =
        response
            ? crypto::read_chain(response->body)
            : Result<std::vector<crypto::CertificateInfo>>(tl::unexpected<Error>(response.error()));
    EXPECT_TRUE(chain) << chain.error().message();
    return chain ? chain->front().issuer : std::string();
  }

  Ended issue() { return run({"--json", "issue", "--all"}); }

  /// Up to which root the chain in the vault leads.
  static std::string root_of(const Ended& issued) {
    const auto document = issued.json();
    const auto& vault = document.at("results").at(0).at("vault");
    const std::string path(vault.at("fullchain").as_string());
    const auto pem = read_file(path, 1'000'000);
    const auto chain = crypto::read_chain(pem.value_or(""));
    return chain ? chain->back().issuer : issued.err;
  }
};

TEST_F(ChoicesAtTheCa, ThePreferredChainIsInstalledAndAMissingOneIsTold) {
  ASSERT_NE(root(0), root(1));
  EXPECT_EQ(root_of(issue()), root(0));

  configure("contact =", "preferred_chain = \"" + root(1) + "\"\ncontact =");
  const auto other = issue();
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(root_of(other), root(1));

  configure("preferred_chain = \"" + root(1), "preferred_chain = \"Nobody's Root");
  const auto missing = issue();
  EXPECT_EQ(missing.status, 0) << missing.err;
  EXPECT_EQ(root_of(missing), root(0));
  EXPECT_THAT(missing.err, HasSubstr("no chain up to \"Nobody's Root\", only " + root(0)));
  EXPECT_THAT(run({"log"}).out, HasSubstr("chain.not_offered"));
}

TEST_F(ChoicesAtTheCa, ARenewalNamesTheCertificateThatItReplaces) {
  EXPECT_EQ(issue().status, 0);
  EXPECT_THAT(read_file(pebble_log(), 10'000'000).value(), Not(HasSubstr("is a replacement of")));
  EXPECT_EQ(issue().status, 0);
  EXPECT_THAT(read_file(pebble_log(), 10'000'000).value(), HasSubstr("is a replacement of"));
}

TEST_F(ChoicesAtTheCa, TheProfileStandsOnTheOrder) {
  configure("contact =", "profile = \"default\"\ncontact =");
  EXPECT_EQ(issue().status, 0);
  EXPECT_THAT(run({"--json", "log"}).out, HasSubstr("\"profile\":\"default\""));
}

}  // namespace
}  // namespace certherd::e2e

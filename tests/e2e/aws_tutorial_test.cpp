// README's path to certificates with Route 53 and Secrets Manager, as a reader would take it. Moto
// and Pebble stand for AWS and for Let's Encrypt; all else is as the page says.

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "aws_stage.hpp"
#include "console_page.hpp"

namespace certherd::e2e {
namespace {

constexpr std::string_view heading = "## With Route 53 and Secrets Manager";
constexpr std::size_t most_lines = 10;
constexpr std::size_t read_by_hand = 1;  // with the AWS CLI, which is not here

class AwsTutorial : public OnAwsStage {
 protected:
  /// What has to be different here: the CA's address and root, and whom to ask about DNS.
  ShownCommand lead_to_the_stage() const {
    const auto port = dns_server().substr(dns_server().find(':') + 1);
    return {
        .line = fmt::format(R"(sed -i -e 's|^directory = .*|directory = "{}"\ntrust = "{}"|' )"
                            R"(-e 's|^servers = .*|servers = ["{}"]\nauthoritative_port = {}|' )"
                            R"(herd/certherd.toml)",
                            pebble().directory_url(), path("pebble-https-root.pem").string(),
                            dns_server(), port),
        .status = 0,
        .output = {}};
  }
};

TEST_F(AwsTutorial, LeadsFromNothingToACertificateInTenLines) {
  start_aws({});
  ASSERT_FALSE(HasFailure());
  make_zones({{.name = "example.com"}, {.name = "example.com", .is_private = true}});
  auto commands = commands_below(heading);
  ASSERT_FALSE(commands.empty()) << "no console block below: " << heading;
  EXPECT_LE(commands.size() + read_by_hand, most_lines);
  EXPECT_THAT(commands.front().line, testing::HasSubstr("certherd init"));
  commands.insert(commands.begin() + 1, lead_to_the_stage());

  expect_as_shown(loop(), commands, folder(), environment_);

  const auto domains = secrets();
  ASSERT_TRUE(domains.contains("example.com")) << domains;
  EXPECT_TRUE(domains.at("example.com").at("current").is_string()) << domains;
  EXPECT_EQ(texts(), Texts());
}

}  // namespace
}  // namespace certherd::e2e

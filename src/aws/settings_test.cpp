#include "aws/settings.hpp"

#include <gtest/gtest.h>

#include "aws/scripted_http_test_support.hpp"
#include "aws/shared_file.hpp"

namespace certherd::aws {
namespace {

using Kind = Error::Kind;

Result<SharedFile> parse(std::string_view text, SharedFileKind kind = SharedFileKind::config) {
  return parse_shared_file(text, kind, "/home/a/.aws/config");
}

TEST(SharedFile, ReadsProfilesAndServices) {
  const auto file = parse(
      "\xEF\xBB\xBF# a comment\r\n"
      "; another\r\n"
      "[default]\r\n"
      "region = eu-west-1 # where we are\r\n"
      "Output=json\r\n"
      "s3 =\r\n"
      "  addressing_style = path\r\n"
      "\r\n"
      "[profile ops]\n"
      "credential_process = get-keys \"a=b;c\" --x#y\n"
      "note = first\n"
      "  second\n"
      "services = local\n"
      "[ profile \"two words\" ] ; with a comment\n"
      "region = us-east-2\n"
      "[services local]\n"
      "route_53 =\n"
      "  endpoint_url = http://127.0.0.1:5000\n"
      "sts =\n"
      "\tENDPOINT_URL=http://127.0.0.1:5001\n"
      "[sso-session work]\n"
      "sso_region = us-east-1\n"
      "[unknown]\n"
      "region = nowhere\n"
      "[profile ops]\n"
      "region = eu-central-1");
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_EQ(file->profiles,
            (std::map<std::string, Profile>{
                {"default", {{"region", "eu-west-1"}, {"output", "json"}, {"s3", ""}}},
                {"ops",
                 {{"credential_process", "get-keys \"a=b;c\" --x#y"},
                  {"note", "first\nsecond"},
                  {"services", "local"},
                  {"region", "eu-central-1"}}},
                {"two words", {{"region", "us-east-2"}}}}));
  EXPECT_EQ(file->services, (std::map<std::string, std::map<std::string, Profile>>{
                                {"local",
                                 {{"route_53", {{"endpoint_url", "http://127.0.0.1:5000"}}},
                                  {"sts", {{"endpoint_url", "http://127.0.0.1:5001"}}}}}}));
}

TEST(SharedFile, TakesEverySectionOfTheCredentialsFileForAProfile) {
  const auto file =
      parse("[ops]\naws_access_key_id = A\n[profile x]\nb=c", SharedFileKind::credentials);
  EXPECT_EQ(file->profiles, (std::map<std::string, Profile>{{"ops", {{"aws_access_key_id", "A"}}},
                                                            {"profile x", {{"b", "c"}}}}));
}

TEST(SharedFile, NamesTheLineThatCannotBeReadAndShowsNothingOfIt) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"[default]\nsecret", ":2 cannot be read: it is neither a [section] nor KEY = VALUE"},
      {"secret = 1\n", ":1 cannot be read: it stands before the first [section]"},
      {"[default]\n\n[secret\n", ":3 cannot be read: a section ends in ]"},
      {"[default] secret\n", ":1 cannot be read: a section ends in ]"},
      {"[ ]\n", ":1 cannot be read: the section has no name"},
      {"[default]\n= secret\n", ":2 cannot be read: it is neither a [section] nor KEY = VALUE"},
      {"[default]\n  a = secret\n",
       ":2 cannot be read: it is indented, but there is no key above to which it could belong"},
      {"[services a]\nsts =\n  secret\n", ":3 cannot be read: it is not KEY = VALUE"}};
  for (const auto& [text, words] : rows) {
    const auto file = parse(text);
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().kind, Kind::misconfigured);
    EXPECT_EQ(file.error().message(), "read the settings for AWS: /home/a/.aws/config" + words);
  }
}

class SettingsTest : public ScriptedAws {
 protected:
  std::string message_of(const SectionOptions& options = {}) {
    auto settings = load(options);
    return settings ? "no error" : settings.error().message();
  }
  std::string endpoint_of(Service service, const SectionOptions& options = {}) {
    auto url = load(options).value().endpoint(service);
    return url ? *url : url.error().message();
  }
};

TEST_F(SettingsTest, NeedNeitherFilesNorVariables) {
  environment.clear();
  const auto settings = load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->profile, "default");
  EXPECT_FALSE(settings->profile_is_chosen);
  EXPECT_EQ(settings->region, "");
  EXPECT_EQ(settings->max_attempts, 3);
  EXPECT_TRUE(settings->endpoints.empty());
  EXPECT_TRUE(settings->ca_bundle.empty());
}

TEST_F(SettingsTest, TakeTheFilesFromWhereTheVariablesSay) {
  environment["AWS_CONFIG_FILE"] = write("elsewhere", "[default]\nregion = eu-west-3\n");
  environment["AWS_SHARED_CREDENTIALS_FILE"] = "~/keys";
  write("keys", "[default]\naws_access_key_id = A\n");
  const auto settings = load();
  EXPECT_EQ(settings->region, "eu-west-3");
  EXPECT_EQ(settings->credentials.at("default").at("aws_access_key_id"), "A");
}

TEST_F(SettingsTest, LeaveAFileOutThatCannotBeRead) {
  std::filesystem::create_directories(home / ".aws/config");
  EXPECT_TRUE(load());
}

TEST_F(SettingsTest, NameTheFileAndLineThatIsWrong) {
  write_credentials("[default]\nnonsense\n");
  EXPECT_EQ(message_of(), "read the settings for AWS: " + (home / ".aws/credentials").string() +
                              ":2 cannot be read: it is neither a [section] nor KEY = VALUE");
}

TEST_F(SettingsTest, TakeTheRegionOfSectionThenEnvironmentThenProfile) {
  write_config("[default]\nregion = r4\n[profile ops]\nregion = r5\n");
  EXPECT_EQ(load()->region, "r4");
  EXPECT_EQ(load({.profile = "ops"})->region, "r5");
  environment["AWS_DEFAULT_REGION"] = "r3";
  EXPECT_EQ(load()->region, "r3");
  environment["AWS_REGION"] = "r2";
  EXPECT_EQ(load()->region, "r2");
  EXPECT_EQ(load({.region = "r1"})->region, "r1");
}

TEST_F(SettingsTest, TakeTheProfileOfSectionThenEnvironment) {
  write_config("[profile a]\n[profile b]\n[profile c]\n");
  environment["AWS_DEFAULT_PROFILE"] = "c";
  EXPECT_EQ(load()->profile, "c");
  environment["AWS_PROFILE"] = "b";
  EXPECT_EQ(load()->profile, "b");
  EXPECT_FALSE(load()->profile_is_chosen);
  EXPECT_EQ(load({.profile = "a"})->profile, "a");
  EXPECT_TRUE(load({.profile = "a"})->profile_is_chosen);
}

TEST_F(SettingsTest, RefuseAProfileThatIsInNeitherFile) {
  const auto files = " is \"x\", but no such profile is in " + (home / ".aws/config").string() +
                     " or " + (home / ".aws/credentials").string();
  EXPECT_EQ(message_of({.profile = "x"}),
            "read the settings for AWS: `profile` in the config" + files);
  environment["AWS_PROFILE"] = "x";
  EXPECT_EQ(message_of(), "read the settings for AWS: AWS_PROFILE" + files);
  EXPECT_EQ(load().error().kind, Kind::misconfigured);
}

TEST_F(SettingsTest, RefuseValuesThatAreNone) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"AWS_REGION", "eu.west"},
      {"AWS_REGION", "EU-WEST-1"},
      {"AWS_MAX_ATTEMPTS", "0"},
      {"AWS_MAX_ATTEMPTS", "many"},
      {"AWS_MAX_ATTEMPTS", "1000"},
      {"AWS_USE_FIPS_ENDPOINT", "yes"},
      {"AWS_USE_DUALSTACK_ENDPOINT", "1"},
      {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "x"},
      {"AWS_ENDPOINT_URL", "nonsense"},
      {"AWS_ENDPOINT_URL", "http://192.0.2.1:5000"},
      {"AWS_ENDPOINT_URL_STS", "https://a.example/?x"}};
  for (const auto& [name, value] : rows) {
    environment[name] = value;
    const auto settings = load();
    ASSERT_FALSE(settings) << name << " " << value;
    EXPECT_EQ(settings.error().kind, Kind::misconfigured);
    EXPECT_NE(settings.error().message().find(name), std::string::npos)
        << settings.error().message();
    environment.erase(name);
  }
}

TEST_F(SettingsTest, TakeWhatElseAProfileSays) {
  write_config(
      "[default]\nca_bundle = /etc/roots.pem\nmax_attempts = 5\nuse_fips_endpoint = TRUE\n"
      "use_dualstack_endpoint = false\n");
  const auto settings = load();
  EXPECT_EQ(settings->ca_bundle, "/etc/roots.pem");
  EXPECT_EQ(settings->max_attempts, 5);
  EXPECT_TRUE(settings->use_fips);
  EXPECT_FALSE(settings->use_dual_stack);
  environment["AWS_CA_BUNDLE"] = "/other.pem";
  environment["AWS_MAX_ATTEMPTS"] = "2";
  EXPECT_EQ(load()->ca_bundle, "/other.pem");
  EXPECT_EQ(load()->max_attempts, 2);
}

TEST_F(SettingsTest, TakeEndpointsInTheOrderOfTheSdks) {
  write_config(
      "[default]\nendpoint_url = https://e5.example\nservices = s\n"
      "[services s]\nroute_53 =\n  endpoint_url = https://e4.example/\n");
  EXPECT_EQ(endpoint_of(Service::route53), "https://e4.example");
  EXPECT_EQ(endpoint_of(Service::secrets_manager), "https://e5.example");
  environment["AWS_ENDPOINT_URL"] = "https://e3.example/base//";
  EXPECT_EQ(endpoint_of(Service::route53), "https://e3.example/base");
  EXPECT_EQ(endpoint_of(Service::sts), "https://e3.example/base");
  environment["AWS_ENDPOINT_URL_ROUTE_53"] = "http://127.0.0.1:5000";
  environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://127.0.0.1:5001";
  environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:5002";
  environment["AWS_ENDPOINT_URL_ACM"] = "http://127.0.0.1:5003";
  EXPECT_EQ(endpoint_of(Service::route53), "http://127.0.0.1:5000");
  EXPECT_EQ(endpoint_of(Service::secrets_manager), "http://127.0.0.1:5001");
  EXPECT_EQ(endpoint_of(Service::sts), "http://127.0.0.1:5002");
  EXPECT_EQ(endpoint_of(Service::acm), "http://127.0.0.1:5003");
  const SectionOptions own = {.endpoint = "https://e1.example"};
  EXPECT_EQ(endpoint_of(Service::route53, own), "https://e1.example");
  EXPECT_EQ(endpoint_of(Service::sts, own), "http://127.0.0.1:5002");
  environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(endpoint_of(Service::route53, own), "https://e1.example");
  EXPECT_EQ(endpoint_of(Service::sts, own), "https://sts.amazonaws.com");
}

TEST_F(SettingsTest, KnowTheEndpointsAndRegionsOfEachPartition) {
  struct Row {
    std::string region, route53, route53_region, secrets_manager, acm, sts;
  };
  for (const auto& row : std::vector<Row>{
           {"eu-west-1", "https://route53.amazonaws.com", "us-east-1",
            "https://secretsmanager.eu-west-1.amazonaws.com", "https://acm.eu-west-1.amazonaws.com",
            "https://sts.eu-west-1.amazonaws.com"},
           {"cn-north-1", "https://route53.amazonaws.com.cn", "cn-northwest-1",
            "https://secretsmanager.cn-north-1.amazonaws.com.cn",
            "https://acm.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1.amazonaws.com.cn"},
           {"us-gov-east-1", "https://route53.us-gov.amazonaws.com", "us-gov-west-1",
            "https://secretsmanager.us-gov-east-1.amazonaws.com",
            "https://acm.us-gov-east-1.amazonaws.com", "https://sts.us-gov-east-1.amazonaws.com"},
           {"eusc-de-east-1", "https://route53.amazonaws.eu", "eusc-de-east-1",
            "https://secretsmanager.eusc-de-east-1.amazonaws.eu",
            "https://acm.eusc-de-east-1.amazonaws.eu",
            "https://sts.eusc-de-east-1.amazonaws.eu"}}) {
    environment["AWS_REGION"] = row.region;
    const auto settings = *load();
    EXPECT_EQ(*settings.endpoint(Service::route53), row.route53);
    EXPECT_EQ(*settings.signing_region(Service::route53), row.route53_region);
    EXPECT_EQ(*settings.endpoint(Service::secrets_manager), row.secrets_manager);
    EXPECT_EQ(*settings.signing_region(Service::secrets_manager), row.region);
    EXPECT_EQ(*settings.endpoint(Service::acm), row.acm);
    EXPECT_EQ(*settings.signing_region(Service::acm), row.region);
    EXPECT_EQ(*settings.endpoint(Service::sts), row.sts);
    EXPECT_EQ(*settings.signing_region(Service::sts), row.region);
  }
}

TEST_F(SettingsTest, NeedARegionForSecretsManagerAlone) {
  const auto settings = *load();
  EXPECT_EQ(*settings.endpoint(Service::route53), "https://route53.amazonaws.com");
  EXPECT_EQ(*settings.signing_region(Service::route53), "us-east-1");
  EXPECT_EQ(*settings.endpoint(Service::sts), "https://sts.amazonaws.com");
  EXPECT_EQ(*settings.signing_region(Service::sts), "us-east-1");
  const auto missing = settings.endpoint(Service::secrets_manager);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, Kind::misconfigured);
  EXPECT_EQ(missing.error().message(),
            "find the endpoint of Secrets Manager: no region is named: set `region` in the config, "
            "AWS_REGION, or region in the profile");
}

TEST_F(SettingsTest, KnowEndpointsWithFipsAndIpv6) {
  environment["AWS_REGION"] = "us-east-2";
  environment["AWS_USE_FIPS_ENDPOINT"] = "true";
  EXPECT_EQ(endpoint_of(Service::route53), "https://route53-fips.amazonaws.com");
  EXPECT_EQ(endpoint_of(Service::sts), "https://sts-fips.us-east-2.amazonaws.com");
  environment["AWS_USE_DUALSTACK_ENDPOINT"] = "true";
  EXPECT_EQ(endpoint_of(Service::sts), "https://sts-fips.us-east-2.api.aws");
  EXPECT_EQ(endpoint_of(Service::route53),
            "find the endpoint of Route 53: there is none with IPv6 in us-east-2: set `endpoint`, "
            "or do not ask for that");
  environment.erase("AWS_USE_FIPS_ENDPOINT");
  EXPECT_EQ(endpoint_of(Service::route53), "https://route53.global.api.aws");
  EXPECT_EQ(endpoint_of(Service::secrets_manager), "https://secretsmanager.us-east-2.api.aws");
  EXPECT_EQ(endpoint_of(Service::acm), "https://acm.us-east-2.api.aws");
  environment.erase("AWS_USE_DUALSTACK_ENDPOINT");
  environment["AWS_USE_FIPS_ENDPOINT"] = "true";
  EXPECT_EQ(endpoint_of(Service::acm), "https://acm-fips.us-east-2.amazonaws.com");
  environment["AWS_REGION"] = "us-gov-west-1";
  EXPECT_EQ(endpoint_of(Service::acm), "https://acm.us-gov-west-1.amazonaws.com");
}

}  // namespace
}  // namespace certherd::aws

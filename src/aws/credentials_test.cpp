#include <gtest/gtest.h>

#include <map>

#include "aws/scripted_http_test_support.hpp"
#include "aws/words.hpp"
#include "runtime/task_group.hpp"

namespace certherd::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto* sts = "https://sts.amazonaws.com/";
constexpr auto* metadata = "http://169.254.169.254";

/// What STS hands out.
http::Response assumed(const std::string& operation, const std::string& id,
                       const std::string& until) {
  return answer(200, "<" + operation +
                         "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" +
                         operation + "Result><Credentials><AccessKeyId>" + id +
                         "</AccessKeyId><SecretAccessKey>secret of " + id +
                         "</SecretAccessKey><SessionToken>token of " + id +
                         "</SessionToken><Expiration>" + until + "</Expiration></Credentials></" +
                         operation + "Result></" + operation + "Response>");
}

/// What metadata services hand out.
http::Response handed_out(const std::string& id, const std::string& until) {
  return answer(200, R"({"Code": "Success", "AccessKeyId": ")" + id +
                         R"(", "SecretAccessKey": "s",)" + R"( "Token": "token of )" + id +
                         R"(", "Expiration": ")" + until + R"("})");
}

class CredentialsTest : public ScriptedAws {
 protected:
  /// The key's id, or why there is none.
  std::string id(const SectionOptions& options = {}) {
    // A session of its own: nothing is kept from one to the next.
    auto settings = load(options);
    if (!settings) return settings.error().message();
    Session own(*loop, *offload, random, http, std::move(*settings));
    auto found = run(own.credentials());
    if (found) last = *found;
    return found ? found->access_key_id : found.error().message();
  }

  void expect_assume_role(const std::string& key_id, std::string until = "2026-11-23T13:00:00Z") {
    http.expect(Method::post, sts, assumed("AssumeRole", key_id, until));
  }
  void expect_instance(const std::string& key_id, std::string until = "2026-11-23T18:00:00Z") {
    http.expect(Method::put, std::string(metadata) + "/latest/api/token", answer(200, "imds"));
    const auto roles = std::string(metadata) + "/latest/meta-data/iam/security-credentials/";
    http.expect(Method::get, roles, answer(200, "server-role\n"));
    http.expect(Method::get, roles + "server-role", handed_out(key_id, until));
  }
  void use_instance() { environment.erase("AWS_EC2_METADATA_DISABLED"); }
  void use_container(const std::string& url = "https://eks.example/keys") {
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
  }

  std::string key_of_last_call() const {
    const auto authorization = header_of(http.last(), "Authorization");
    const auto begin = authorization.find("Credential=");
    if (begin == std::string::npos) return authorization;
    return authorization.substr(begin + 11, authorization.find('/') - begin - 11);
  }

  std::string token_of_last() const {
    return last.session_token ? last.session_token->reveal() : "none";
  }

  Credentials last;
};

TEST_F(CredentialsTest, ComeFromTheEnvironment) {
  set_keys("AKIDENV");
  EXPECT_EQ(id(), "AKIDENV");
  EXPECT_EQ(last.secret_access_key.reveal(), "secret of AKIDENV");
  EXPECT_FALSE(last.session_token);
  set_keys("ASIAENV", "token");
  EXPECT_EQ(id(), "ASIAENV");
  EXPECT_EQ(token_of_last(), "token");
  environment["AWS_SECRET_ACCESS_KEY"] = "";
  EXPECT_EQ(id(),
            "read the AWS credentials in the environment: AWS_ACCESS_KEY_ID is set and "
            "AWS_SECRET_ACCESS_KEY is not");
}

TEST_F(CredentialsTest, ComeInTheOrderOfTheSdks) {
  set_keys("ENV");
  write_config(
      "[default]\nrole_arn = r\nsource_profile = base\naws_access_key_id = CONFIG\n"
      "aws_secret_access_key = s\nweb_identity_token_file =\n[profile base]\n");
  write_credentials(
      "[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"
      "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n");
  const auto token = write("token", "jwt\n");
  use_container();
  use_instance();
  EXPECT_EQ(id(), "ENV");

  environment.erase("AWS_ACCESS_KEY_ID");
  environment.erase("AWS_SECRET_ACCESS_KEY");
  expect_assume_role("ROLE");
  EXPECT_EQ(id(), "ROLE");

  write_config("[default]\naws_access_key_id = CONFIG\naws_secret_access_key = s\n");
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = token;
  environment["AWS_ROLE_ARN"] = "r";
  http.expect(Method::post, sts,
              assumed("AssumeRoleWithWebIdentity", "WEB", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(id(), "WEB");

  environment.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_EQ(id(), "FILE");

  write_credentials("");
  EXPECT_EQ(id(), "CONFIG");

  write_config("");
  http.expect(Method::get, "https://eks.example/keys",
              handed_out("CONTAINER", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(id(), "CONTAINER");

  environment.erase("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  expect_instance("INSTANCE");
  EXPECT_EQ(id(), "INSTANCE");
}

TEST_F(CredentialsTest, SayWhereTheyWereLookedForInVain) {
  const auto files =
      (home / ".aws/config").string() + " and " + (home / ".aws/credentials").string();
  EXPECT_EQ(id(),
            "find AWS credentials: there are none in the environment (AWS_ACCESS_KEY_ID), in "
            "profile default of " +
                files +
                ", of a container (AWS_CONTAINER_CREDENTIALS_FULL_URI), nor at "
                "http://169.254.169.254: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name "
                "a profile that has some");
  write_config("[profile empty]\n");
  EXPECT_TRUE(
      id({.profile = "empty"})
          .starts_with("find AWS credentials: there are none in profile empty of " + files));
}

TEST_F(CredentialsTest, OfTheEnvironmentDoNotCountWhereTheSectionNamesAProfile) {
  set_keys("ENV");
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = write("token", "jwt");
  environment["AWS_ROLE_ARN"] = "r";
  write_credentials(
      "[ops]\naws_access_key_id = OPS\naws_secret_access_key = s\n"
      "aws_session_token = t\n");
  EXPECT_EQ(id({.profile = "ops"}), "OPS");
  EXPECT_EQ(token_of_last(), "t");
  environment["AWS_PROFILE"] = "ops";
  EXPECT_EQ(id(), "ENV");
}

TEST_F(CredentialsTest, AreRefusedWhereAProfileHasHalfOfThem) {
  write_credentials("[default]\naws_access_key_id = A\n");
  EXPECT_EQ(id(), "read the AWS profile default in " + (home / ".aws/credentials").string() +
                      ": it has aws_access_key_id but no aws_secret_access_key");
}

TEST_F(CredentialsTest, OfARoleAreAskedForWithAllThatTheProfileSays) {
  write_config(
      "[profile ops]\nrole_arn = arn:aws:iam::1:role/ops\nsource_profile = base\n"
      "external_id = e x\nrole_session_name = herd\nduration_seconds = 3600\n"
      "region = eu-west-1\n");
  write_credentials("[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n");
  http.expect(Method::post, "https://sts.eu-west-1.amazonaws.com/",
              assumed("AssumeRole", "ROLE", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(id({.profile = "ops"}), "ROLE");
  EXPECT_EQ(http.last().body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fops&"
            "RoleSessionName=herd&ExternalId=e%20x&DurationSeconds=3600");
  EXPECT_EQ(key_of_last_call(), "BASE");
  EXPECT_NE(header_of(http.last(), "Authorization").find("/20261123/eu-west-1/sts/aws4_request"),
            std::string::npos);
  EXPECT_EQ(token_of_last(), "token of ROLE");
  EXPECT_EQ(last.expires_at, parse_time("2026-11-23T13:00:00Z"));
  EXPECT_EQ(last.source, "role arn:aws:iam::1:role/ops by profile base in " +
                             (home / ".aws/credentials").string());
}

TEST_F(CredentialsTest, OfRolesAreAssumedOneThroughTheOther) {
  write_config(
      "[default]\nrole_arn = r1\nsource_profile = middle\n"
      "[profile middle]\nrole_arn = r2\nsource_profile = self\n"
      "[profile self]\nrole_arn = r3\nsource_profile = self\n"
      "aws_access_key_id = SELF\naws_secret_access_key = s\n");
  expect_assume_role("R2");
  expect_assume_role("R1");
  EXPECT_EQ(id(), "R1");
  EXPECT_EQ(key_of_last_call(), "R2");
  expect_assume_role("R3");
  EXPECT_EQ(id({.profile = "self"}), "R3") << "a profile may be its own source when it has keys";
  EXPECT_EQ(key_of_last_call(), "SELF");
}

TEST_F(CredentialsTest, OfTheSectionsOwnRoleAreAssumedOnTop) {
  set_keys("ENV");
  expect_assume_role("TOP");
  EXPECT_EQ(id({.role_arn = "arn:aws:iam::2:role/dns"}), "TOP");
  EXPECT_EQ(key_of_last_call(), "ENV");
  http.expect(Method::post, sts, xml_error(403, "AccessDenied", "User a may not sts:AssumeRole"));
  EXPECT_EQ(id({.role_arn = "arn:aws:iam::2:role/dns"}),
            "assume role arn:aws:iam::2:role/dns: STS AssumeRole: AccessDenied: User a may not "
            "sts:AssumeRole (let its policy allow that action); signed with the credentials of the "
            "environment");
}

TEST_F(CredentialsTest, OfRolesTakeTheSourceThatTheProfileNames) {
  write_config(
      "[profile a]\nrole_arn = r\ncredential_source = Environment\n"
      "[profile b]\nrole_arn = r\ncredential_source = EcsContainer\n"
      "[profile c]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n"
      "[profile d]\nrole_arn = r\ncredential_source = Nowhere\n");
  set_keys("ENV");
  expect_assume_role("A");
  EXPECT_EQ(id({.profile = "a"}), "A");
  EXPECT_EQ(key_of_last_call(), "ENV");
  EXPECT_EQ(id({.profile = "b"}),
            "read the AWS profile b: its credential_source EcsContainer has no credentials");
  use_container();
  http.expect(Method::get, "https://eks.example/keys", handed_out("BOX", "2026-11-23T13:00:00Z"));
  expect_assume_role("B");
  EXPECT_EQ(id({.profile = "b"}), "B");
  EXPECT_EQ(key_of_last_call(), "BOX");
  use_instance();
  expect_instance("EC2");
  expect_assume_role("C");
  EXPECT_EQ(id({.profile = "c"}), "C");
  EXPECT_EQ(key_of_last_call(), "EC2");
  EXPECT_EQ(id({.profile = "d"}),
            "read the AWS profile d: credential_source is \"Nowhere\", but must be Environment, "
            "EcsContainer or Ec2InstanceMetadata");
}

TEST_F(CredentialsTest, OfRolesThatCannotWorkAreRefusedWithTheReason) {
  write_config(
      "[profile loop]\nrole_arn = r\nsource_profile = back\n"
      "[profile back]\nrole_arn = r\nsource_profile = loop\n"
      "[profile none]\nrole_arn = r\n"
      "[profile both]\nrole_arn = r\nsource_profile = a\ncredential_source = Environment\n"
      "[profile lost]\nrole_arn = r\nsource_profile = missing\n"
      "[profile empty]\nrole_arn = r\nsource_profile = nothing\n[profile nothing]\n"
      "[profile mfa]\nrole_arn = r\nsource_profile = nothing\nmfa_serial = arn:m\n"
      "[profile long]\nrole_arn = r\nsource_profile = nothing\nduration_seconds = 1h\n");
  const std::map<std::string, std::string> words = {
      {"loop", "its source_profile loop leads back to itself"},
      {"none", "beside role_arn it must name either source_profile or credential_source"},
      {"both", "beside role_arn it must name either source_profile or credential_source"},
      {"lost", "its source_profile missing does not exist"},
      {"empty", "its source_profile nothing has no credentials"},
      {"mfa",
       "its role wants the code of arn:m each time (mfa_serial), which nobody types in here: "
       "use a role without one"},
      {"long", "duration_seconds is \"1h\", but must be a number"}};
  for (const auto& [profile, why] : words) {
    const auto at = profile == "loop" ? "back" : profile;
    EXPECT_EQ(id({.profile = profile}), "read the AWS profile " + at + ": " + why);
  }
}

TEST_F(CredentialsTest, OfAWebIdentityReadItsTokenAnewAndSignNothing) {
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = write("token", "jwt.one\n");
  environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  environment["AWS_ROLE_SESSION_NAME"] = "pod";
  for (const auto* token : {"jwt.one", "jwt.two"}) {
    write("token", std::string(token) + "\n");
    http.expect(Method::post, sts,
                assumed("AssumeRoleWithWebIdentity", "WEB", "2026-11-23T13:00:00Z"));
    EXPECT_EQ(id(), "WEB");
    EXPECT_EQ(http.last().body,
              "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
              "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fpod&RoleSessionName=pod&WebIdentityToken=" +
                  std::string(token));
    EXPECT_EQ(header_of(http.last(), "Authorization"), "");
    EXPECT_EQ(header_of(http.last(), "X-Amz-Date"), "");
  }
  http.expect(Method::post, sts, xml_error(400, "ExpiredTokenException", "Token expired"));
  EXPECT_TRUE(id().starts_with(
      "assume role arn:aws:iam::1:role/pod by web identity: STS AssumeRoleWithWebIdentity: "
      "ExpiredTokenException: Token expired"));
}

TEST_F(CredentialsTest, OfAWebIdentityMayBeInAProfile) {
  const auto token = write("token", "jwt");
  write_config("[profile web]\nweb_identity_token_file = " + token +
               "\nrole_arn = r\n"
               "[profile role]\nrole_arn = r2\nsource_profile = web\n"
               "[profile half]\nweb_identity_token_file = " +
               token +
               "\n"
               "[profile gone]\nweb_identity_token_file = /no/such\nrole_arn = r\n");
  http.expect(Method::post, sts,
              assumed("AssumeRoleWithWebIdentity", "WEB", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(id({.profile = "web"}), "WEB");
  http.expect(Method::post, sts,
              assumed("AssumeRoleWithWebIdentity", "WEB", "2026-11-23T13:00:00Z"));
  expect_assume_role("ROLE");
  EXPECT_EQ(id({.profile = "role"}), "ROLE");
  EXPECT_EQ(key_of_last_call(), "WEB");
  EXPECT_EQ(id({.profile = "half"}), "assume a role by web identity: there is a token in " + token +
                                         ", but no role: set AWS_ROLE_ARN, or role_arn in the "
                                         "profile");
  EXPECT_EQ(id({.profile = "gone"}),
            "assume role r by web identity: read /no/such: it does not exist");
}

TEST_F(CredentialsTest, OfABrowserAreRefusedWithTheWayOut) {
  write_config(
      "[profile a]\nsso_session = work\nsso_account_id = 1\n[sso-session work]\n"
      "[profile b]\nlogin_session = arn\n");
  EXPECT_EQ(
      id({.profile = "a"}),
      "read the AWS profile a: it signs in by a browser (sso_session), which only the AWS CLI "
      "can do: name another profile that has `credential_process = aws configure "
      "export-credentials --profile a`");
  EXPECT_NE(id({.profile = "b"}).find("(login_session)"), std::string::npos);
}

TEST_F(CredentialsTest, OfAContainerAreAskedForWithItsToken) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic abc";
  http.expect(Method::get, "http://169.254.170.2/v2/credentials/x",
              handed_out("BOX", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(id(), "BOX");
  EXPECT_EQ(header_of(http.last(), "Authorization"), "Basic abc");
  EXPECT_EQ(http.last_time_limit(), seconds(2));
  EXPECT_EQ(token_of_last(), "token of BOX");

  environment.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = write("token", "from file\n");
  for (const auto* url : {"http://127.0.0.1:51679/keys", "http://localhost/keys",
                          "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1",
                          "http://169.254.170.2/v1", "https://any.example/keys"}) {
    use_container(url);
    http.expect(Method::get, url, handed_out("BOX", "2026-11-23T13:00:00Z"));
    EXPECT_EQ(id(), "BOX") << url;
    EXPECT_EQ(header_of(http.last(), "Authorization"), "from file");
  }
}

TEST_F(CredentialsTest, OfAContainerAreAskedForOnlyWhereNobodyElseCanListen) {
  for (const auto* url : {"http://any.example/keys", "http://169.254.169.254/keys",
                          "http://[fd00:ec2::254]/keys", "http://10.0.0.1/", "nonsense"}) {
    use_container(url);
    EXPECT_TRUE(
        id().starts_with("fetch the AWS credentials of the container: "
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI must be"))
        << url;
  }
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@evil.example/";
  EXPECT_EQ(id(),
            "fetch the AWS credentials of the container: "
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a /");
}

TEST_F(CredentialsTest, OfAContainerAreAskedForThreeTimes) {
  use_container();
  const auto* url = "https://eks.example/keys";
  http.expect(Method::get, url, fail(Error::Kind::deadline, "GET", "late"));
  http.expect(Method::get, url, answer(500));
  http.expect(Method::get, url, handed_out("BOX", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(id(), "BOX");
  for (int i = 0; i < 3; ++i) http.expect(Method::get, url, answer(200, "{\"AccessKeyId\": \"A\""));
  EXPECT_EQ(id(),
            "fetch the AWS credentials of the container: the answer holds no credentials, or "
            "not all");
  http.expect(Method::get, url, answer(403, R"({"code": "AccessDenied", "message": "no"})"));
  EXPECT_EQ(id(),
            "fetch the AWS credentials of the container: AccessDenied: no (let its policy "
            "allow that action)");
}

TEST_F(CredentialsTest, OfAnInstanceAreAskedForByVersion2) {
  use_instance();
  expect_instance("EC2");
  EXPECT_EQ(id(), "EC2");
  const auto& requests = http.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(header_of(requests[0], "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(header_of(requests[1], "x-aws-ec2-metadata-token"), "imds");
  EXPECT_EQ(header_of(requests[2], "x-aws-ec2-metadata-token"), "imds");
  EXPECT_EQ(http.last_time_limit(), seconds(1));
  EXPECT_EQ(last.source, "the instance's role server-role");
}

TEST_F(CredentialsTest, OfAnInstanceAreNotThereOutsideOfEc2) {
  use_instance();
  const auto token = std::string(metadata) + "/latest/api/token";
  const std::vector<Result<http::Response>> answers = {
      fail(Error::Kind::deadline, "PUT", "late"), fail(Error::Kind::transient, "PUT", "no route"),
      answer(404), answer(403)};
  for (const auto& reply : answers) {
    http.expect(Method::put, token, reply);
    EXPECT_TRUE(id().starts_with("find AWS credentials: there are none"));
  }
  http.expect(Method::put, token, answer(200, "imds"));
  http.expect(Method::get, std::string(metadata) + "/latest/meta-data/iam/security-credentials/",
              answer(404));
  EXPECT_TRUE(id().starts_with("find AWS credentials: there are none")) << "no role";
  environment["AWS_EC2_METADATA_DISABLED"] = "TRUE";
  EXPECT_TRUE(id().starts_with("find AWS credentials: there are none")) << "asks nobody";
}

TEST_F(CredentialsTest, OfAnInstanceComeFromTheEndpointThatIsSet) {
  use_instance();
  environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6";
  http.expect(Method::put, "http://[fd00:ec2::254]/latest/api/token", answer(404));
  EXPECT_NE(id().find("nor at http://[fd00:ec2::254]:"), std::string::npos);
  environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1338/";
  http.expect(Method::put, "http://127.0.0.1:1338/latest/api/token", answer(404));
  EXPECT_NE(id().find("nor at http://127.0.0.1:1338:"), std::string::npos);
}

TEST_F(CredentialsTest, OfAnInstanceSayWhatIsWrongWithThem) {
  use_instance();
  const auto roles = std::string(metadata) + "/latest/meta-data/iam/security-credentials/";
  const auto ask = [&](const Result<http::Response>& keys) {
    http.expect(Method::put, std::string(metadata) + "/latest/api/token", answer(200, "imds"));
    http.expect(Method::get, roles, answer(200, "r"));
    http.expect(Method::get, roles + "r", keys);
    return id();
  };
  const std::string op = "fetch the AWS credentials of the instance: ";
  EXPECT_EQ(
      ask(answer(200, R"({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 may not"})")),
      op + "AssumeRoleUnauthorizedAccess: EC2 may not");
  EXPECT_EQ(ask(answer(200, "{\"Code\": \"Succ")),
            op + "the answer holds no credentials, or not all");
  EXPECT_EQ(ask(answer(500)), op + "the metadata service answered 500 to the question for the keys "
                                   "of role r");
  EXPECT_EQ(ask(handed_out("OLD", "2026-11-23T11:59:00Z")),
            "find AWS credentials: those of the instance's role r have run out: renew them where "
            "they come from");
}

TEST_F(CredentialsTest, OfStsMustBeWhole) {
  set_keys("ENV");
  auto cut = assumed("AssumeRole", "A", "2026-11-23T13:00:00Z");
  cut.body.resize(cut.body.size() / 2);
  for (const auto& reply : {cut, answer(200, "{}"), assumed("AssumeRole", "A", "soon"),
                            assumed("AssumeRole", "", "2026-11-23T13:00:00Z")}) {
    http.expect(Method::post, sts, reply);
    EXPECT_EQ(
        id({.role_arn = "r"}),
        "assume role r: read the answer of STS: it is incomplete, or not of AWS: if this goes "
        "on, check the endpoint of STS");
  }
}

/// A program in a profile; the real clock, since processes do not run on the virtual one.
class ProcessCredentialsTest : public CredentialsTest {
 protected:
  std::string run_script(const std::string& script, const std::string& arguments = "") {
    const auto path = write("get keys", "#!/bin/sh\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    write_config("[default]\ncredential_process = \"" + path + "\" " + arguments + "\n");
    return id();
  }

 private:
  std::unique_ptr<runtime::EventLoop> virtual_loop_ =
      std::exchange(loop, runtime::make_event_loop());
};

TEST_F(ProcessCredentialsTest, ComeFromItsStandardOutput) {
  EXPECT_EQ(run_script(R"(echo "noise" >&2; echo "{\"Version\": 1, \"AccessKeyId\": \"P$#$1\",
      \"SecretAccessKey\": \"s\", \"SessionToken\": \"$2\", \"Expiration\": \"2999-01-01T00:00:00Z\"}")",
                       R"(one 'two $HOME')"),
            "P2one");
  EXPECT_EQ(token_of_last(), "two $HOME");
  EXPECT_EQ(last.expires_at, parse_time("2999-01-01T00:00:00Z"));
  EXPECT_EQ(run_script(R"(echo '{"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "s"}')"),
            "P");
  EXPECT_FALSE(last.session_token);
  EXPECT_FALSE(last.expires_at);
}

TEST_F(ProcessCredentialsTest, AreRefusedWithWhatItSays) {
  const std::string op = "ask the credential_process of the AWS profile default: ";
  EXPECT_EQ(run_script("echo secret; echo 'Token has expired,' >&2; echo 'log in' >&2; exit 3"),
            op + "it ended with 3: Token has expired, log in");
  EXPECT_EQ(run_script("exit 1"), op + "it ended with 1: it does not say why");
  const auto shape = op +
                     "what it writes is not {\"Version\": 1, \"AccessKeyId\": …, "
                     "\"SecretAccessKey\": …}";
  EXPECT_EQ(run_script("echo secret"), shape);
  EXPECT_EQ(run_script(R"(echo '{"Version": 2, "AccessKeyId": "P", "SecretAccessKey": "s"}')"),
            shape);
  write_config("[default]\ncredential_process = /no/such\n");
  EXPECT_EQ(id(), op + "start /no/such: there is no such program");
  write_config("[default]\ncredential_process = \"a\n");
  EXPECT_EQ(id(), op + "read a command line: a quote is not closed in it");
}

TEST(SplitWords, SplitsAsAShellDoes) {
  EXPECT_EQ(*split_words(R"( a  "b c" 'd "e"' f\ g "h\"i\\\j" k''l "" $m )"),
            (std::vector<std::string>{"a", "b c", "d \"e\"", "f g", "h\"i\\\\j", "kl", "", "$m"}));
  EXPECT_TRUE(split_words("  ")->empty());
  EXPECT_FALSE(split_words("a 'b"));
}

/// A role whose credentials last an hour from 12:00 on.
class RenewalTest : public CredentialsTest {
 protected:
  RenewalTest() { set_keys("ENV"); }

  const SectionOptions options{.role_arn = "r"};

  std::string now_used() {
    const auto found = credentials(options);
    return found ? found->access_key_id : found.error().message();
  }
};

TEST_F(RenewalTest, BeginsAQuarterOfAnHourBeforeTheEnd) {
  expect_assume_role("FIRST", "2026-11-23T13:00:00Z");
  EXPECT_EQ(now_used(), "FIRST");
  pass(minutes(44));
  EXPECT_EQ(now_used(), "FIRST");
  pass(minutes(1));
  expect_assume_role("SECOND", "2026-11-23T13:45:00Z");
  EXPECT_EQ(now_used(), "SECOND");
}

TEST_F(RenewalTest, MayFailUntilTenMinutesBeforeTheEnd) {
  expect_assume_role("FIRST", "2026-11-23T13:00:00Z");
  EXPECT_EQ(now_used(), "FIRST");
  pass(minutes(46));
  http.expect(Method::post, sts, xml_error(403, "AccessDenied", "no"));
  EXPECT_EQ(now_used(), "FIRST");
  EXPECT_EQ(now_used(), "FIRST") << "not asked again at once";
  pass(minutes(4));
  http.expect(Method::post, sts, xml_error(403, "AccessDenied", "no"));
  EXPECT_FALSE(credentials(options));
  expect_assume_role("SECOND", "2026-11-23T13:50:00Z");
  EXPECT_EQ(now_used(), "SECOND");
}

TEST_F(RenewalTest, ComesLaterForWhatLivesShortly) {
  expect_assume_role("FIRST", "2026-11-23T12:06:00Z");
  EXPECT_EQ(now_used(), "FIRST");
  pass(seconds(179));
  EXPECT_EQ(now_used(), "FIRST");
  pass(seconds(1));
  expect_assume_role("SECOND", "2026-11-23T13:00:00Z");
  EXPECT_EQ(now_used(), "SECOND");
}

TEST_F(RenewalTest, TakesTheClockOfAwsWhereItIsKnown) {
  expect_assume_role("FIRST", "2026-11-23T13:00:00Z");
  EXPECT_EQ(now_used(), "FIRST");
  session().set_skew(minutes(45));
  expect_assume_role("SECOND", "2026-11-23T14:00:00Z");
  EXPECT_EQ(now_used(), "SECOND");
}

TEST_F(RenewalTest, FollowsADropOfWhatIsUsed) {
  expect_assume_role("FIRST");
  EXPECT_EQ(now_used(), "FIRST");
  session().drop("OTHER");
  EXPECT_EQ(now_used(), "FIRST");
  session().drop("FIRST");
  expect_assume_role("SECOND");
  EXPECT_EQ(now_used(), "SECOND");
}

/// Many who want credentials at one time.
class SharedFetchTest : public RenewalTest {
 protected:
  static Task<void> want(Session* session, std::vector<std::string>* got) {
    auto found = co_await session->credentials();
    got->push_back(found ? found->access_key_id : found.error().message());
  }
  Task<void> want_all(std::vector<std::string>* got, int count) {
    runtime::TaskGroup group(*loop);
    for (int i = 0; i < count; ++i) group.spawn(want(&session(options), got));
    co_await group.join();
  }
  std::vector<std::string> ask(int count) {
    std::vector<std::string> got;
    loop->run(want_all(&got, count));
    return got;
  }
  void expect_slow(Result<http::Response> reply) {
    http.expect(Method::post, sts, std::move(reply), seconds(5));
  }
};

TEST_F(SharedFetchTest, GivesAllCallersTheSameCredentials) {
  expect_slow(assumed("AssumeRole", "ONE", "2026-11-23T13:00:00Z"));
  EXPECT_EQ(ask(100), std::vector<std::string>(100, "ONE"));
}

TEST_F(SharedFetchTest, GivesAllCallersTheSameFailure) {
  expect_slow(xml_error(403, "AccessDenied", "no"));
  const auto got = ask(10);
  EXPECT_EQ(got, std::vector<std::string>(10, got.front()));
  EXPECT_NE(got.front().find("AccessDenied: no"), std::string::npos);
}

TEST_F(SharedFetchTest, HoldsUpOneCallerWhileTheOldOnesAreGood) {
  expect_slow(assumed("AssumeRole", "ONE", "2026-11-23T13:00:00Z"));
  ask(1);
  pass(minutes(46));
  expect_slow(assumed("AssumeRole", "TWO", "2026-11-23T14:00:00Z"));
  EXPECT_EQ(ask(3), (std::vector<std::string>{"ONE", "ONE", "TWO"}));
}

TEST_F(SharedFetchTest, IsTakenOverWhenItsCallerIsCancelled) {
  struct Story {
    static Task<void> tell(runtime::EventLoop* loop, Session* session,
                           std::vector<std::string>* got) {
      runtime::TaskGroup first(*loop);
      runtime::TaskGroup second(*loop);
      std::vector<std::string> nothing;
      first.spawn(want(session, &nothing));
      co_await loop->clock().sleep_for(seconds(1));
      second.spawn(want(session, got));
      co_await loop->clock().sleep_for(seconds(1));
      first.cancel();
      co_await first.join();
      co_await second.join();
    }
  };
  expect_slow(assumed("AssumeRole", "LOST", "2026-11-23T13:00:00Z"));
  expect_slow(assumed("AssumeRole", "ONE", "2026-11-23T13:00:00Z"));
  std::vector<std::string> got;
  loop->run(Story::tell(loop.get(), &session(options), &got));
  EXPECT_EQ(got, std::vector<std::string>{"ONE"});
}

TEST_F(CredentialsTest, TellWhoseAccountTheyBelongToOnce) {
  set_keys("ENV");
  http.expect(Method::post, sts, answer(200, "<GetCallerIdentityResponse><GetCallerId"));
  EXPECT_EQ(run(session().account()).error().kind, Error::Kind::transient);
  http.expect(Method::post, sts,
              answer(200,
                     "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/"
                     "2011-06-15/\"><GetCallerIdentityResult><Arn>a</Arn><Account>123456789012"
                     "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"));
  EXPECT_EQ(*run(session().account()), "123456789012");
  EXPECT_EQ(*run(session().account()), "123456789012");
  EXPECT_EQ(http.last().body, "Action=GetCallerIdentity&Version=2011-06-15");
}

TEST_F(CredentialsTest, AreTheGivenOnesAloneWhereTheyAreGiven) {
  Credentials given;
  given.access_key_id = "GIVEN";
  Session fixed(*loop, *offload, random, http, *load(), given);
  fixed.drop("GIVEN");
  EXPECT_EQ(run(fixed.credentials())->access_key_id, "GIVEN");
}

}  // namespace
}  // namespace certherd::aws

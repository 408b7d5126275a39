#include "aws/sigv4.hpp"

#include <gtest/gtest.h>

#include <set>

#include "crypto/encoding.hpp"

namespace certherd::aws {
namespace {

using Method = http::Request::Method;

Credentials example_credentials() {
  Credentials credentials;
  credentials.access_key_id = "AKIDEXAMPLE";
  credentials.secret_access_key = Secret<std::string>("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  return credentials;
}

std::string header_of(const http::Request& request, std::string_view name) {
  for (const auto& [own, value] : request.headers) {
    if (own == name) return value;
  }
  return {};
}

/// A request of AWS's Signature Version 4 test suite, with its signature.
struct Vector {
  std::string name;
  Method method;
  std::string target;
  http::Headers headers;
  std::string body;
  std::string signed_headers;
  std::string signature;
};

std::vector<Vector> suite() {
  return {
      {"get-vanilla",
       Method::get,
       "/",
       {},
       "",
       "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       Method::get,
       "/?Param2=value2&Param1=value1",
       {},
       "",
       "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-unreserved",
       Method::get,
       "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       {},
       "",
       "host;x-amz-date",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       Method::get,
       "/\xE1\x88\xB4",
       {},
       "",
       "host;x-amz-date",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-header-value-trim",
       Method::get,
       "/",
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "host;my-header1;my-header2;x-amz-date",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-key-duplicate",
       Method::get,
       "/",
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "host;my-header1;x-amz-date",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"post-vanilla",
       Method::post,
       "/",
       {},
       "",
       "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       Method::post,
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Param1=value1",
       "content-type;host;x-amz-date",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
}

TEST(Sigv4, GivesTheSignaturesOfAwsOwnTestSuite) {
  SigningKey key;
  for (const auto& vector : suite()) {
    SCOPED_TRACE(vector.name);
    http::Request request;
    request.method = vector.method;
    request.url = "https://example.amazonaws.com" + vector.target;
    request.headers = vector.headers;
    request.body = vector.body;

    sign(&request, example_credentials(), {"us-east-1", "service"},
         *parse_time("2015-08-30T12:36:00Z"), key);

    EXPECT_EQ(header_of(request, "X-Amz-Date"), "20150830T123600Z");
    EXPECT_EQ(header_of(request, "Authorization"),
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
              "SignedHeaders=" +
                  vector.signed_headers + ", Signature=" + vector.signature);
  }
}

/// A request of a service, with what botocore makes of it.
struct Call {
  http::Request request;
  SigningScope scope;
  std::string token;
  std::string signed_headers;
  std::string canonical_hash;
  std::string signature;
};

std::vector<Call> calls_of_services() {
  http::Request post;
  post.method = Method::post;
  post.url = "https://secretsmanager.eu-west-1.amazonaws.com/";
  post.headers = {{"X-Amz-Target", "secretsmanager.GetSecretValue"},
                  {"Content-Type", "application/x-amz-json-1.1"}};
  post.body = R"({"SecretId":"tls/example.com"})";
  http::Request by_name;
  by_name.url =
      "https://route53.amazonaws.com/2013-04-01/hostedzonesbyname?dnsname=example.com&maxitems=100";
  http::Request sets;
  sets.url =
      "https://route53.amazonaws.com/2013-04-01/hostedzone/Z123/"
      "rrset?name=%2A.example.com.&type=TXT";
  return {{by_name,
           {"us-east-1", "route53"},
           "",
           "host;x-amz-date",
           "3db776ab22c34868390d7a575deae84396fb87f54873e3ee6a269816decec62d",
           "95d03decfd191a19b4dc840fc69a83d9637738e1a4ef3e3ea52665fbd5f6b48f"},
          {sets,
           {"us-east-1", "route53"},
           "",
           "host;x-amz-date",
           "0c45c3b5e996312a193b1b9ae4626d95b8d1eaecddbab61437329cff4e2342ad",
           "f1d0583ed7066f811b3f0bca93e3c0da3c774e57161f0d24625674d18fd03736"},
          {post,
           {"eu-west-1", "secretsmanager"},
           "SESSIONTOKENEXAMPLE",
           "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
           "34a3a76b0f880ce337d4bc25d3c57b91b8a68719e789a79a7c31a8644c2b44f2",
           "15decf8280cde49198992eb50bbff10317303d7ac435406bc035688b1742d522"}};
}

TEST(Sigv4, SignsCallsOfServicesAsBotocoreDoes) {
  SigningKey key;
  for (const auto& call : calls_of_services()) {
    SCOPED_TRACE(call.request.url);
    auto credentials = example_credentials();
    if (!call.token.empty()) credentials.session_token = Secret<std::string>(call.token);
    auto request = call.request;

    sign(&request, credentials, call.scope, *parse_time("2026-11-23T12:00:00Z"), key);

    const auto canonical = canonical_request(request, call.signed_headers);
    EXPECT_EQ(crypto::hex(crypto::sha256(canonical)), call.canonical_hash) << canonical;
    EXPECT_EQ(header_of(request, "X-Amz-Security-Token"), call.token);
    EXPECT_TRUE(header_of(request, "Authorization").ends_with("Signature=" + call.signature));
  }
}

TEST(Sigv4, DerivesAnotherKeyForAnotherSecretDayRegionOrService) {
  struct Use {
    std::string secret = "one";
    SigningScope scope{"us-east-1", "route53"};
    std::string date = "20261123T120000Z";
  };
  const std::vector<Use> uses = {{},
                                 {.secret = "two"},
                                 {.scope = {"eu-west-1", "route53"}},
                                 {.scope = {"us-east-1", "sts"}},
                                 {.date = "20261124T000000Z"},
                                 {}};
  SigningKey kept;
  std::set<std::string> seen;
  for (const auto& use : uses) {
    Credentials credentials;
    credentials.secret_access_key = Secret<std::string>(use.secret);
    SigningKey fresh;
    const auto wanted = signature(credentials, use.scope, use.date, "canonical", fresh);
    EXPECT_EQ(signature(credentials, use.scope, use.date, "canonical", kept), wanted);
    EXPECT_EQ(signature(credentials, use.scope, use.date, "canonical", kept), wanted);
    seen.insert(wanted);
  }
  EXPECT_EQ(seen.size(), uses.size() - 1);
}

TEST(Sigv4, TakesTheHostAsTheHttpClientSendsIt) {
  http::Request request;
  for (const auto& [url, host] : std::vector<std::pair<std::string, std::string>>{
           {"https://a.example:443/x", "a.example"},
           {"http://127.0.0.1:80", "127.0.0.1"},
           {"http://127.0.0.1:5000/", "127.0.0.1:5000"},
           {"https://[::1]:80/?a", "[::1]:80"}}) {
    request.url = url;
    EXPECT_NE(canonical_request(request, "host").find("\nhost:" + host + "\n"), std::string::npos)
        << canonical_request(request, "host");
  }
}

TEST(UriEncode, LeavesOnlyWhatRfc3986CallsUnreserved) {
  EXPECT_EQ(uri_encode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(uri_encode(" */+=&%\xC3\xA9"), "%20%2A%2F%2B%3D%26%25%C3%A9");
}

}  // namespace
}  // namespace certherd::aws

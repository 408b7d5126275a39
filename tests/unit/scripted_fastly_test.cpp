#include "fakes/scripted_fastly.hpp"

#include <fmt/format.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "crypto/local_ca.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "fakes/issued_material.hpp"

namespace certherd::fakes {
namespace {

namespace json = boost::json;
using Method = http::Request::Method;
using namespace std::chrono_literals;

class AtFastly : public testing::Test {
 protected:
  http::Request request(Method method, const std::string& target, const json::value& body = {}) {
    http::Request request;
    request.method = method;
    request.url = "https://api.fastly.com" + target;
    request.headers = {{"Fastly-Key", "token"}, {"Accept", "application/vnd.api+json"}};
    if (!body.is_null()) {
      request.headers.emplace_back("Content-Type", "application/vnd.api+json");
      request.body = json::serialize(body);
    }
    return request;
  }
  http::Response ask(Method method, const std::string& target, const json::value& body = {}) {
    return fastly_.answer(request(method, target, body)).value();
  }
  json::value read(const std::string& target) { return json::parse(ask(Method::get, target).body); }

  http::Response post_key(const Secret<std::string>& pem) {
    return ask(Method::post, "/tls/private_keys",
               {{"data", {{"type", "tls_private_key"}, {"attributes", {{"key", pem.reveal()}}}}}});
  }
  http::Response post_certificate(const std::string& blob) {
    return ask(Method::post, "/tls/certificates",
               {{"data", {{"type", "tls_certificate"}, {"attributes", {{"cert_blob", blob}}}}}});
  }
  http::Response patch_certificate(const std::string& id, const std::string& blob) {
    return ask(
        Method::patch, "/tls/certificates/" + id,
        {{"data",
          {{"type", "tls_certificate"}, {"id", id}, {"attributes", {{"cert_blob", blob}}}}}});
  }
  static json::value named(const std::string& type, const std::string& id) {
    return {{"data", {{"type", type}, {"id", id}}}};
  }
  http::Response post_activation(const std::string& certificate, const std::string& domain) {
    return ask(Method::post, "/tls/activations",
               {{"data",
                 {{"type", "tls_activation"},
                  {"relationships",
                   {{"tls_certificate", named("tls_certificate", certificate)},
                    {"tls_domain", named("tls_domain", domain)}}}}}});
  }
  http::Response patch_activation(const std::string& id, const std::string& certificate) {
    return ask(
        Method::patch, "/tls/activations/" + id,
        {{"data",
          {{"type", "tls_activation"},
           {"id", id},
           {"relationships", {{"tls_certificate", named("tls_certificate", certificate)}}}}}});
  }
  static std::string id_in(const http::Response& response) {
    return std::string(json::parse(response.body).at("data").at("id").as_string());
  }
  static json::array domains_in(const http::Response& response) {
    json::array names;
    const auto document = json::parse(response.body);
    const auto& relationships = document.at("data").at("relationships");
    for (const auto& domain : relationships.at("tls_domains").at("data").as_array()) {
      names.push_back(domain.at("id"));
    }
    return names;
  }
  /// A key, a certificate and an activation for each name; the certificate's id.
  std::string put_all(const Material& material) {
    const auto id = fastly_.put_certificate(material, "one");
    const auto certificates = fastly_.certificates();
    for (const auto& name : certificates.at(id).leaf.names) {
      fastly_.put_activation(id, name);
    }
    return id;
  }
  std::string chain_for(const std::string& name) {
    const auto served = fastly_.served(name);
    return served ? served->chain_pem : std::string();
  }

  Time now_ = Time(std::chrono::days(20'781)) + 10min;
  ScriptedFastly fastly_{"token", [this] { return now_; }};
  Issuer issuer_{now_};
};

TEST_F(AtFastly, KeyIsToldByTheSha1OfItsPublicPem) {
  // echo "$key" | openssl pkey -pubout | sha1sum
  const Secret<std::string> key(R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0FT4RSRKuiW0DsJs
E+oY5+h2yvHfTDaUAh54DaMVkqGhRANCAASw1YyTqia1EgnW9OunP8BPBESNBjTn
3GcB+LkCIJIHqDg70g0bwuVSjnHMZ0h8AdHqTogJtvGDIIEvagigkYf/
-----END PRIVATE KEY-----
)");

  const auto answer = json::parse(post_key(key).body).at("data").at("attributes");

  EXPECT_EQ(answer.at("public_key_sha1"), json::value("10308002897dc9551325d2cc1bf99a535b6d02f8"));
  EXPECT_EQ(answer.at("key_type"), json::value("ECDSA"));
  EXPECT_TRUE(answer.at("created_at").is_null());
  EXPECT_EQ(post_key(key).status, 400) << "it is there";
}

TEST_F(AtFastly, RefusesKeysThatItDoesNotTake) {
  EXPECT_EQ(post_key(crypto::PrivateKey::generate(KeyType::ed25519).value().to_pem()).status, 400);
  EXPECT_EQ(post_key(Secret<std::string>("no key")).status, 400);
  EXPECT_TRUE(fastly_.keys().empty());
}

TEST_F(AtFastly, WantsKeyThenCertificateThenActivation) {
  const auto material = issuer_.issue({"www.example.com", "*.example.com"}, 0xffff'ffff'ffff'ffffU);
  EXPECT_EQ(post_certificate(material.fullchain).status, 400) << "its key is not there";
  EXPECT_EQ(post_key(material.private_key).status, 201);
  const auto made = post_certificate(material.fullchain);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(json::parse(made.body).at("data").at("attributes").at("serial_number"),
            json::value("18446744073709551615"));
  EXPECT_FALSE(fastly_.served("www.example.com"));

  EXPECT_EQ(post_activation(id_in(made), "example.com").status, 400) << "it is not covered";
  const auto activation = post_activation(id_in(made), "*.example.com");
  EXPECT_EQ(activation.status, 201);
  EXPECT_EQ(post_activation(id_in(made), "*.example.com").status, 400) << "it is taken";

  ASSERT_TRUE(fastly_.served("api.example.com"));
  EXPECT_EQ(fastly_.served("api.example.com")->key_pem, material.private_key.reveal());
  EXPECT_FALSE(fastly_.served("a.api.example.com"));
  EXPECT_EQ(ask(Method::delete_, "/tls/certificates/" + id_in(made)).status, 400) << "in use";
  EXPECT_EQ(ask(Method::delete_, "/tls/activations/" + id_in(made)).status, 404) << "of a kind";
  EXPECT_EQ(ask(Method::delete_, "/tls/private_keys/" + fastly_.keys().begin()->first).status, 400);

  EXPECT_EQ(ask(Method::delete_, "/tls/activations/" + id_in(activation)).status, 204);
  EXPECT_EQ(ask(Method::delete_, "/tls/certificates/" + id_in(made)).status, 204);
  EXPECT_EQ(ask(Method::delete_, "/tls/private_keys/" + fastly_.keys().begin()->first).status, 204);
  ASSERT_EQ(fastly_.lost_tls().size(), 1U);
  EXPECT_EQ(fastly_.lost_tls().front().name, "*.example.com");
}

TEST_F(AtFastly, RefusesChainsThatDoNotHold) {
  const auto material = issuer_.issue({"example.com"}, 1);
  const auto parts = crypto::split_chain(material.fullchain).value();
  const auto addresses =
      crypto::LocalCa("another", now_)
          .issue(crypto::PrivateKey::from_pem(material.private_key).value().public_key(),
                 {"192.0.2.1"}, 2, now_, now_ + 24h);
  fastly_.put_key(material.private_key, "one");

  EXPECT_EQ(post_certificate(parts.leaf).status, 400) << "nothing stands above it";
  EXPECT_EQ(post_certificate(parts.leaf + Issuer(now_).root_pem()).status, 400) << "not its issuer";
  const auto nameless = post_certificate(addresses);
  EXPECT_EQ(nameless.status, 400);
  EXPECT_NE(nameless.body.find("need at least one DNS name, got none"), std::string::npos);
  EXPECT_TRUE(fastly_.certificates().empty());
}

TEST_F(AtFastly, ReplacedCertificateKeepsItsActivationsButForNamesThatItLacks) {
  const auto id = put_all(issuer_.issue({"a.example.com", "b.example.com"}, 1));
  const auto next = issuer_.issue({"b.example.com", "c.example.com"}, 2);
  fastly_.put_key(next.private_key, "two");
  now_ += 1min;

  const auto answer = patch_certificate(id, next.fullchain);

  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(domains_in(answer), json::array{"b.example.com"}) << "new names come later";
  EXPECT_EQ(domains_in(ask(Method::get, "/tls/certificates/" + id)),
            (json::array{"b.example.com", "c.example.com"}));
  EXPECT_EQ(fastly_.certificates().at(id).created_at, now_);
  EXPECT_EQ(fastly_.activations().size(), 1U);
  EXPECT_EQ(chain_for("b.example.com"), next.fullchain);
  ASSERT_EQ(fastly_.lost_tls().size(), 1U);
  EXPECT_EQ(fastly_.lost_tls().front(),
            (fastly::LostTls{.name = "a.example.com", .call = "1: PATCH /tls/certificates/" + id}));
}

TEST_F(AtFastly, MovedActivationLosesNothingButMutualAuthentication) {
  const auto first = fastly_.put_certificate(issuer_.issue({"example.com"}, 1), "one");
  const auto second = fastly_.put_certificate(issuer_.issue({"example.com"}, 2), "two");
  const auto other = fastly_.put_certificate(issuer_.issue({"example.org"}, 3), "three");
  const auto id =
      fastly_.put_activation(first, "example.com", ScriptedFastly::default_configuration, "mutual");

  EXPECT_EQ(patch_activation(id, other).status, 400) << "not covered";
  EXPECT_EQ(patch_activation(id, second).status, 200);

  EXPECT_EQ(fastly_.activations().at(id).mutual_authentication, "");
  EXPECT_EQ(chain_for("example.com"), fastly_.certificates().at(second).blob);
  EXPECT_TRUE(fastly_.lost_tls().empty());
  EXPECT_EQ(ask(Method::delete_, "/tls/certificates/" + first).status, 204);
}

TEST_F(AtFastly, DomainMayBeAnotherCustomersAndLossMayBeAllowed) {
  const auto material = issuer_.issue({"a.example.com", "b.example.com"}, 1);
  const auto id = fastly_.put_certificate(material, "one");
  fastly_.hold_elsewhere("a.example.com");
  EXPECT_EQ(post_activation(id, "a.example.com").status, 400);

  const auto activation = fastly_.put_activation(id, "b.example.com");
  fastly_.may_lose("b.example.com");
  EXPECT_EQ(ask(Method::delete_, "/tls/activations/" + activation).status, 204);
  EXPECT_TRUE(fastly_.lost_tls().empty());
}

TEST_F(AtFastly, EdgeServesWhatIsNewOnlyAfterItsDelay) {
  const auto first = issuer_.issue({"example.com"}, 1);
  const auto id = put_all(first);
  const auto next = issuer_.issue({"example.com"}, 2);
  fastly_.put_key(next.private_key, "two");
  fastly_.set_live_after(20min);

  EXPECT_EQ(patch_certificate(id, next.fullchain).status, 200);
  now_ += 19min;
  EXPECT_EQ(chain_for("example.com"), first.fullchain);
  now_ += 1min;
  EXPECT_EQ(chain_for("example.com"), next.fullchain);
}

TEST_F(AtFastly, NewestBulkCertificateIsServedAndTheOlderOneAgainWithoutIt) {
  fastly_.put_configuration({.id = "cfg-bulk", .name = "bulk", .bulk = true, .is_default = false});
  const auto first = fastly_.put_bulk_certificate(issuer_.issue({"example.com"}, 1), "cfg-bulk");
  const auto material = issuer_.issue({"example.com", "www.example.com"}, 2);
  fastly_.put_key(material.private_key, "two");
  const auto parts = crypto::split_chain(material.fullchain).value();
  const json::value body = {
      {"data",
       {{"type", "tls_bulk_certificate"},
        {"attributes", {{"cert_blob", parts.leaf}, {"intermediates_blob", parts.others}}},
        {"relationships",
         {{"tls_configurations",
           {{"data", json::array{{{"type", "tls_configuration"}, {"id", "cfg-bulk"}}}}}}}}}}};
  const auto made = ask(Method::post, "/tls/bulk/certificates", body);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body.find("serial"), std::string::npos);
  EXPECT_EQ(chain_for("example.com"), material.fullchain);
  const auto found = read("/tls/bulk/certificates?filter%5Btls_domains.id%5D%5Bmatch%5D=www.exam");
  EXPECT_EQ(found.at("data").as_array().size(), 1U);

  EXPECT_EQ(ask(Method::delete_, "/tls/bulk/certificates/" + id_in(made)).status, 204);
  EXPECT_EQ(chain_for("example.com"), fastly_.bulk_certificates().at(first).cert_blob +
                                          fastly_.bulk_certificates().at(first).intermediates_blob);
  ASSERT_EQ(fastly_.lost_tls().size(), 1U);
  EXPECT_EQ(fastly_.lost_tls().front().name, "www.example.com");
}

TEST_F(AtFastly, WritesAreCountedByTheHourOfTheClockAndThenRefused) {
  fastly_.set_budget(3, true);
  fastly_.spend_elsewhere(1);
  const auto first = ask(Method::delete_, "/tls/activations/none");
  EXPECT_EQ(first.status, 404);
  EXPECT_EQ(first.header("fastly-ratelimit-remaining"), "1");
  EXPECT_EQ(first.header("fastly-ratelimit-reset"),
            std::to_string((to_micros(now_) / 1'000'000 + 50 * 60)));
  EXPECT_EQ(ask(Method::delete_, "/tls/activations/none").status, 404) << "refused ones count too";
  EXPECT_EQ(ask(Method::delete_, "/tls/activations/none").status, 429);
  EXPECT_EQ(ask(Method::get, "/tls/activations").status, 200);
  EXPECT_FALSE(ask(Method::get, "/tls/activations").header("fastly-ratelimit-remaining"));
  now_ += 50min;
  EXPECT_EQ(ask(Method::delete_, "/tls/activations/none").status, 404);

  EXPECT_EQ(fastly_.writes(), 4);
  EXPECT_EQ(fastly_.reads(), 2);
  EXPECT_EQ(fastly_.throttled(), 1);
  EXPECT_EQ(fastly_.writes_by_hour().at(now_), 1);
  fastly_.set_budget(1000, false);
  EXPECT_FALSE(ask(Method::delete_, "/tls/activations/none").header("fastly-ratelimit-remaining"));
}

TEST_F(AtFastly, FaultsComeAtTheirCalls) {
  const auto material = issuer_.issue({"example.com"}, 1);
  const auto upload = request(
      Method::post, "/tls/private_keys",
      {{"data",
        {{"type", "tls_private_key"}, {"attributes", {{"key", material.private_key.reveal()}}}}}});
  fastly_.disturb(2, ScriptedFastly::lost_request());
  EXPECT_TRUE(ask(Method::get, "/tls/private_keys").status == 200 && !fastly_.was_disturbed());
  EXPECT_FALSE(fastly_.answer(upload));
  EXPECT_TRUE(fastly_.keys().empty() && fastly_.was_disturbed());

  fastly_.disturb(1, ScriptedFastly::lost_reply());
  EXPECT_FALSE(fastly_.answer(upload));
  EXPECT_EQ(fastly_.keys().size(), 1U);
  fastly_.disturb(1, ScriptedFastly::refusal(503, "{}"));
  EXPECT_EQ(fastly_.answer(upload)->status, 503);
  EXPECT_EQ(fastly_.writes(), 2) << "what was lost on its way was none";

  // The key goes in the very moment before it would have been in the way.
  fastly_.before(1, [this] { fastly_.remove(fastly_.keys().begin()->first); });
  EXPECT_EQ(fastly_.answer(upload)->status, 201);
}

TEST_F(AtFastly, PagesAndFiltersAsRecorded) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    fastly_.put_certificate(issuer_.issue({"example.com", fmt::format("{}.example.com", i)}, i),
                            fmt::format("number {}", i));
  }
  const auto last = fastly_.certificates().rbegin()->first;
  fastly_.put_activation(last, "example.com");

  const auto page = read("/tls/certificates?page%5Bsize%5D=2&page%5Bnumber%5D=1&sort=-created_at");
  EXPECT_EQ(
      page.at("meta"),
      (json::value{{"per_page", 2}, {"current_page", 1}, {"record_count", 3}, {"total_pages", 2}}));
  EXPECT_TRUE(page.at("links").at("prev").is_null());
  const std::string next(page.at("links").at("next").as_string());
  EXPECT_EQ(next,
            "https://api.fastly.com/tls/certificates?page%5Bnumber%5D=2&page%5Bsize%5D=2&"
            "sort=-created_at");
  EXPECT_EQ(read(next.substr(22)).at("data").as_array().size(), 1U);

  const auto in_use = read("/tls/certificates?filter%5Bin_use%5D=true&include=tls_activations");
  ASSERT_EQ(in_use.at("data").as_array().size(), 1U);
  EXPECT_EQ(in_use.at("data").at(0).at("id"), json::value(last));
  EXPECT_EQ(in_use.at("included").at(0).at("type"), json::value("tls_activation"));
  const auto holders =
      read("/tls/activations?filter%5Btls_domain.id%5D=example.com&include=tls_certificate");
  EXPECT_EQ(holders.at("included").at(0).at("id"), json::value(last));
  EXPECT_FALSE(read("/tls/private_keys").as_object().contains("links"));
}

TEST_F(AtFastly, BadTokensAreRefused) {
  auto stranger = request(Method::get, "/tls/certificates");
  stranger.headers.front().second = "another";
  EXPECT_EQ(fastly_.answer(stranger)->status, 401);
  fastly_.forbid_writes();
  EXPECT_EQ(ask(Method::delete_, "/tls/activations/none").status, 403);
  EXPECT_EQ(ask(Method::get, "/tls/certificates").status, 200);
  fastly_.revoke_token();
  EXPECT_EQ(ask(Method::get, "/tls/certificates").status, 401);
}

TEST_F(AtFastly, WhatNobodyMayAskFailsTheTest) {
  const auto fails = [this](const http::Request& wrong, const char* words) {
    testing::TestPartResultArray failures;
    {
      const testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
      EXPECT_EQ(fastly_.answer(wrong)->status, 400);
    }
    ASSERT_EQ(failures.size(), 1) << words;
    EXPECT_NE(std::string_view(failures.GetTestPartResult(0).message()).find(words),
              std::string_view::npos)
        << failures.GetTestPartResult(0).message();
  };
  auto plain = request(Method::get, "/tls/certificates");
  plain.headers.back().second = "application/json";
  fails(plain, "Accept");
  fails(request(Method::get, "/tls/platform"), "no such path");
  fails(request(Method::get, "/tls/certificates?filter%5Bname%5D=x"), "no such parameter");
  fails(request(Method::get, "/tls/certificates?page%5Bsize%5D=101"), "no such value");
  fails(request(Method::patch, "/tls/private_keys/x", {{"data", nullptr}}), "no such operation");
  fails(request(Method::post, "/tls/private_keys",
                {{"data", {{"type", "tls_private_key"}, {"attributes", {{"name", "x"}}}}}}),
        "key is missing");
  fails(request(Method::post, "/tls/certificates",
                {{"data", {{"type", "tls_private_key"}, {"attributes", {{"cert_blob", "x"}}}}}}),
        "data.type");
}

}  // namespace
}  // namespace certherd::fakes

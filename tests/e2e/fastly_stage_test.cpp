#include "fastly_stage.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "fakes/issued_material.hpp"
#include "http/curl_client.hpp"
#include "probe/tls_probe.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;

class OnFastlyStage : public testing::Test {
 protected:
  Result<http::Response> send(http::Request::Method method, const std::string& target,
                              const std::string& body = {}) {
    http::Request request;
    request.method = method;
    request.url = stage_.url() + target;
    request.headers = {{"Fastly-Key", "token"},
                       {"Accept", "application/vnd.api+json"},
                       {"Content-Type", "application/vnd.api+json"}};
    request.body = body;
    return loop_->run(client_->send(std::move(request), now() + 20s));
  }
  Result<probe::Observation> look(const std::string& host) {
    const Endpoint endpoint = {
        .host = Fqdn::literal(host), .port = stage_.edge_port(), .address = "127.0.0.1"};
    return loop_->run(probe_->look(endpoint, now() + 20s));
  }
  Time now() const { return loop_->clock().now(); }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  FastlyStage stage_{"token", [this] { return now(); }};
  fakes::Issuer issuer_{now()};
  std::unique_ptr<http::Client> client_ = http::make_curl_client(*loop_, {});
  std::unique_ptr<probe::Probe> probe_ = probe::make_tls_probe(
      *loop_, *offload_, *offload_, {.roots = *crypto::TrustedRoots::load(issuer_.root_pem())});
};

TEST_F(OnFastlyStage, AnswersOnHttpAndServesByTheNameThatIsAskedFor) {
  const auto first = issuer_.issue({"a.example.com"}, 0x11);
  auto& fastly = stage_.fastly();
  const auto one = fastly.put_certificate(first, "one");
  const auto two = fastly.put_certificate(issuer_.issue({"*.example.org"}, 0x22), "two");
  const auto activation = fastly.put_activation(one, "a.example.com");
  fastly.put_activation(two, "*.example.org");

  ASSERT_EQ(look("a.example.com")->leaf.serial, Serial("11"));
  const auto seen = look("b.example.org");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->leaf.serial, Serial("22"));
  EXPECT_FALSE(seen->trust) << seen->trust->message();
  EXPECT_FALSE(look("a.example.org.example.com"));
  EXPECT_EQ(stage_.edge().handshakes(), 2);

  const auto next = issuer_.issue(crypto::PrivateKey::from_pem(first.private_key).value(),
                                  {"a.example.com"}, 0x33);
  const boost::json::value body = {{"data",
                                    {{"type", "tls_certificate"},
                                     {"id", one},
                                     {"attributes", {{"cert_blob", next.fullchain}}}}}};
  const auto patched =
      send(http::Request::Method::patch, "/tls/certificates/" + one, boost::json::serialize(body));
  ASSERT_TRUE(patched) << patched.error().message();
  EXPECT_EQ(patched->status, 200) << patched->body;
  EXPECT_EQ(look("a.example.com")->leaf.serial, Serial("33"));

  const auto off = send(http::Request::Method::delete_, "/tls/activations/" + activation);
  ASSERT_TRUE(off) << off.error().message();
  EXPECT_EQ(off->status, 204);
  EXPECT_FALSE(look("a.example.com"));
  const auto page = send(http::Request::Method::get, "/tls/certificates?page%5Bsize%5D=1");
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_NE(page->body.find(stage_.url() + "/tls/certificates?"), std::string::npos);

  const boost::json::value key = {
      {"data",
       {{"type", "tls_private_key"},
        {"attributes", {{"key", issuer_.issue({"example.com"}, 4).private_key.reveal()}}}}}};
  fastly.disturb(1, fakes::ScriptedFastly::lost_reply());
  EXPECT_FALSE(send(http::Request::Method::post, "/tls/private_keys", boost::json::serialize(key)));
  EXPECT_EQ(fastly.keys().size(), 3U);
}

}  // namespace
}  // namespace certherd::e2e

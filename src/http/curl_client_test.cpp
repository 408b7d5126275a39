#include "http/curl_client.hpp"

#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "crypto/local_ca.hpp"
#include "http/test_server.hpp"
#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::http {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

class CurlClientTest : public testing::Test {
 protected:
  Result<Response> send(Client& by, Request request, Duration limit = minutes(1)) {
    return loop->run(by.send(std::move(request), clock.now() + limit));
  }
  Result<Response> get(std::string url, Duration limit = minutes(1)) {
    Request request;
    request.url = std::move(url);
    return send(*client, std::move(request), limit);
  }
  Error error_of(const Result<Response>& result) {
    EXPECT_FALSE(result);
    return result ? Error() : result.error();
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  runtime::Clock& clock = loop->clock();
  std::unique_ptr<Client> client =
      make_curl_client(*loop, {.user_agent = "certherd-test/1", .trust_pem = {}});
};

TestServer::Answer echo(const std::string& request) { return ok(request); }

TEST_F(CurlClientTest, SendsMethodHeadersAndBodyAndNothingOfItsOwn) {
  TestServer server(echo);
  Request request;
  request.method = Request::Method::post;
  request.url = server.url("/a/../b?c=d");
  request.headers = {{"Content-Type", "application/jose+json"}, {"X-Empty", ""}};
  request.body = std::string("bo\0dy", 5);
  const auto response = send(*client, std::move(request));

  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 200);
  std::string host = server.url("");
  host.erase(0, std::string("http://").size());
  EXPECT_EQ(response->body, "POST /a/../b?c=d HTTP/1.1\r\nHost: " + host +
                                "\r\nUser-Agent: certherd-test/1\r\nAccept: */*\r\n"
                                "Content-Type: application/jose+json\r\nX-Empty:\r\n"
                                "Content-Length: 5\r\n\r\n" +
                                std::string("bo\0dy", 5));
}

TEST_F(CurlClientTest, KnowsEveryMethod) {
  TestServer server(echo);
  const std::vector<std::pair<Request::Method, std::string>> methods = {
      {Request::Method::get, "GET "},     {Request::Method::put, "PUT "},
      {Request::Method::patch, "PATCH "}, {Request::Method::delete_, "DELETE "},
      {Request::Method::post, "POST "},
  };
  for (const auto& [method, word] : methods) {
    Request request;
    request.method = method;
    request.url = server.url();
    const auto response = send(*client, std::move(request));
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->body.starts_with(word)) << response->body;
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlClientTest, ReadsOnlyTheHeaderOfAHead) {
  TestServer server([](const std::string& request) {
    EXPECT_TRUE(request.starts_with("HEAD "));
    return TestServer::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nReplay-Nonce: n\r\n\r\n"};
  });
  Request request;
  request.method = Request::Method::head;
  request.url = server.url();
  const auto response = send(*client, std::move(request));

  ASSERT_TRUE(response);
  EXPECT_EQ(response->header("replay-nonce"), "n");
  EXPECT_EQ(response->body, "");
}

TEST_F(CurlClientTest, KeepsTheConnection) {
  TestServer server(echo);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(get(server.url()));

  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests(), 20);
}

TEST_F(CurlClientTest, GivesAnyStatusAsASuccess) {
  for (const int status : {204, 404, 429, 503}) {
    TestServer server([status](const std::string&) {
      return TestServer::Answer{"HTTP/1.1 " + std::to_string(status) +
                                " X\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n"};
    });
    const auto response = get(server.url());
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(retry_after(*response, Time()), Time(std::chrono::seconds(7)));
  }
}

TEST_F(CurlClientTest, DoesNotFollowRedirects) {
  TestServer server([](const std::string&) {
    return TestServer::Answer{
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"};
  });
  const auto response = get(server.url());

  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->header("location"), "/elsewhere");
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(CurlClientTest, GivesHeaderNamesInLowerCaseAndInOrderWithoutThoseOfInterimAnswers) {
  TestServer server([](const std::string&) {
    return TestServer::Answer{
        "HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n"
        "HTTP/1.1 200 OK\r\nLINK:  <a>\t\r\nX-Long: one\r\n t\rwo\r\n"
        "Link:<b>\r\nContent-Length: 2\r\n\r\nhi"};
  });
  const auto response = get(server.url());

  ASSERT_TRUE(response);
  EXPECT_EQ(
      response->headers,
      (Headers{{"link", "<a>"}, {"x-long", "one t wo"}, {"link", "<b>"}, {"content-length", "2"}}));
  EXPECT_EQ(response->body, "hi");
}

TEST_F(CurlClientTest, RefusesABodyOverTheLimit) {
  auto small = make_curl_client(*loop, {.user_agent = {}, .trust_pem = {}, .body_limit = 1000});
  std::size_t size = 1000;
  TestServer server([&size](const std::string&) { return ok(std::string(size, 'x')); });
  Request request;
  request.url = server.url();

  EXPECT_TRUE(send(*small, request));
  size = 1001;
  const Error error = error_of(send(*small, request));
  EXPECT_EQ(error.kind, Error::Kind::rejected);
  EXPECT_EQ(error.detail, "the answer is larger than 1000 bytes");
}

TEST_F(CurlClientTest, RefusesAHeaderThatDoesNotEnd) {
  TestServer server([](const std::string&) {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 100'000; ++i) bytes += "X-More: 0123456789\r\n";
    return TestServer::Answer{bytes, true};
  });
  const Error error = error_of(get(server.url()));

  EXPECT_EQ(error.kind, Error::Kind::rejected);
  EXPECT_EQ(error.detail, "the answer's header is larger than 65536 bytes");
}

TEST_F(CurlClientTest, RefusesWhatIsNotHttp) {
  for (const auto* bytes : {"220 mail.example ESMTP ready\r\n", "HTTP/200 OK\r\n\r\n"}) {
    TestServer server([bytes](const std::string&) { return TestServer::Answer{bytes, true}; });
    const Error error = error_of(get(server.url()));

    EXPECT_EQ(error.kind, Error::Kind::rejected);
    EXPECT_NE(error.detail.find("does not speak HTTP"), std::string::npos) << error.detail;
  }
}

TEST_F(CurlClientTest, GivesUpASlowServerAtTheDeadlineAndWorksOn) {
  const TestServer* self = nullptr;
  TestServer server([&self](const std::string& request) {
    if (request.starts_with("GET /slow")) self->stall();
    return ok("quick");
  });
  self = &server;
  const Error error = error_of(get(server.url("/slow?secret=1"), milliseconds(100)));

  EXPECT_EQ(error.kind, Error::Kind::deadline);
  EXPECT_EQ(error.op, "GET " + server.url("/slow"));
  EXPECT_EQ(get(server.url())->body, "quick");
}

TEST_F(CurlClientTest, CallsABrokenOffAnswerTransient) {
  TestServer server([](const std::string&) {
    return TestServer::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true};
  });
  const Error error = error_of(get(server.url()));

  EXPECT_EQ(error.kind, Error::Kind::transient);
  EXPECT_NE(error.detail.find("broke off"), std::string::npos) << error.detail;
}

TEST_F(CurlClientTest, CallsNoAnswerAtAllTransient) {
  TestServer server([](const std::string&) { return TestServer::Answer{"", true}; });

  EXPECT_EQ(error_of(get(server.url())).kind, Error::Kind::transient);
}

// A connection that was kept may end at any time; whether the server took the request is not known.
TEST_F(CurlClientTest, NeverSendsAgainUnaskedWhatMustNotBeRepeated) {
  TestServer server([](const std::string& request) {
    return request.find(" /last ") == std::string::npos ? ok("") : TestServer::Answer{"", true};
  });
  for (const auto method : {Request::Method::post, Request::Method::patch}) {
    ASSERT_TRUE(get(server.url()));
    const int before = server.requests();
    Request request;
    request.method = method;
    request.url = server.url("/last");
    request.body = "one order, please";
    EXPECT_EQ(error_of(send(*client, std::move(request))).kind, Error::Kind::transient);
    EXPECT_EQ(server.requests(), before + 1);
  }
}

TEST_F(CurlClientTest, CallsALineOfTheHeaderThatDoesNotEndTooLong) {
  TestServer server([](const std::string&) {
    return TestServer::Answer{"HTTP/1.1 200 OK\r\nX-Long: " + std::string(1 << 20, 'x')};
  });
  const Error error = error_of(get(server.url()));
  EXPECT_EQ(error.kind, Error::Kind::rejected);
  EXPECT_THAT(error.detail, testing::HasSubstr("header"));
}

TEST_F(CurlClientTest, CallsARefusedConnectionTransientAndNamesIt) {
  std::string url;
  {
    TestServer gone(echo);
    url = gone.url();
  }
  const Error error = error_of(get(url));

  EXPECT_EQ(error.kind, Error::Kind::transient);
  EXPECT_TRUE(error.detail.starts_with("connection refused by 127.0.0.1:")) << error.detail;
}

TEST_F(CurlClientTest, CallsAnUnknownHostTransientAndNamesIt) {
  const Error error = error_of(get("https://no-such-host.invalid/"));

  EXPECT_EQ(error.kind, Error::Kind::transient);
  EXPECT_EQ(error.detail, "could not resolve host no-such-host.invalid");
}

TEST_F(CurlClientTest, RefusesUrlsThatLeaveTheMachineWithoutTlsOrAreNone) {
  for (const char* url : {"http://192.0.2.1/", "http://example.com/", "http://[2001:db8::1]/",
                          "ftp://127.0.0.1/", "file:///etc/passwd", "", "https://",
                          "https://user:word@127.0.0.1/", "http://127.0.0.1.example.com/"}) {
    const Error error = error_of(get(url));
    EXPECT_EQ(error.kind, Error::Kind::misconfigured) << url;
    EXPECT_EQ(error.message().find("word@"), std::string::npos);
  }
}

TEST_F(CurlClientTest, RefusesHeadersThatSmuggleInAnother) {
  TestServer server(echo);
  for (const auto& header : Headers{{"X", "a\r\nY: b"}, {"X\nY", "b"}, {"", "b"}, {"X:Y", "b"}}) {
    Request request;
    request.url = server.url();
    request.headers = {header};
    EXPECT_EQ(error_of(send(*client, std::move(request))).kind, Error::Kind::misconfigured);
  }
  EXPECT_EQ(server.requests(), 0);
}

Task<void> get_and_count(Client* client, std::string url, Time deadline, int* good) {
  Request request;
  request.url = std::move(url);
  const auto response = co_await client->send(std::move(request), deadline);
  if (response && response->status == 200) ++*good;
}

Task<void> get_many(runtime::EventLoop* loop, Client* client, std::string url, int* good) {
  runtime::TaskGroup group(*loop);
  const Time deadline = loop->clock().now() + minutes(1);
  for (int i = 0; i < 100; ++i) group.spawn(get_and_count(client, url, deadline, good));
  co_await group.join();
}

TEST_F(CurlClientTest, TakesAHundredRequestsAtOnceOverAFewConnections) {
  TestServer server(echo);
  int good = 0;
  loop->run(get_many(loop.get(), client.get(), server.url(), &good));

  EXPECT_EQ(good, 100);
  EXPECT_LE(server.connections(), 8);
}

Task<void> cancel_when_asked(runtime::EventLoop* loop, Client* client, const TestServer* server,
                             int* good) {
  runtime::TaskGroup group(*loop);
  const Time deadline = loop->clock().now() + hours(1);
  for (int i = 0; i < 20; ++i) group.spawn(get_and_count(client, server->url(), deadline, good));
  while (server->requests() < 8) co_await loop->clock().sleep_for(milliseconds(1));
  group.cancel();
  co_await group.join();
}

TEST_F(CurlClientTest, CancellationInMidFlightLeavesNothingBehind) {
  const TestServer* self = nullptr;
  TestServer server([&self](const std::string&) {
    self->stall();
    return ok("");
  });
  self = &server;
  int good = 0;
  // The loop itself complains about what is left over.
  loop->run(cancel_when_asked(loop.get(), client.get(), &server, &good));

  EXPECT_EQ(good, 0);
  client.reset();
}

class CurlTlsTest : public CurlClientTest {
 protected:
  TestServer::Tls certificate(const std::vector<std::string>& names, Time not_before,
                              Time not_after) {
    auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
    return {ca.issue(key->public_key(), names, 1, not_before, not_after), key->to_pem().reveal()};
  }
  TestServer::Tls certificate(const std::vector<std::string>& names) {
    return certificate(names, now - hours(1), now + hours(1));
  }
  Result<Response> get_trusting(std::string url) {
    auto trusting = make_curl_client(*loop, {.user_agent = {}, .trust_pem = ca.root_pem()});
    Request request;
    request.url = std::move(url);
    return send(*trusting, std::move(request));
  }

  Time now = clock.now();
  crypto::LocalCa ca{"Test Root", now};
};

TEST_F(CurlTlsTest, TrustsTheRootsItIsGiven) {
  TestServer server(echo, certificate({"localhost", "127.0.0.1"}));

  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto response = get_trusting(server.url("/", host));
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200);
  }
}

TEST_F(CurlTlsTest, KeepsTheConnection) {
  TestServer server(echo, certificate({"localhost"}));
  auto trusting = make_curl_client(*loop, {.user_agent = {}, .trust_pem = ca.root_pem()});
  Request request;
  request.url = server.url("/", "localhost");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(send(*trusting, request));
  EXPECT_EQ(server.connections(), 1);

  int good = 0;
  for (int i = 0; i < 3; ++i) {
    loop->run(get_many(loop.get(), trusting.get(), request.url, &good));
  }
  EXPECT_EQ(good, 300);
  EXPECT_LE(server.connections(), 8);
}

TEST_F(CurlTlsTest, ShowsItsCertificateToServersThatAskForOne) {
  auto tls = certificate({"localhost"});
  tls.client_root_pem = ca.root_pem();
  TestServer server(echo, tls);
  const auto own = certificate({"client.example"});
  Request request;
  request.url = server.url("/", "localhost");

  auto known = make_curl_client(*loop, {.user_agent = {},
                                        .trust_pem = ca.root_pem(),
                                        .certificate_pem = own.chain_pem,
                                        .key_pem = Secret<std::string>(own.key_pem)});
  const auto response = send(*known, request);
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_FALSE(get_trusting(request.url)) << "a client without a certificate was served";
}

TEST_F(CurlTlsTest, CallsACertificateWithAnotherKeyMisconfigured) {
  TestServer server(echo, certificate({"localhost"}));
  Request request;
  request.url = server.url("/", "localhost");
  const auto wrong_key = Secret<std::string>(certificate({"client.example"}).key_pem);
  auto client =
      make_curl_client(*loop, {.user_agent = {},
                               .trust_pem = ca.root_pem(),
                               .certificate_pem = certificate({"client.example"}).chain_pem,
                               .key_pem = wrong_key});
  const Error error = error_of(send(*client, std::move(request)));
  EXPECT_EQ(error.kind, Error::Kind::misconfigured);
  EXPECT_THAT(error.detail, testing::HasSubstr("client certificate"));
}

TEST_F(CurlTlsTest, RejectsAnUnknownRootAndSaysWhatToDo) {
  TestServer server(echo, certificate({"localhost"}));
  const Error error = error_of(get(server.url("/", "localhost")));

  EXPECT_EQ(error.kind, Error::Kind::rejected);
  EXPECT_TRUE(error.detail.starts_with("the TLS certificate of localhost:")) << error.detail;
  EXPECT_NE(error.detail.find("self-signed certificate in certificate chain"), std::string::npos)
      << error.detail;
  EXPECT_NE(error.detail.find("`trust`"), std::string::npos);
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(CurlTlsTest, RejectsAnotherName) {
  TestServer server(echo, certificate({"other.example"}));
  const Error error = error_of(get_trusting(server.url("/", "localhost")));

  EXPECT_EQ(error.kind, Error::Kind::rejected);
  EXPECT_NE(error.detail.find("localhost"), std::string::npos);
}

TEST_F(CurlTlsTest, RejectsAnExpiredCertificate) {
  TestServer server(echo, certificate({"localhost"}, now - hours(2), now - hours(1)));
  const Error error = error_of(get_trusting(server.url("/", "localhost")));

  EXPECT_EQ(error.kind, Error::Kind::rejected);
  EXPECT_NE(error.detail.find("expired"), std::string::npos) << error.detail;
}

TEST_F(CurlTlsTest, RejectsAServerThatSpeaksNoTls) {
  TestServer server([](const std::string&) { return ok("plain"); });
  std::string url = server.url();
  url.replace(0, 4, "https");

  EXPECT_NE(error_of(get(url, milliseconds(500))).kind, Error::Kind::misconfigured);
}

TEST_F(CurlTlsTest, HonoursSslCertFile) {
  const auto file = std::filesystem::path(testing::TempDir()) / "roots_of_curl_test.pem";
  std::ofstream(file) << ca.root_pem();
  TestServer server(echo, certificate({"localhost"}));
  setenv("SSL_CERT_FILE", file.c_str(), 1);
  client = make_curl_client(*loop, {.user_agent = {}, .trust_pem = {}});
  unsetenv("SSL_CERT_FILE");
  const auto response = get(server.url("/", "localhost"));
  std::filesystem::remove(file);

  EXPECT_TRUE(response) << response.error().message();
}

TEST_F(CurlTlsTest, CallsRootsThatCannotBeReadMisconfigured) {
  TestServer server(echo, certificate({"localhost"}));
  setenv("SSL_CERT_FILE", "/no/such/roots.pem", 1);
  client = make_curl_client(*loop, {.user_agent = {}, .trust_pem = {}});
  unsetenv("SSL_CERT_FILE");

  EXPECT_EQ(error_of(get(server.url("/", "localhost"))).kind, Error::Kind::misconfigured);
}

}  // namespace
}  // namespace certherd::http

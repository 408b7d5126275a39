#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <boost/json.hpp>
#include <sstream>

#include "demo/free_port.hpp"
#include "end_to_end.hpp"
#include "lies.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using Kind = CaRequest::Kind;

constexpr int some_failed = 1;

/// Registering an account is the first that is said to a CA, and it is said once.
class StrangeCa : public OnStage {
 protected:
  void SetUp() override { set_stage({.domains = 1}); }

  Ended registering() { return run({"--json", "account", "register"}); }

  void expect_refusal(const std::string& kind, const std::vector<std::string>& words,
                      int status = some_failed) {
    const auto ended = registering();
    EXPECT_EQ(ended.status, status) << ended.err;
    const auto document = ended.json();
    if (!document.as_object().contains("error")) {
      ADD_FAILURE() << ended.out;
      return;
    }
    EXPECT_EQ(document.at("error").at("kind").as_string(), kind) << ended.err;
    for (const auto& word : words) EXPECT_THAT(ended.err, HasSubstr(word));
    std::cout << "  " << ended.err;
  }

  /// Whatever went wrong before, the same key gets its account.
  void expect_all_well() {
    const auto ended = registering();
    EXPECT_EQ(ended.status, 0) << ended.err;
  }
};

TEST_F(StrangeCa, ThatIsNotThereIsNamedWithItsHostAndPort) {
  const auto directory = stage_->pebble().directory_url();
  const auto port = demo::free_port();
  ASSERT_TRUE(port);
  const auto closed = fmt::format("127.0.0.1:{}", *port);
  configure(directory, "https://" + closed + "/dir");
  expect_refusal("transient", {"ca.pebble", "connection refused by " + closed});
  configure("https://" + closed, "https://acme.nowhere.invalid");
  expect_refusal("transient", {"could not resolve host acme.nowhere.invalid"});
  const auto checked = run({"config", "check"});
  EXPECT_EQ(checked.status, some_failed);
  EXPECT_THAT(checked.out, AllOf(HasSubstr("ca.pebble"), HasSubstr("acme.nowhere.invalid")));
}

TEST_F(StrangeCa, WithAnUntrustedCertificateIsRefusedWithTheWayToTrustIt) {
  set_proxy();
  configure("trust = \"proxy-root.pem\"", "trust = \"pebble-https-root.pem\"");
  expect_refusal("rejected", {"is not trusted", "`trust`", "[ca.pebble]"});
  configure("trust = \"pebble-https-root.pem\"", "trust = \"proxy-root.pem\"");
  expect_all_well();
}

TEST_F(StrangeCa, WithACertificateForAnotherNameIsRefused) {
  set_proxy({.names = {"acme.example.test"}});
  expect_refusal("rejected", {"127.0.0.1", "name"});
}

TEST_F(StrangeCa, WhoseCertificateIsNotValidYetMakesUsDoubtOurClock) {
  set_proxy({.begins = 24h * 365, .ends = 24h * 366});
  expect_refusal("rejected", {"not yet valid", "clock", "this machine"});
}

TEST_F(StrangeCa, WhoseCertificateHasExpiredMakesUsDoubtOurClock) {
  set_proxy({.begins = -24h * 366, .ends = -24h});
  expect_refusal("rejected", {"expired", "clock", "this machine"});
}

TEST_F(StrangeCa, ThatNeverFinishesItsHandshakeIsGivenUp) {
  http::TestServer silent([](const std::string&) { return http::TestServer::Answer{}; });
  auto url = silent.url("/dir");
  configure(stage_->pebble().directory_url(), url.replace(0, 4, "https"));
  configure("requests_at_once", "timeout = \"1s\"\nrequests_at_once");
  expect_refusal("deadline", {url, "no whole answer within 1s"});
}

/// How much memory a process has had at most, in kilobytes.
long most_memory(pid_t process) {
  std::istringstream status(content_of(fmt::format("/proc/{}/status", process)));
  constexpr std::string_view label = "VmHWM:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(label)) return std::stol(line.substr(label.size()));
  }
  return 0;
}

TEST_F(StrangeCa, ThatTalksWithoutEndCostsLittleMemory) {
  set_proxy();
  for (const bool in_header : {false, true}) {
    std::atomic<Program*> program = nullptr;
    std::atomic<long> before = 0;
    std::atomic<long> after = 0;
    const std::string megabyte(1U << 20U, ' ');
    const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
    std::atomic<long> told = 0;
    proxy_->set_hook([&](const CaRequest&, const CaProxy::Forward&) {
      program.wait(nullptr);
      before = most_memory(program.load()->pid());
      CaAnswer answer;
      if (in_header) {
        answer.headers.emplace_back("X-Long", std::string(1U << 20U, 'x'));
        return answer;
      }
      set_header(answer, "Content-Type", "application/json");
      answer.more = [&]() -> std::string {
        after = std::max(after.load(), most_memory(program.load()->pid()));
        ++told;
        return told < 1024 ? megabyte : "";
      };
      return answer;
    });
    auto running = start({"account", "register"});
    program = running.get();
    program.notify_all();
    const auto ended = running->wait(30s);
    EXPECT_EQ(ended.status, some_failed);
    EXPECT_THAT(ended.err, HasSubstr(in_header ? "a line of the answer's header is too long"
                                               : "larger than 4194304 bytes"));
    EXPECT_LT(after - before, 32 * 1024);
    EXPECT_LT(told, 1024);
    proxy_->set_hook(nullptr);
  }
  expect_all_well();
}

using Body = std::string;

const std::vector<Lie>& first_lies() {
  static const std::vector<Lie> lies = {
      {"a directory cut off",
       Kind::directory,
       [](const CaProxy::Forward& forward) {
         auto answer = forward();
         answer.body.resize(answer.body.size() / 2);
         return answer;
       },
       "transient",
       {"directory", "cut off after"}},
      {"a picture",
       Kind::directory,
       replaced("image/png", "\x89PNG"),
       "rejected",
       {"directory", "answered 200 with image/png instead of JSON"}},
      {"a web page",
       Kind::directory,
       [](const CaProxy::Forward&) { return html_answer(200); },
       "transient",
       {"answered 200 with text/html instead of JSON"}},
      {"a load balancer in trouble",
       Kind::directory,
       [](const CaProxy::Forward&) {
         auto answer = html_answer(503);
         set_header(answer, "Retry-After", "3600");
         return answer;
       },
       "transient",
       {"answered 503 with text/html"}},
      {"a redirect",
       Kind::directory,
       [](const CaProxy::Forward&) {
         CaAnswer answer;
         answer.status = 302;
         set_header(answer, "Location", "https://elsewhere.example/dir");
         return answer;
       },
       "rejected",
       {"https://elsewhere.example/dir", "redirects are not followed"}},
      {"brackets",
       Kind::directory,
       replaced("application/json", nested_json(100'000)),
       "rejected",
       {"not JSON"}},
      {"bytes that are no text",
       Kind::directory,
       replaced("application/json", "{\"newNonce\": \"\xc3\x28\"}"),
       "rejected",
       {"not JSON"}},
      {"a list",
       Kind::directory,
       replaced("application/json", "[]"),
       "rejected",
       {"not an object"}},
      {"a directory without members",
       Kind::directory,
       replaced("application/json", "{}"),
       "rejected",
       {"\"newNonce\""}},
      {"plain HTTP",
       Kind::directory,
       edited([](boost::json::object& object) { object["newOrder"] = "http://ca.example/order"; }),
       "rejected",
       {"http://ca.example/order", "not HTTPS"}},
      {"a file",
       Kind::directory,
       edited([](boost::json::object& object) { object["newNonce"] = "file:///etc/passwd"; }),
       "rejected",
       {"file:///etc/passwd", "none"}},
      {"no nonce",
       Kind::nonce,
       [](const CaProxy::Forward& forward) {
         auto answer = forward();
         remove_header(answer, "Replay-Nonce");
         return answer;
       },
       "rejected",
       {"no usable Replay-Nonce"}},
      {"a nonce with a line break's worth of blanks",
       Kind::nonce,
       [](const CaProxy::Forward& forward) {
         auto answer = forward();
         set_header(answer, "Replay-Nonce", "not base64url!");
         return answer;
       },
       "rejected",
       {"no usable Replay-Nonce"}},
      {"a nonce that never works",
       Kind::new_account,
       [](const CaProxy::Forward&) {
         auto answer = problem_answer("badNonce", "not that one", 400);
         set_header(answer, "Replay-Nonce", "bm90LXRoYXQtb25l");
         return answer;
       },
       "transient",
       {"refused", "nonces one after another"}},
      {"a limit of the CA",
       Kind::new_account,
       [](const CaProxy::Forward&) {
         auto answer = problem_answer("rateLimited", "too many registrations", 429);
         set_header(answer, "Retry-After", "7200");
         return answer;
       },
       "throttled",
       {"too many registrations"}},
      {"a limit with a senseless time",
       Kind::new_account,
       [](const CaProxy::Forward&) {
         auto answer = problem_answer("rateLimited", "too many registrations", 429);
         set_header(answer, "Retry-After", "-7200");
         return answer;
       },
       "rejected",
       {"too many registrations"}},
      {"an account without its URL",
       Kind::new_account,
       [](const CaProxy::Forward& forward) {
         auto answer = forward();
         remove_header(answer, "Location");
         return answer;
       },
       "rejected",
       {"newAccount", "no Location"}},
      {"an account by plain HTTP",
       Kind::new_account,
       [](const CaProxy::Forward& forward) {
         auto answer = forward();
         set_header(answer, "Location", "http://ca.example/my-account/1");
         return answer;
       },
       "rejected",
       {"http://ca.example/my-account/1", "not HTTPS"}},
      {"an account of a hundred thousand contacts",
       Kind::new_account,
       edited([](boost::json::object& object) {
         object["contact"] = boost::json::array(100'000, "mailto:a@b.example");
       }),
       "rejected",
       {"100000 elements"}},
      {"terms that a person has to agree to",
       Kind::new_account,
       [](const CaProxy::Forward&) {
         auto answer = problem_answer("userActionRequired", "new terms", 403);
         edit(answer,
              [](boost::json::object& object) { object["instance"] = "https://ca.example/agree"; });
         return answer;
       },
       "misconfigured",
       {"new terms", "https://ca.example/agree"}},
      {"nothing",
       Kind::new_account,
       [](const CaProxy::Forward&) { return hang_up(); },
       "transient",
       {"broke off"}},
  };
  return lies;
}

TEST_F(StrangeCa, WhateverItSaysIsToldAndCostsNoAccount) {
  set_proxy();
  configure("requests_at_once", "timeout = \"5s\"\nrequests_at_once");
  for (const auto& lie : first_lies()) {
    SCOPED_TRACE(lie.name);
    std::cout << lie.name << '\n';
    proxy_->set_hook([&](const CaRequest& request, const CaProxy::Forward& forward) {
      return request.kind == lie.at ? lie.tell(forward) : forward();
    });
    const int status = lie.kind == "misconfigured" ? 2 : some_failed;
    expect_refusal(lie.kind, lie.words, status);
  }
  proxy_->set_hook(nullptr);
  expect_all_well();
  const auto first = registering().json();
  EXPECT_EQ(registering().json().at("account"), first.at("account"));
}

}  // namespace
}  // namespace certherd::e2e

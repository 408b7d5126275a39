#include "notify/webhook/webhook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/section.hpp"
#include "fakes/temporary_folder.hpp"
#include "http/curl_client.hpp"
#include "http/test_server.hpp"
#include "notify/notifier_section.hpp"

namespace certherd::notify {
namespace {

using http::TestServer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using ErrorKind = Error::Kind;
using namespace std::chrono_literals;

constexpr const char* secret_path = "/services/T0/s3cret";

class WebhookTest : public testing::Test {
 protected:
  std::unique_ptr<Notifier> webhook(WebhookOptions options) {
    auto client = http::make_curl_client(*loop, {.user_agent = "certherd-test/1", .trust_pem = {}});
    return make_webhook(*loop, *offload, std::move(client), std::move(options)).value();
  }
  WebhookOptions options_for(const TestServer& server) const {
    WebhookOptions options;
    options.url = Secret<std::string>(server.url(secret_path));
    return options;
  }
  Status send(WebhookOptions options) {
    const auto notifier = webhook(std::move(options));
    Notice notice{.at = now, .notifications = {}};
    return loop->run(notifier->send(std::move(notice)));
  }
  Error refusal(const std::string& answer) {
    const TestServer server([&answer](const std::string&) { return TestServer::Answer{answer}; });
    const auto sent = send(options_for(server));
    EXPECT_FALSE(sent);
    return sent ? Error() : sent.error();
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 1);
  const Time now = loop->clock().now();
};

TEST_F(WebhookTest, PostsTheDocument) {
  std::string request;
  const TestServer server([&request](const std::string& received) {
    request = received;
    return TestServer::Answer{"HTTP/1.1 204 No Content\r\n\r\n"};
  });
  auto options = options_for(server);
  options.token = Secret<std::string>("t0ken");
  options.headers = {{"X-Team", "web"}};
  ASSERT_TRUE(send(std::move(options)));
  EXPECT_THAT(request, AllOf(HasSubstr("POST /services/T0/s3cret HTTP/1.1\r\n"),
                             HasSubstr("\r\nContent-Type: application/json\r\n"),
                             HasSubstr("\r\nAuthorization: Bearer t0ken\r\n"),
                             HasSubstr("\r\nX-Team: web\r\n"), HasSubstr(R"("test":true)")));
}

TEST_F(WebhookTest, ARefusalIsToldWithoutTheSecretsOfTheUrl) {
  struct Case {
    int status;
    ErrorKind kind;
  };
  for (const auto& [status, kind] :
       {Case{301, ErrorKind::misconfigured}, Case{400, ErrorKind::rejected},
        Case{401, ErrorKind::denied}, Case{403, ErrorKind::denied}, Case{404, ErrorKind::not_found},
        Case{429, ErrorKind::throttled}, Case{500, ErrorKind::transient},
        Case{503, ErrorKind::transient}}) {
    const auto error = refusal(fmt::format(
        "HTTP/1.1 {} X\r\nContent-Length: 10\r\nLocation: /x\r\n\r\nno_service", status));
    EXPECT_EQ(error.kind, kind) << status;
    EXPECT_THAT(error.message(), AllOf(HasSubstr(fmt::format("answered {}: no_service", status)),
                                       HasSubstr("http://127.0.0.1:"), Not(HasSubstr("s3cret"))));
  }
  const auto echoing =
      refusal("HTTP/1.1 404 X\r\nContent-Length: 22\r\n\r\nno /services/T0/s3cret");
  EXPECT_THAT(echoing.message(), AllOf(HasSubstr("answered 404"), Not(HasSubstr("s3cret"))));
}

TEST_F(WebhookTest, TakesTheTimeThatALimitNames) {
  const auto error = refusal("HTTP/1.1 429 X\r\nContent-Length: 0\r\nRetry-After: 600\r\n\r\n");
  ASSERT_TRUE(error.retry_at);
  EXPECT_GE(*error.retry_at, now + 600s);
  EXPECT_LT(*error.retry_at, now + 700s);
}

TEST_F(WebhookTest, ALostAnswerOrOneThatNeverComesIsAFailure) {
  const TestServer losing([](const std::string&) { return TestServer::Answer{"", true}; });
  const auto lost = send(options_for(losing));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::transient);
  EXPECT_EQ(losing.requests(), 1) << "not sent again by itself";
  EXPECT_THAT(lost.error().message(), Not(HasSubstr("s3cret")));

  TestServer* self = nullptr;
  TestServer hanging([&self](const std::string&) {
    self->stall();
    return TestServer::Answer{"", true};
  });
  self = &hanging;
  auto options = options_for(hanging);
  options.timeout = 200ms;
  const auto late = send(std::move(options));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::deadline);
  EXPECT_THAT(late.error().message(), Not(HasSubstr("s3cret")));
}

TEST_F(WebhookTest, ACheckConnectsAndAsksForNothing) {
  auto options = WebhookOptions();
  {
    const TestServer server([](const std::string&) { return http::ok(""); });
    options = options_for(server);
    const auto notifier = webhook(options);
    const auto fine = loop->run(notifier->check());
    EXPECT_TRUE(fine) << fine.error().message();
    EXPECT_EQ(server.requests(), 0);
  }
  const auto notifier = webhook(options);
  const auto gone = loop->run(notifier->check());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::transient);
  EXPECT_THAT(gone.error().message(), AllOf(HasSubstr("127.0.0.1"), Not(HasSubstr("s3cret"))));
}

class NotifierSectionTest : public testing::Test {
 protected:
  ReadNotifier read(const std::string& type, const std::string& text) {
    auto document = config::Document::parse("certherd.toml", text).value();
    auto section = document.root();
    auto notifier = read_notifier(NotifierName("n"), type, section, folder);
    faults.clear();
    if (!document.faults().empty()) {
      for (const auto& cause : std::move(document.faults()).error().causes) {
        faults.push_back(cause.message());
      }
    }
    return notifier;
  }
  std::vector<std::string> faults_of(const std::string& type, const std::string& text) {
    read(type, text);
    return faults;
  }
  Result<std::unique_ptr<Notifier>> open(const ReadNotifier& notifier) {
    return notifier.section->open({.loop = *loop, .offload = *offload, .user_agent = "test"});
  }

  fakes::TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  std::vector<std::string> faults;
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 1);
};

constexpr auto whole_mail = R"(url = "smtp://mail.example.com"
user = "u"
password = { env = "MAIL_PASSWORD" }
from = "certherd@example.com"
to = ["ops@example.com"]
timeout = "20s"
)";

TEST_F(NotifierSectionTest, ReadsBothTypes) {
  const auto mail = read("smtp", whole_mail);
  EXPECT_THAT(faults, IsEmpty());
  EXPECT_THAT(mail.section->secret_variables(), ElementsAre("MAIL_PASSWORD"));
  EXPECT_EQ(mail.subscription.notifier, NotifierName("n"));
  EXPECT_EQ(mail.subscription.kinds.size(), alarm_kinds.size());
  EXPECT_TRUE(mail.subscription.endings);

  const auto hook = read("webhook", R"(url = { env = "HOOK" }
token = { file = "token" }
headers = { X-Team = "web" }
events = ["not-served", "recovered"])");
  EXPECT_THAT(faults, IsEmpty());
  EXPECT_THAT(hook.section->secret_variables(), ElementsAre("HOOK"));
  EXPECT_THAT(hook.subscription.kinds, ElementsAre(Alarm::Kind::not_served));
  EXPECT_TRUE(hook.subscription.endings);
  EXPECT_FALSE(read("webhook", R"(url = "https://a.example"
events = ["failing"])")
                   .subscription.endings);
}

TEST_F(NotifierSectionTest, ASecretThatIsMissingShowsWhenItIsOpened) {
  const auto hook = read("webhook", R"(url = { file = "url" })");
  const auto missing = open(hook);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::misconfigured);
  std::ofstream(folder / "url") << "ftp://a.example/s3cret\n";
  std::filesystem::permissions(folder / "url", std::filesystem::perms(0600));
  const auto wrong = open(hook);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message(), AllOf(HasSubstr("https://"), Not(HasSubstr("s3cret"))));
  std::ofstream(folder / "url") << "https://a.example/s3cret\n";
  EXPECT_TRUE(open(hook));
}

TEST_F(NotifierSectionTest, TellsEachFault) {
  EXPECT_THAT(faults_of("webhook", R"(url = "http://a.example/s3cret")"),
              ElementsAre(AllOf(HasSubstr("url: http is for this machine only"),
                                Not(HasSubstr("s3cret")))));
  EXPECT_THAT(faults_of("webhook", "events = [\"failed\"]\ntimeout = \"2h\""),
              testing::UnorderedElementsAre(
                  HasSubstr("\"failed\" is no event; known here: failing, expiring, not-served, "
                            "account, recovered"),
                  HasSubstr("must name what to tell of"), HasSubstr("url: must be the URL"),
                  HasSubstr("timeout: must be from 1s to")));
  EXPECT_THAT(faults_of("webhook", "url = \"https://a.example\"\nheaders = { \"X Y\" = \"a\" }"),
              ElementsAre(HasSubstr("\"X Y\" is no header")));
  EXPECT_THAT(faults_of("webhook", "url = \"https://a.example\"\nfoo = 1"),
              ElementsAre(HasSubstr("foo: unknown key")));
  EXPECT_THAT(faults_of("smtp", R"(url = "http://mail.example.com"
from = "Certherd <a@example.com>"
to = ["ops@example.com\r\nRCPT TO:<x@y.example>"]
user = "u")"),
              testing::UnorderedElementsAre(
                  HasSubstr("url: must be the mail server"), HasSubstr("from: must be an address"),
                  HasSubstr("is no address"), HasSubstr("user and password go together")));
  EXPECT_THAT(faults_of("smtp", R"(url = "smtps://u:p@mail.example.com"
from = "a@example.com"
to = [])"),
              testing::UnorderedElementsAre(HasSubstr("have keys of their own"),
                                            HasSubstr("to: must name who is told")));
}

}  // namespace
}  // namespace certherd::notify

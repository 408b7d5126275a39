#include "notify/smtp/smtp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/local_ca.hpp"
#include "fakes/scripted_smtp.hpp"
#include "runtime/offload.hpp"
#include "runtime/task_group.hpp"

namespace certherd::notify {
namespace {

using fakes::ScriptedSmtp;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using ErrorKind = Error::Kind;
using namespace std::chrono_literals;

// libcurl takes it for 127.0.0.1 (RFC 6761 section 6.3), and certherd for somebody else's.
constexpr const char* other_host = "mail.localhost";

class SmtpTest : public testing::Test {
 protected:
  static SmtpOptions options_for(const ScriptedSmtp& server,
                                 const std::string& host = "127.0.0.1") {
    SmtpOptions options;
    options.host = host;
    options.port = server.port();
    options.from = "certherd@a.example";
    options.to = {"ops@b.example", "web@b.example"};
    options.timeout = 20s;
    return options;
  }
  SmtpOptions trusting(const ScriptedSmtp& server) const {
    auto options = options_for(server, other_host);
    options.trust_pem = ca.root_pem();
    return options;
  }
  ScriptedSmtp::Options with_tls() const {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
    ScriptedSmtp::Options options;
    options.chain_pem = ca.issue(key.public_key(), {other_host}, 7, now - 1h, now + 24h);
    options.key_pem = key.to_pem().reveal();
    return options;
  }

  Notice notice() const {
    Notification notification;
    notification.alarm = {
        .key = {.kind = Alarm::Kind::failing, .domain = Fqdn::literal("shop.example")},
        .since = now,
        .detail = "größte Not"};
    return {.at = now, .notifications = {std::move(notification)}};
  }
  Status send(SmtpOptions options) {
    const auto notifier = make_smtp(*loop, std::move(options));
    return loop->run(notifier->send(notice()));
  }
  Status check(SmtpOptions options) {
    const auto notifier = make_smtp(*loop, std::move(options));
    return loop->run(notifier->check());
  }

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  const Time now = loop->clock().now();
  crypto::LocalCa ca{"Test Root", now};
};

TEST_F(SmtpTest, OnThisMachineAMailGoesWithoutTls) {
  const ScriptedSmtp server(with_tls());
  const auto sent = send(options_for(server));
  ASSERT_TRUE(sent) << sent.error().message();
  const auto mails = server.mails();
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_FALSE(mails[0].encrypted);
  EXPECT_EQ(mails[0].from, "certherd@a.example");
  EXPECT_THAT(mails[0].to, ElementsAre("ops@b.example", "web@b.example"));
  EXPECT_THAT(mails[0].text, AllOf(HasSubstr("\r\nSubject: certherd: failing: shop.example\r\n"),
                                   HasSubstr("gr=C3=B6=C3=9Fte Not\r\n")));
}

TEST_F(SmtpTest, ElsewhereItTakesStartTls) {
  const ScriptedSmtp server(with_tls());
  const auto sent = send(trusting(server));
  ASSERT_TRUE(sent) << sent.error().message();
  ASSERT_THAT(server.mails(), SizeIs(1));
  EXPECT_TRUE(server.mails()[0].encrypted);
}

TEST_F(SmtpTest, NothingIsSentToAServerWithoutTls) {
  const ScriptedSmtp server;
  auto options = options_for(server, other_host);
  options.user = "u";
  options.password = Secret<std::string>("p");
  const auto sent = send(std::move(options));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(sent.error().detail, HasSubstr("offers no STARTTLS"));
  EXPECT_THAT(server.mails(), IsEmpty());
  EXPECT_THAT(server.commands(), Not(Contains("AUTH")));
}

TEST_F(SmtpTest, NothingIsSentToAServerThatIsNotTrusted) {
  const ScriptedSmtp server(with_tls());
  const auto sent = send(options_for(server, other_host));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::rejected);
  EXPECT_THAT(sent.error().detail, HasSubstr("`trust`"));
  EXPECT_THAT(server.mails(), IsEmpty());
}

TEST_F(SmtpTest, LogsInOverTlsFromTheStart) {
  auto scripted = with_tls();
  scripted.tls_from_start = true;
  scripted.login = "u p";
  const ScriptedSmtp server(std::move(scripted));
  auto options = trusting(server);
  options.tls_from_start = true;
  options.user = "u";
  options.password = Secret<std::string>("p");
  const auto sent = send(options);
  ASSERT_TRUE(sent) << sent.error().message();
  ASSERT_THAT(server.mails(), SizeIs(1));
  EXPECT_EQ(server.mails()[0].login, "u p");

  options.password = Secret<std::string>("secret-and-wrong");
  const auto refused = send(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("535 5.7.8 wrong password"), Not(HasSubstr("secret-and-wrong"))));
}

TEST_F(SmtpTest, TheSameNoticeHasTheSameMessageId) {
  const ScriptedSmtp server;
  ASSERT_TRUE(send(options_for(server)));
  ASSERT_TRUE(send(options_for(server)));
  ASSERT_THAT(server.mails(), SizeIs(2));
  EXPECT_EQ(server.mails()[0].text, server.mails()[1].text);
}

TEST_F(SmtpTest, ARefusalIsToldInTheServersWords) {
  struct Case {
    std::string at;
    std::string answer;
    ErrorKind kind;
  };
  for (const auto& [at, answer, kind] :
       {Case{"MAIL", "451 4.3.0 come back later", ErrorKind::transient},
        Case{"DATA", "554 5.7.1 no mail from you", ErrorKind::rejected},
        Case{".", "552 5.3.4 too large", ErrorKind::rejected},
        Case{".", "451 4.3.0 queue is full", ErrorKind::transient}}) {
    ScriptedSmtp::Options scripted;
    scripted.answers = {{at, answer}};
    const ScriptedSmtp server(std::move(scripted));
    const auto sent = send(options_for(server));
    ASSERT_FALSE(sent) << answer;
    EXPECT_EQ(sent.error().kind, kind) << answer;
    EXPECT_THAT(sent.error().detail, HasSubstr(answer));
  }
}

TEST_F(SmtpTest, OneRecipientThatIsRefusedKeepsItFromNobodyElse) {
  ScriptedSmtp::Options scripted;
  scripted.answers = {{"RCPT ops@b.example", "550 5.1.1 no such user"}};
  const ScriptedSmtp server(std::move(scripted));
  EXPECT_TRUE(send(options_for(server)));
  ASSERT_THAT(server.mails(), SizeIs(1));
  EXPECT_THAT(server.mails()[0].to, ElementsAre("web@b.example"));
}

TEST_F(SmtpTest, AllRecipientsRefusedIsAFailure) {
  ScriptedSmtp::Options scripted;
  scripted.answers = {{"RCPT ops@b.example", "550 5.1.1 no such user"},
                      {"RCPT web@b.example", "550 5.1.1 no such user"}};
  const ScriptedSmtp server(std::move(scripted));
  const auto sent = send(options_for(server));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::rejected);
  EXPECT_THAT(sent.error().detail, HasSubstr("550 5.1.1 no such user"));
}

TEST_F(SmtpTest, ALostAnswerIsAFailureAlthoughTheMailWasTaken) {
  ScriptedSmtp::Options scripted;
  scripted.answers = {{".", ""}};
  const ScriptedSmtp server(std::move(scripted));
  const auto sent = send(options_for(server));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::transient);
  EXPECT_THAT(server.mails(), SizeIs(1));
}

TEST_F(SmtpTest, AServerThatHangsIsLeftInTime) {
  for (const auto* at : {"EHLO", "MAIL", "."}) {
    ScriptedSmtp::Options scripted;
    scripted.hang_at = at;
    const ScriptedSmtp server(std::move(scripted));
    auto options = options_for(server);
    options.timeout = 300ms;
    const auto sent = send(std::move(options));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, ErrorKind::deadline);
  }
}

TEST_F(SmtpTest, AMailThatWasTakenWaitsForNoFarewell) {
  ScriptedSmtp::Options scripted;
  scripted.hang_at = "QUIT";
  const ScriptedSmtp server(std::move(scripted));
  EXPECT_TRUE(send(options_for(server)));
  EXPECT_LT(loop->clock().now() - now, 10s);
}

Task<void> cancel_when_it_hangs(runtime::TaskGroup* group, runtime::Offload* offload,
                                const ScriptedSmtp* server) {
  co_await offload->run([server] { server->await_hanging(); });
  group->cancel();
  co_await group->join();
}

Task<void> drop(Task<Status> task) { static_cast<void>(co_await std::move(task)); }

TEST_F(SmtpTest, ACancelledMailIsBrokenOff) {
  ScriptedSmtp::Options scripted;
  scripted.hang_at = "DATA";
  const ScriptedSmtp server(std::move(scripted));
  const auto notifier = make_smtp(*loop, options_for(server));
  const auto offload = runtime::make_thread_offload(*loop, 1);
  runtime::TaskGroup group(*loop);
  group.spawn(drop(notifier->send(notice())));
  loop->run(cancel_when_it_hangs(&group, offload.get(), &server));
  EXPECT_LT(loop->clock().now() - now, 10s) << "its own limit is 20 s";
}

TEST_F(SmtpTest, NobodyThereIsTold) {
  std::string port;
  {
    const ScriptedSmtp server;
    port = server.port();
  }
  const ScriptedSmtp other;
  auto options = options_for(other);
  options.port = port;
  const auto sent = send(std::move(options));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::transient);
  EXPECT_THAT(sent.error().message(), HasSubstr("send mail by 127.0.0.1:" + port));
}

TEST_F(SmtpTest, ACheckSendsNothing) {
  auto scripted = with_tls();
  scripted.login = "u p";
  const ScriptedSmtp server(std::move(scripted));
  auto options = trusting(server);
  options.user = "u";
  options.password = Secret<std::string>("p");
  const auto fine = check(options);
  EXPECT_TRUE(fine) << fine.error().message();
  EXPECT_THAT(server.commands(), ElementsAre("EHLO", "STARTTLS", "EHLO", "AUTH", "NOOP", "QUIT"));
  options.password = Secret<std::string>("q");
  EXPECT_EQ(check(options).error().kind, ErrorKind::denied);
}

TEST(ThisMachine, IsLoopbackAlone) {
  for (const auto* host : {"localhost", "127.0.0.1", "127.1.2.3", "[::1]"}) {
    EXPECT_TRUE(is_this_machine(host)) << host;
  }
  for (const auto* host : {"mail.localhost", "127.0.0.1.example", "192.0.2.1", "[2001:db8::1]"}) {
    EXPECT_FALSE(is_this_machine(host)) << host;
  }
}

}  // namespace
}  // namespace certherd::notify

#include "notify/words.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "notify/smtp/message.hpp"
#include "notify/webhook/document.hpp"

namespace certherd::notify {
namespace {

using Kind = Alarm::Kind;
using namespace std::chrono_literals;

constexpr Time start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

Notification begun(const std::string& domain, Kind kind = Kind::failing) {
  Notification notification;
  notification.alarm = {.id = AlarmId{7},
                        .key = {.kind = kind, .domain = Fqdn::literal(domain)},
                        .since = start,
                        .detail = "why " + domain};
  return notification;
}

Notification over(const std::string& domain, Kind kind = Kind::failing) {
  auto notification = begun(domain, kind);
  notification.over = true;
  notification.alarm.cleared_at = start + 1h;
  notification.alarm.ending = "how " + domain;
  return notification;
}

Notification account() {
  auto notification = begun("a.example", Kind::account);
  notification.alarm.key.domain = {};
  notification.alarm.key.ca = CaName("le");
  return notification;
}

TEST(Headline, SaysWhatItIsAboutOrHowManyOfWhat) {
  EXPECT_EQ(headline({}), "certherd: a test");
  EXPECT_EQ(headline({.notifications = {begun("a.example")}}), "certherd: failing: a.example");
  EXPECT_EQ(headline({.notifications = {over("a.example", Kind::not_served)}}),
            "certherd: recovered from not-served: a.example");
  EXPECT_EQ(headline({.notifications = {account()}}), "certherd: account: [ca.le]");
  EXPECT_EQ(headline({.notifications = {begun("a.example"), begun("b.example"), over("c.example"),
                                        begun("d.example", Kind::expiring)}}),
            "certherd: 2 failing, 1 expiring, 1 recovered");
}

TEST(NoticeText, HasALineForEachAndAnEnd) {
  const Notice notice{.at = start, .notifications = {begun("a.example"), over("b.example")}};
  EXPECT_EQ(text_of(notice, 2),
            "failing since 2026-11-23T00:00:00Z: why a.example\n"
            "recovered at 2026-11-23T01:00:00Z (failing since 2026-11-23T00:00:00Z): how "
            "b.example\n");
  EXPECT_EQ(text_of(notice, 1),
            "failing since 2026-11-23T00:00:00Z: why a.example\n"
            "and 1 more: certherd log shows them all\n");
  EXPECT_EQ(text_of({.at = start}, 2),
            "This is a test, sent at 2026-11-23T00:00:00Z: alarms will come this way.\n");
}

TEST(WebhookDocument, HoldsEachAlarmWithItsState) {
  const Notice notice{.at = start + 2h,
                      .notifications = {begun("a.example"), over("b.example"), account()}};
  const auto document = boost::json::parse(webhook::document_of(notice)).as_object();
  EXPECT_EQ(document.at("source"), "certherd");
  EXPECT_EQ(document.at("at"), "2026-11-23T02:00:00Z");
  EXPECT_EQ(document.at("test"), false);
  EXPECT_EQ(document.at("summary"), "certherd: 1 failing, 1 account, 1 recovered");
  EXPECT_TRUE(document.at("text").as_string().starts_with(
      "certherd: 1 failing, 1 account, 1 recovered\nfailing since"));
  const auto& alarms = document.at("alarms").as_array();
  ASSERT_EQ(alarms.size(), 3);
  EXPECT_EQ(alarms[0], (boost::json::object{{"id", 7},
                                            {"kind", "failing"},
                                            {"state", "raised"},
                                            {"domain", "a.example"},
                                            {"ca", nullptr},
                                            {"since", "2026-11-23T00:00:00Z"},
                                            {"cleared_at", nullptr},
                                            {"detail", "why a.example"}}));
  EXPECT_EQ(alarms[1], (boost::json::object{{"id", 7},
                                            {"kind", "failing"},
                                            {"state", "recovered"},
                                            {"domain", "b.example"},
                                            {"ca", nullptr},
                                            {"since", "2026-11-23T00:00:00Z"},
                                            {"cleared_at", "2026-11-23T01:00:00Z"},
                                            {"detail", "how b.example"}}));
  EXPECT_EQ(alarms[2].at("ca"), "le");
  EXPECT_EQ(alarms[2].at("domain"), nullptr);
  EXPECT_EQ(boost::json::parse(webhook::document_of({})).at("test"), true);
}

struct MailText : testing::Test {
  smtp::Mail mail{.from = "certherd@a.example",
                  .to = {"ops@b.example", "web@b.example"},
                  .subject = "certherd: failing: a.example",
                  .body = "one\n.two\n",
                  .id = "0123",
                  .date = start};

  std::string body() const {
    const auto text = smtp::text_of(mail);
    return text.substr(text.find("\r\n\r\n") + 4);
  }
  std::string header(const std::string& name) const {
    const auto text = smtp::text_of(mail);
    const auto at = text.find("\r\n" + name + ": ") + name.size() + 4;
    auto end = text.find("\r\n", at);
    while (text[end + 2] == ' ') end = text.find("\r\n", end + 2);
    return text.substr(at, end - at);
  }
};

TEST_F(MailText, IsAWholeMail) {
  EXPECT_EQ(smtp::text_of(mail),
            "Date: Mon, 23 Nov 2026 00:00:00 +0000\r\n"
            "From: certherd <certherd@a.example>\r\n"
            "To: ops@b.example,\r\n web@b.example\r\n"
            "Subject: certherd: failing: a.example\r\n"
            "Message-ID: <0123@a.example>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "one\r\n.two\r\n");
}

TEST_F(MailText, ASubjectCannotBeginAnotherHeader) {
  mail.subject = "failing\r\nBcc: all@b.example\nX: y";
  EXPECT_EQ(header("Subject"), "failing  Bcc: all@b.example X: y");
}

TEST_F(MailText, AForeignOrLongSubjectBecomesEncodedWords) {
  mail.subject = "größe";
  EXPECT_EQ(header("Subject"), "=?UTF-8?B?Z3LDtsOfZQ==?=");
  mail.subject = std::string(41, 'a') + "öb";
  EXPECT_EQ(header("Subject"),
            "=?UTF-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=?=\r\n "
            "=?UTF-8?B?w7Zi?=")
      << "no word ends inside a character";
}

TEST_F(MailText, TheBodyIsQuotedPrintable) {
  mail.body = "a=b ö \n\ttab\r\nend";
  EXPECT_EQ(body(), "a=3Db =C3=B6=20\r\n=09tab=0D\r\nend\r\n");
  mail.body =
      std::string(75, 'x') + "\n" + std::string(76, 'y') + "\n" + std::string(74, 'z') + "=";
  EXPECT_EQ(body(), std::string(75, 'x') + "\r\n" + std::string(75, 'y') + "=\r\ny\r\n" +
                        std::string(74, 'z') + "=\r\n=3D\r\n");
}

TEST(MailAddress, IsBareAndHarmless) {
  for (const auto* good : {"a@b.example", "first.last+tag@b.example", "a@localhost"}) {
    EXPECT_TRUE(smtp::is_address(good)) << good;
  }
  for (const auto* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "<a@b>",
                          "A <a@b>", "a,c@b", "\"a\"@b", "ö@b.example", "a@[192.0.2.1]"}) {
    EXPECT_FALSE(smtp::is_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace certherd::notify

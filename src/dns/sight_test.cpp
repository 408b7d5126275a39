#include "dns/sight.hpp"

#include <gtest/gtest.h>

namespace certherd::dns {
namespace {

class Sight : public testing::Test {
 protected:
  Sight() { reply.authoritative = true; }

  void stands(RecordType type, std::string text, std::string name = "_acme-challenge.a.test") {
    reply.answers.push_back({std::move(name), type, 5, std::move(text)});
  }
  std::string missing(bool authority = true) const {
    return what_is_missing(reply, Fqdn::literal("_acme-challenge.a.test"),
                           {TxtValue("one"), TxtValue("two")}, authority);
  }

  Message reply;
};

TEST_F(Sight, ShowsAllValuesWhateverElseStandsThere) {
  stands(RecordType::txt, "foreign");
  stands(RecordType::txt, "two");
  stands(RecordType::txt, "one");
  EXPECT_EQ(missing(), "");
}

TEST_F(Sight, TellsHowManyValuesAreMissing) {
  stands(RecordType::txt, "foreign");
  stands(RecordType::txt, "two");
  EXPECT_EQ(missing(), "1 of 2 values missing among its 2 TXT records");
}

TEST_F(Sight, CountsNoValuesOfOtherNames) {
  stands(RecordType::txt, "one", "b.test");
  stands(RecordType::txt, "two", "b.test");
  EXPECT_EQ(missing(), "no TXT record");
}

TEST_F(Sight, TellsOfANameThatDoesNotExist) {
  reply.code = ResponseCode::name_error;
  EXPECT_EQ(missing(), "no TXT record (NXDOMAIN)");
}

TEST_F(Sight, TellsOfACnameThatCameInTheWay) {
  stands(RecordType::cname, "elsewhere.test");
  EXPECT_EQ(missing(), "a CNAME to elsewhere.test stands there");
}

TEST_F(Sight, NamesTheServersFailure) {
  reply.code = ResponseCode::server_failure;
  EXPECT_EQ(missing(), "SERVFAIL");
}

TEST_F(Sight, WantsTheAuthoritysOwnAnswer) {
  stands(RecordType::txt, "one");
  stands(RecordType::txt, "two");
  reply.authoritative = false;
  EXPECT_EQ(missing(), "not authoritative for it (lame delegation)");
  EXPECT_EQ(missing(false), "");
}

}  // namespace
}  // namespace certherd::dns

#include "dns/message.hpp"

#include <gtest/gtest.h>

#include "dns/scripted_server_test.hpp"

namespace certherd::dns {
namespace {

Message sample() {
  Message message;
  message.id = 0x1234;
  message.code = ResponseCode::name_error;
  message.authoritative = true;
  message.question = {.name = "_acme-challenge.example.test", .type = RecordType::txt};
  message.answers = {
      {"_acme-challenge.example.test", RecordType::cname, 60, "x1.acme.test"},
      {"x1.acme.test", RecordType::txt, 5, "first value"},
      {"x1.acme.test", RecordType::txt, 5, "second"},
  };
  message.authority = {{"acme.test", RecordType::soa, 60, "ns1.acme.test"},
                       {"acme.test", RecordType::ns, 60, "ns1.acme.test"}};
  message.additional = {{"ns1.acme.test", RecordType::a, 60, "192.0.2.1"},
                        {"ns1.acme.test", RecordType::aaaa, 60, "2001:db8::1"}};
  return message;
}

void append(Packet& packet, std::initializer_list<unsigned> octets) {
  for (const unsigned octet : octets) packet.push_back(static_cast<std::uint8_t>(octet));
}

/// A reply to "a. TXT" whose sections the test writes by hand.
Packet by_hand(unsigned answers, unsigned additional) {
  Packet packet;
  append(packet, {0, 1, 0x84, 0, 0, 1, answers >> 8U, answers & 0xFFU, 0, 0, additional >> 8U,
                  additional & 0xFFU});
  append(packet, {1, 'a', 0, 0, 16, 0, 1});
  return packet;
}

TEST(DecodeReply, GivesBackEverySection) {
  const auto message = decode_reply(encode_reply(sample()));

  ASSERT_TRUE(message) << message.error().message();
  EXPECT_EQ(message->id, 0x1234);
  EXPECT_EQ(message->code, ResponseCode::name_error);
  EXPECT_TRUE(message->authoritative);
  EXPECT_FALSE(message->truncated);
  EXPECT_EQ(message->question, sample().question);
  EXPECT_EQ(message->answers, sample().answers);
  EXPECT_EQ(message->authority, sample().authority);
  EXPECT_EQ(message->additional, sample().additional);
}

TEST(DecodeReply, LowersNames) {
  auto mixed = sample();
  mixed.question.name = "_ACME-Challenge.Example.TEST";
  mixed.answers = {{"X1.Acme.TEST", RecordType::cname, 60, "Y.Acme.TEST"}};

  const auto message = decode_reply(encode_reply(mixed));

  ASSERT_TRUE(message);
  EXPECT_EQ(message->question.name, "_acme-challenge.example.test");
  EXPECT_EQ(message->answers.front().name, "x1.acme.test");
  EXPECT_EQ(message->answers.front().text, "y.acme.test");
}

TEST(DecodeReply, JoinsTheStringsOfOneTxtRecord) {
  auto packet = by_hand(1, 0);
  append(packet, {0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 5, 0, 7, 3, 'a', 'b', 'c', 0, 1, 0xFF});

  const auto message = decode_reply(packet);

  ASSERT_TRUE(message) << message.error().message();
  EXPECT_EQ(message->answers.front().text, "abc\xFF");
}

TEST(DecodeReply, AddsTheUpperBitsOfTheCodeFromOpt) {
  auto packet = by_hand(0, 1);
  append(packet, {0, 0, 41, 0x04, 0xD0, 1, 0, 0, 0, 0, 0});  // BADVERS is 16

  const auto message = decode_reply(packet);

  ASSERT_TRUE(message) << message.error().message();
  EXPECT_EQ(to_string(message->code), "RCODE16");
  EXPECT_TRUE(message->additional.empty());
}

TEST(DecodeReply, PassesOverOtherClasses) {
  auto packet = by_hand(1, 0);
  append(packet, {0xC0, 12, 0, 16, 0, 3, 0, 0, 0, 5, 0, 2, 1, 'x'});

  EXPECT_TRUE(decode_reply(packet)->answers.empty());
}

TEST(DecodeReply, ReadsTheHeaderOfATruncatedReplyThatWasCutInsideARecord) {
  auto cut = sample();
  cut.truncated = true;
  auto packet = encode_reply(cut);
  packet.resize(packet.size() - 20);

  const auto message = decode_reply(packet);

  ASSERT_TRUE(message);
  EXPECT_TRUE(message->truncated);
}

TEST(DecodeReply, RefusesTooManyRecordsBeforeReadingThem) {
  auto packet = by_hand(10'000, 0);
  for (int i = 0; i < 10'000; ++i) {
    append(packet, {0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 5, 0, 0});
    if (packet.size() > 65'000) break;
  }

  const auto message = decode_reply(packet);

  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().kind, Error::Kind::rejected);
  EXPECT_EQ(message.error().detail, "it has more than 1000 records");
}

TEST(DecodeReply, RefusesWhatIsNoReplyToOneQuestion) {
  const auto query = encode_query(7, {.name = "example.test", .type = RecordType::txt}, true);
  ASSERT_TRUE(query);
  EXPECT_EQ(decode_reply(*query).error().detail, "it is a query");

  auto no_question = by_hand(0, 0);
  no_question[5] = 0;
  EXPECT_EQ(decode_reply(no_question).error().detail, "it has 0 questions, not one");

  EXPECT_EQ(decode_reply(Packet(11)).error().detail, "it is shorter than a header");
  EXPECT_EQ(decode_reply(Packet(65'536)).error().detail, "it is larger than 64 KiB");
}

TEST(DecodeReply, EndsOnPointersThatGoInCircles) {
  auto packet = by_hand(1, 0);
  const auto here = static_cast<unsigned>(packet.size());
  append(packet, {0xC0, here, 0, 16, 0, 1, 0, 0, 0, 5, 0, 0});

  EXPECT_FALSE(decode_reply(packet));
}

// The two tables below show little by their values: the sanitizers fail them on leaks, double
// frees and on anything that our own code does outside of the packet.
TEST(DecodeReply, SurvivesEveryTruncation) {
  const auto packet = encode_reply(sample());
  std::size_t refused = 0;
  for (std::size_t size = 0; size < packet.size(); ++size) {
    const Packet cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    refused += decode_reply(cut) ? 0 : 1;
  }
  EXPECT_EQ(refused, packet.size());
}

TEST(DecodeReply, SurvivesEveryFlippedBitAndEveryExtremeOctet) {
  auto rich = encode_reply(sample());
  // Types whose fields have lengths of their own: RRSIG, NAPTR, CAA, SVCB, LOC, HIP, OPT, IPSECKEY.
  for (const unsigned type : {46U, 35U, 257U, 64U, 29U, 55U, 41U, 45U, 47U, 50U, 250U, 99U}) {
    append(rich, {0, type >> 8U, type & 0xFFU, 0, 1, 0, 0, 0, 1, 0, 24});
    append(rich, {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7});
  }
  rich[11] = static_cast<std::uint8_t>(rich[11] + 12);
  std::size_t tried = 0;
  for (std::size_t at = 0; at < rich.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto flipped = rich;
      flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1U << bit));
      static_cast<void>(decode_reply(flipped));
      ++tried;
    }
    for (const unsigned extreme : {0x00U, 0x3FU, 0x40U, 0xC0U, 0xFFU}) {
      auto changed = rich;
      changed[at] = static_cast<std::uint8_t>(extreme);
      static_cast<void>(decode_reply(changed));
      ++tried;
    }
  }
  EXPECT_EQ(tried, rich.size() * 13);
}

TEST(EncodeQuery, AsksOneQuestionWithIdRecursionFlagAndPayloadSize) {
  const auto query =
      encode_query(0xABCD, {.name = "_acme-challenge.a.test", .type = RecordType::txt}, true);

  ASSERT_TRUE(query);
  Packet expected;
  append(expected, {0xAB, 0xCD, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1, 15});
  for (const char letter : std::string_view("_acme-challenge")) {
    expected.push_back(static_cast<std::uint8_t>(letter));
  }
  append(expected, {1, 'a', 4, 't', 'e', 's', 't', 0, 0, 16, 0, 1});
  append(expected, {0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(*query, expected);
}

TEST(EncodeQuery, LeavesRecursionOffForAuthoritativeServers) {
  const auto query = encode_query(1, {.name = "a.test", .type = RecordType::ns}, false);
  ASSERT_TRUE(query);
  EXPECT_EQ((*query)[2], 0);
}

TEST(EncodeQuery, AsksForTheRoot) {
  EXPECT_TRUE(encode_query(1, {.name = "", .type = RecordType::soa}, true));
}

TEST(EncodeQuery, RefusesNamesThatDoNotFit) {
  for (const auto& name : {std::string(64, 'a') + ".test", std::string("a..test"),
                           std::string(200, 'a').replace(60, 1, ".").replace(120, 1, ".") + "." +
                               std::string(60, 'b')}) {
    const auto query = encode_query(1, {.name = name, .type = RecordType::txt}, true);
    ASSERT_FALSE(query) << name;
    EXPECT_EQ(query.error().kind, Error::Kind::misconfigured);
  }
}

}  // namespace
}  // namespace certherd::dns

#include "dns/responder/authority.hpp"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <memory>

#include "runtime/random.hpp"

namespace certherd::dns::responder {
namespace {

using PacketPointer = std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)>;

/// A reply as ldns reads it, a reader that this server does not share.
PacketPointer decode(const std::string& wire) {
  ldns_pkt* packet = nullptr;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(wire.data());
  EXPECT_EQ(ldns_wire2pkt(&packet, octets, wire.size()), LDNS_STATUS_OK);
  return {packet, ldns_pkt_free};
}

std::string encode(ldns_pkt* packet) {
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(ldns_pkt2wire(&octets, packet, &size), LDNS_STATUS_OK);
  std::string wire(octets, octets + size);
  std::free(octets);  // ldns allocates with malloc
  return wire;
}

struct Ask {
  std::uint16_t flags = LDNS_RD;
  ldns_rr_class record_class = LDNS_RR_CLASS_IN;
  std::optional<std::uint16_t> payload = {};  // asks with EDNS
  std::uint8_t edns_version = 0;
  bool dnssec_ok = false;
};

std::string query(const std::string& name, ldns_rr_type type, const Ask& ask = {}) {
  const PacketPointer packet(
      ldns_pkt_query_new(ldns_dname_new_frm_str(name.c_str()), type, ask.record_class, ask.flags),
      ldns_pkt_free);
  ldns_pkt_set_id(packet.get(), 4711);
  if (ask.payload) {
    ldns_pkt_set_edns_udp_size(packet.get(), *ask.payload);
    ldns_pkt_set_edns_version(packet.get(), ask.edns_version);
    ldns_pkt_set_edns_do(packet.get(), ask.dnssec_ok);
  }
  return encode(packet.get());
}

/// The records of one section as text: "owner type rdata".
std::vector<std::string> lines(const ldns_rr_list* list) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const auto* record = ldns_rr_list_rr(list, i);
    const auto take = [](char* text) {
      std::string copy(text);
      std::free(text);
      return copy;
    };
    auto line = take(ldns_rdf2str(ldns_rr_owner(record))) + " " +
                take(ldns_rr_type2str(ldns_rr_get_type(record)));
    for (std::size_t j = 0; j < ldns_rr_rd_count(record); ++j) {
      line += " " + take(ldns_rdf2str(ldns_rr_rdf(record, j)));
    }
    result.push_back(line);
  }
  return result;
}

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    add("example.com.acme.example.net", "first");
    add("example.com.acme.example.net", "second");
    add("deep.sub.acme.example.net", "inside the inner zone");
  }

  void add(const std::string& name, const std::string& value) {
    const auto wire = encode_name(Fqdn::literal(name));
    authority.zone_of(wire)->add(wire, TxtValue(value));
  }

  std::string reply_to(const std::string& packet, Transport transport = Transport::udp) const {
    auto reply = authority.reply(packet, transport, false);
    EXPECT_TRUE(reply.has_value());
    return reply.value_or("");
  }
  PacketPointer ask(const std::string& name, ldns_rr_type type, const Ask& how = {},
                    Transport transport = Transport::udp) const {
    return decode(reply_to(query(name, type, how), transport));
  }

  void expect_negative(const ldns_pkt* packet, ldns_pkt_rcode code, std::string_view zone) const {
    EXPECT_EQ(ldns_pkt_get_rcode(packet), code);
    EXPECT_TRUE(ldns_pkt_aa(packet));
    EXPECT_EQ(ldns_pkt_ancount(packet), 0);
    const auto authority_section = lines(ldns_pkt_authority(packet));
    ASSERT_EQ(authority_section.size(), 1);
    EXPECT_TRUE(authority_section[0].starts_with(std::string(zone) + " SOA "));
  }

  Authority authority{
      {.zones = {Fqdn::literal("acme.example.net"), Fqdn::literal("sub.acme.example.net")},
       .nameservers = {Fqdn::literal("ns1.acme.example.net"),
                       Fqdn::literal("ns.elsewhere.example")},
       .addresses = {"192.0.2.1", "2001:db8::1"},
       .ttl = 5,
       .serial = 100}};
};

TEST_F(AuthorityTest, AnswersWithEveryValueOfTheName) {
  const auto packet = ask("example.com.acme.example.net.", LDNS_RR_TYPE_TXT);
  EXPECT_EQ(ldns_pkt_id(packet.get()), 4711);
  EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), LDNS_RCODE_NOERROR);
  EXPECT_TRUE(ldns_pkt_qr(packet.get()));
  EXPECT_TRUE(ldns_pkt_aa(packet.get()));
  EXPECT_TRUE(ldns_pkt_rd(packet.get()));
  EXPECT_FALSE(ldns_pkt_ra(packet.get()));
  EXPECT_EQ(lines(ldns_pkt_answer(packet.get())),
            (std::vector<std::string>{"example.com.acme.example.net. TXT \"first\"",
                                      "example.com.acme.example.net. TXT \"second\""}));
}

TEST_F(AuthorityTest, RepeatsTheCaseOfTheQuestion) {
  const auto packet = query("eXaMpLe.CoM.acME.example.NET.", LDNS_RR_TYPE_TXT);
  const auto reply = reply_to(packet);
  EXPECT_EQ(reply.substr(header_size, packet.size() - header_size), packet.substr(header_size));
  EXPECT_EQ(lines(ldns_pkt_answer(decode(reply).get()))[0],
            "eXaMpLe.CoM.acME.example.NET. TXT \"first\"");
}

TEST_F(AuthorityTest, AnswersSoaAndNameServersAtTheApex) {
  const auto soa = lines(ldns_pkt_answer(ask("acme.example.net.", LDNS_RR_TYPE_SOA).get()));
  ASSERT_EQ(soa.size(), 1);
  EXPECT_EQ(soa[0],
            "acme.example.net. SOA ns1.acme.example.net. hostmaster.acme.example.net. 100 3600 "
            "600 1209600 5");

  const auto packet = ask("acme.example.net.", LDNS_RR_TYPE_NS);
  EXPECT_EQ(lines(ldns_pkt_answer(packet.get())),
            (std::vector<std::string>{"acme.example.net. NS ns1.acme.example.net.",
                                      "acme.example.net. NS ns.elsewhere.example."}));
  EXPECT_EQ(lines(ldns_pkt_additional(packet.get())),
            (std::vector<std::string>{"ns1.acme.example.net. A 192.0.2.1",
                                      "ns1.acme.example.net. AAAA 2001:db8::1"}));
}

TEST_F(AuthorityTest, AnswersTheAddressesOfItsOwnNameServers) {
  const auto v4 = ask("ns1.acme.example.net.", LDNS_RR_TYPE_A);
  EXPECT_EQ(lines(ldns_pkt_answer(v4.get())),
            (std::vector<std::string>{"ns1.acme.example.net. A 192.0.2.1"}));
  const auto v6 = ask("ns1.acme.example.net.", LDNS_RR_TYPE_AAAA);
  EXPECT_EQ(lines(ldns_pkt_answer(v6.get())),
            (std::vector<std::string>{"ns1.acme.example.net. AAAA 2001:db8::1"}));
}

TEST_F(AuthorityTest, SaysNameErrorForNamesThatDoNotExist) {
  expect_negative(ask("nobody.acme.example.net.", LDNS_RR_TYPE_TXT).get(), LDNS_RCODE_NXDOMAIN,
                  "acme.example.net.");
  expect_negative(ask("below.example.com.acme.example.net.", LDNS_RR_TYPE_TXT).get(),
                  LDNS_RCODE_NXDOMAIN, "acme.example.net.");
  expect_negative(ask("nobody.sub.acme.example.net.", LDNS_RR_TYPE_TXT).get(), LDNS_RCODE_NXDOMAIN,
                  "sub.acme.example.net.");
}

TEST_F(AuthorityTest, SaysNoDataForOtherTypesAndForNamesThatOnlyLeadToOthers) {
  expect_negative(ask("example.com.acme.example.net.", LDNS_RR_TYPE_A).get(), LDNS_RCODE_NOERROR,
                  "acme.example.net.");
  expect_negative(ask("acme.example.net.", LDNS_RR_TYPE_CAA).get(), LDNS_RCODE_NOERROR,
                  "acme.example.net.");
  expect_negative(ask("com.acme.example.net.", LDNS_RR_TYPE_TXT).get(), LDNS_RCODE_NOERROR,
                  "acme.example.net.");
  expect_negative(ask("ns1.acme.example.net.", LDNS_RR_TYPE_TXT).get(), LDNS_RCODE_NOERROR,
                  "acme.example.net.");
}

TEST_F(AuthorityTest, ForgetsANameWithItsLastValue) {
  const auto name = encode_name(Fqdn::literal("deep.sub.acme.example.net"));
  authority.zone_of(name)->remove(name, TxtValue("inside the inner zone"));
  expect_negative(ask("deep.sub.acme.example.net.", LDNS_RR_TYPE_TXT).get(), LDNS_RCODE_NXDOMAIN,
                  "sub.acme.example.net.");
  expect_negative(ask("sub.acme.example.net.", LDNS_RR_TYPE_TXT).get(), LDNS_RCODE_NOERROR,
                  "sub.acme.example.net.");
}

TEST_F(AuthorityTest, RefusesWhatIsNotItsOwn) {
  const auto expect_refused = [](const PacketPointer& packet) {
    EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), LDNS_RCODE_REFUSED);
    EXPECT_FALSE(ldns_pkt_aa(packet.get()));
    EXPECT_EQ(ldns_pkt_ancount(packet.get()) + ldns_pkt_nscount(packet.get()), 0);
  };
  expect_refused(ask("example.com.", LDNS_RR_TYPE_TXT));
  expect_refused(ask(".", LDNS_RR_TYPE_NS));
  expect_refused(ask("xacme.example.net.", LDNS_RR_TYPE_TXT));
  expect_refused(ask("version.bind.", LDNS_RR_TYPE_TXT, {.record_class = LDNS_RR_CLASS_CH}));
  expect_refused(ask("acme.example.net.", LDNS_RR_TYPE_TXT, {.record_class = LDNS_RR_CLASS_ANY}));
  expect_refused(ask("acme.example.net.", LDNS_RR_TYPE_AXFR));
}

TEST_F(AuthorityTest, AnswersAnyWithHinfoOnly) {
  const auto packet = ask("example.com.acme.example.net.", LDNS_RR_TYPE_ANY);
  EXPECT_EQ(lines(ldns_pkt_answer(packet.get())),
            (std::vector<std::string>{"example.com.acme.example.net. HINFO \"RFC8482\" \"\""}));
}

TEST_F(AuthorityTest, TakesALengthOctetInsideALabelForNoLabel) {
  // One label holding "\4acme\7example\3net": ends like the zone, but is no name inside it.
  std::string name = "\x11";
  name += std::string("\4acme\7example\3net", 17);
  std::string packet = query("acme.example.net.", LDNS_RR_TYPE_TXT);
  packet.replace(header_size, packet.size() - header_size - 4, name + std::string(1, '\0'));
  EXPECT_EQ(ldns_pkt_get_rcode(decode(reply_to(packet)).get()), LDNS_RCODE_REFUSED);
}

TEST_F(AuthorityTest, TruncatesWhatIsTooLargeForTheClientAndGivesAllOverTcp) {
  for (int i = 0; i < 40; ++i) {
    add("many.acme.example.net", std::string(40, 'x') + std::to_string(i));
  }
  const auto answers_for = [this](const Ask& how, Transport transport) {
    const auto reply = reply_to(query("many.acme.example.net.", LDNS_RR_TYPE_TXT, how), transport);
    const auto packet = decode(reply);
    EXPECT_EQ(ldns_pkt_tc(packet.get()), ldns_pkt_ancount(packet.get()) == 0);
    return ldns_pkt_ancount(packet.get());
  };
  EXPECT_EQ(answers_for({}, Transport::udp), 0);
  EXPECT_EQ(answers_for({.payload = 1232}, Transport::udp), 0);
  EXPECT_EQ(answers_for({.payload = 65535}, Transport::udp), 0);  // never above 1232
  EXPECT_EQ(answers_for({}, Transport::tcp), 40);
}

TEST_F(AuthorityTest, GoesUpToThePayloadThatTheClientTakes) {
  for (int i = 0; i < 12; ++i) {
    add("some.acme.example.net", std::string(40, 'x') + std::to_string(i));
  }
  const auto truncated = [this](std::optional<std::uint16_t> payload) {
    Ask how;
    how.payload = payload;
    return ldns_pkt_tc(ask("some.acme.example.net.", LDNS_RR_TYPE_TXT, how).get());
  };
  EXPECT_TRUE(truncated(std::nullopt));
  EXPECT_TRUE(truncated(600));
  EXPECT_FALSE(truncated(1232));
}

TEST_F(AuthorityTest, TakesAPayloadBelowTheMinimumForTheMinimum) {
  const auto packet = ask("example.com.acme.example.net.", LDNS_RR_TYPE_TXT, {.payload = 10});
  EXPECT_EQ(ldns_pkt_ancount(packet.get()), 2);
}

TEST_F(AuthorityTest, SpeaksEdnsOnlyWhenSpokenTo) {
  const auto plain = ask("acme.example.net.", LDNS_RR_TYPE_SOA);
  EXPECT_FALSE(ldns_pkt_edns(plain.get()));
  const auto edns =
      ask("acme.example.net.", LDNS_RR_TYPE_SOA, {.payload = 4096, .dnssec_ok = true});
  EXPECT_TRUE(ldns_pkt_edns(edns.get()));
  EXPECT_EQ(ldns_pkt_edns_udp_size(edns.get()), 1232);
  EXPECT_TRUE(ldns_pkt_edns_do(edns.get()));
}

TEST_F(AuthorityTest, SaysBadVersionToAnEdnsOfTheFuture) {
  const auto packet =
      ask("acme.example.net.", LDNS_RR_TYPE_SOA, {.payload = 1232, .edns_version = 1});
  EXPECT_EQ(ldns_pkt_edns_extended_rcode(packet.get()), 1);
  EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), 0);
  EXPECT_EQ(ldns_pkt_edns_version(packet.get()), 0);
  EXPECT_EQ(ldns_pkt_ancount(packet.get()), 0);
}

TEST_F(AuthorityTest, AnswersOtherOperationsAndMalformedQueriesByHeaderOnly) {
  const auto good = query("acme.example.net.", LDNS_RR_TYPE_SOA, {.payload = 1232});
  const auto code_of = [this](const std::string& packet) {
    const auto reply = reply_to(packet);
    EXPECT_EQ(reply.size(), header_size);
    EXPECT_EQ(reply.substr(0, 2), packet.substr(0, 2));
    return ldns_pkt_get_rcode(decode(reply).get());
  };
  auto notify = good;
  notify[2] = 4 << 3;
  EXPECT_EQ(code_of(notify), LDNS_RCODE_NOTIMPL);

  auto two_questions = good;
  two_questions[5] = 2;
  EXPECT_EQ(code_of(two_questions), LDNS_RCODE_FORMERR);
  auto no_question = good.substr(0, header_size);
  no_question[5] = 0;
  no_question[11] = 0;
  EXPECT_EQ(code_of(no_question), LDNS_RCODE_FORMERR);
  EXPECT_EQ(code_of(good + "x"), LDNS_RCODE_FORMERR);
  EXPECT_EQ(code_of(good.substr(0, header_size)), LDNS_RCODE_FORMERR);
  auto pointer = good;
  pointer[header_size] = '\xC0';
  EXPECT_EQ(code_of(pointer), LDNS_RCODE_FORMERR);
  auto second_opt = good + good.substr(good.size() - 11);
  second_opt[11] = 2;
  EXPECT_EQ(code_of(second_opt), LDNS_RCODE_FORMERR);
}

TEST_F(AuthorityTest, KeepsSilentToResponsesAndToScraps) {
  auto response = query("acme.example.net.", LDNS_RR_TYPE_SOA);
  response[2] = static_cast<char>(response[2] | '\x80');
  EXPECT_FALSE(authority.reply(response, Transport::udp, false));
  EXPECT_FALSE(authority.reply("", Transport::udp, false));
  EXPECT_FALSE(authority.reply(std::string(11, '\0'), Transport::udp, false));
}

TEST_F(AuthorityTest, SurvivesAnyPacketAndAnswersAllOfThemWithinLimitsAndWellFormed) {
  runtime::SeededRandom random(20261123);
  const std::vector<std::string> seeds{
      query("example.com.acme.example.net.", LDNS_RR_TYPE_TXT, {.payload = 1232}),
      query("acme.example.net.", LDNS_RR_TYPE_NS), query("x.", LDNS_RR_TYPE_ANY)};
  for (int i = 0; i < 20'000; ++i) {
    std::string packet;
    if (i % 2 == 0) {
      packet = seeds[random.uniform(0, seeds.size() - 1)];
      for (auto flips = random.uniform(1, 8); flips > 0; --flips) {
        auto& octet = packet[random.uniform(0, packet.size() - 1)];
        octet = static_cast<char>(octet ^ (1 << random.uniform(0, 7)));
      }
      packet.resize(random.uniform(0, 4) == 0 ? random.uniform(0, packet.size()) : packet.size());
    } else {
      packet.resize(random.uniform(0, 600));
      for (auto& octet : packet) octet = static_cast<char>(random.uniform(0, 255));
    }
    const auto reply = authority.reply(packet, Transport::udp, false);
    if (!reply) continue;
    ASSERT_LE(reply->size(), 1232);
    ASSERT_EQ(reply->substr(0, 2), packet.substr(0, 2));
    ASSERT_NE(decode(*reply).get(), nullptr) << i;
  }
}

}  // namespace
}  // namespace certherd::dns::responder

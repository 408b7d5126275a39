#include <algorithm>
#include <span>

#include "dns/caa_lookup.hpp"
#include "dns/message.hpp"
#include "dns/responder/authority.hpp"
#include "dns/route53/names.hpp"
#include "dns/route53/txt_value.hpp"
#include "dns/route53/xml.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "policy/caa.hpp"

namespace certherd::fuzz {
namespace {

constexpr std::size_t header_size = 12;
// RFC 1035 section 4.2.1, where no EDNS0 says otherwise.
constexpr std::size_t plain_udp_payload = 512;
constexpr std::size_t largest_message = 65'535;

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// As errors and logs show them.
void expect_presentation(const std::string& name) {
  for (const char c : name) {
    expect(c > ' ' && c < 0x7f && (c < 'A' || c > 'Z'), "a name is printable, and in lower case");
  }
}

void expect_record(const dns::Record& record) {
  expect_presentation(record.name);
  switch (record.type) {
    case dns::RecordType::cname:
    case dns::RecordType::ns:
    case dns::RecordType::soa:
      expect_presentation(record.text);
      break;
    case dns::RecordType::caa:
      if (const auto property = dns::parse_caa(record.text); is_good(property)) {
        const auto told = property->text();
        expect(std::ranges::all_of(told, [](char c) { return c >= ' ' && c < 0x7f; }),
               "a CAA record is told in printable characters");
        const policy::CaaRequest request{
            .wildcard = true, .issuers = {"ca.example"}, .account = "https://ca.example/1"};
        policy::judge_caa({*property}, request);
      }
      break;
    default:
      break;
  }
}

dns::responder::Authority make_authority() {
  dns::responder::Authority authority({.zones = {Fqdn::literal("acme.example.org")},
                                       .nameservers = {Fqdn::literal("ns1.acme.example.org")},
                                       .addresses = {"192.0.2.1", "2001:db8::1"}});
  auto& zone = *authority.zone(Fqdn::literal("acme.example.org"));
  const auto name =
      dns::responder::encode_name(Fqdn::literal("_acme-challenge.www.acme.example.org"));
  for (int i = 0; i < 40; ++i) zone.add(name, TxtValue("value " + std::to_string(i)));
  return authority;
}

void expect_reply(std::string_view query, const std::string& reply, bool by_udp) {
  expect(reply.size() >= header_size && reply.substr(0, 2) == query.substr(0, 2),
         "a reply has the id of its query");
  const auto read = dns::responder::read_query(query);
  const auto payload = read.query.edns
                           ? std::max<std::size_t>(read.query.edns->payload, plain_udp_payload)
                           : plain_udp_payload;
  expect(reply.size() <= (by_udp ? payload : largest_message), "a reply fits its transport");
  if (read.verdict != dns::responder::Reading::Verdict::good) {
    expect(reply.size() == header_size, "what is no good query is answered by a header");
    return;
  }
  const auto message = dns::decode_reply(octets(reply));
  expect(message.has_value(), "a reply can be read");
  expect(!message->authoritative || message->code != dns::ResponseCode::refused,
         "what is refused is not ours");
}

}  // namespace

/// A reply of a name server or resolver.
void dns_reply(std::string_view input) {
  const auto message = dns::decode_reply(octets(input));
  if (!is_good(message)) return;
  expect(message->answers.size() + message->authority.size() + message->additional.size() <=
             dns::max_records,
         "records are limited");
  for (const auto* section : {&message->answers, &message->authority, &message->additional}) {
    for (const auto& record : *section) expect_record(record);
  }
  expect_presentation(message->question.name);

  // The question can be asked again, and is the same then. To ldns, no type is the type A.
  if (static_cast<std::uint16_t>(message->question.type) == 0) return;
  auto wire = dns::encode_query(message->id, message->question, true);
  expect(wire.has_value(), "a question that was read can be asked");
  (*wire)[2] |= 0x80U;
  const auto again = dns::decode_reply(*wire);
  expect(again && again->question == message->question, "a question is read the same again");
}

/// What anybody sends to the responder.
void dns_query(std::string_view input) {
  static const auto authority = make_authority();
  for (const bool by_udp : {true, false}) {
    using dns::responder::Transport;
    const auto transport = by_udp ? Transport::udp : Transport::tcp;
    for (const bool truncated : {false, true}) {
      const auto reply = authority.reply(input, transport, truncated);
      if (reply) expect_reply(input, *reply, by_udp);
    }
  }
}

/// Route 53's answers in XML, and its spelling of names and values.
void route53(std::string_view input) {
  using namespace dns::route53;
  const auto zones = read_zone_page(input);
  if (is_good(zones)) {
    for (const auto& zone : zones->zones) {
      expect(!zone.id.empty() && !zone.name.empty(), "a zone has id and name");
      if (const auto name = read_name(zone.name)) {
        expect(read_name(spell(*name)) == name, "a name is read the same again");
        expect(!order_key(*name).empty(), "a name has its place in a list");
      }
    }
  }
  const auto records = read_record_page(input);
  if (is_good(records)) {
    for (const auto& listed : records->sets) {
      const auto name = read_name(listed.name);
      if (!name || name->empty()) continue;
      const auto request =
          change_request({{.action = SetChange::Action::remove, .name = *name, .set = listed.set}});
      expect(request.size() < input.size() * 6 + 4096, "a request is as large as what is in it");
      for (const auto& text : listed.set.texts) {
        if (const auto value = unquote(text)) {
          expect(unquote(quote(*value)) == value, "a value is read the same again");
        }
      }
    }
  }
  is_good(read_change(input));
  is_good(read_name_servers(input));
  const TxtValue value{std::string(input)};
  expect(unquote(quote(value)) == value, "any value can be spelled");
}

}  // namespace certherd::fuzz

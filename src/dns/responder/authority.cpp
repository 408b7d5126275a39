#include "dns/responder/authority.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace certherd::dns::responder {
namespace {

// Larger UDP answers risk being lost as fragments (DNS flag day 2020).
constexpr std::size_t max_udp_payload = 1232;
constexpr std::size_t min_udp_payload = 512;  // RFC 1035 section 4.2.1, RFC 6891 section 6.2.3
constexpr std::size_t max_tcp_payload = 65535;
constexpr std::size_t opt_size = 11;

// SOA, NS and addresses change with the config only; an hour keeps resolvers from asking for them
// each time a value is looked up.
constexpr std::uint32_t infrastructure_ttl = 3600;
constexpr std::uint32_t hinfo_ttl = 3789;  // RFC 8482 section 6 has it so in its example

// For secondaries, of which there are none, but checkers look at them (RIPE-203).
constexpr std::uint32_t soa_refresh = 3600;
constexpr std::uint32_t soa_retry = 600;
constexpr std::uint32_t soa_expire = 1'209'600;

constexpr unsigned flag_response = 0x8000;
constexpr unsigned flag_authoritative = 0x0400;
constexpr unsigned flag_truncated = 0x0200;
constexpr unsigned flag_recursion_desired = 0x0100;

// A compression pointer (RFC 1035 section 4.1.4) to a suffix of the question's name.
std::string pointer_into_question(std::size_t name_size, std::size_t suffix_size) {
  Writer writer;
  writer.u16(static_cast<unsigned>(0xC000U | (header_size + name_size - suffix_size)));
  return writer.take();
}

std::string address_octets(const std::string& text) {
  const auto address = boost::asio::ip::make_address(text);
  std::string octets;
  const auto append = [&octets](const auto& bytes) {
    for (const auto byte : bytes) octets.push_back(static_cast<char>(byte));
  };
  if (address.is_v4()) {
    append(address.to_v4().to_bytes());
  } else {
    append(address.to_v6().to_bytes());
  }
  return octets;
}

std::size_t payload_limit(const Query& query, Transport transport) {
  if (transport == Transport::tcp) return max_tcp_payload;
  if (!query.edns) return min_udp_payload;
  return std::clamp<std::size_t>(query.edns->payload, min_udp_payload, max_udp_payload);
}

void write_opt(Writer& writer, const Query::Edns& edns, ResponseCode code) {
  writer.u8(0);
  writer.u16(static_cast<unsigned>(RecordType::opt));
  writer.u16(max_udp_payload);
  writer.u8(static_cast<unsigned>(code) >> 4U);  // the upper eight bits of the code
  writer.u8(0);                                  // the version that we speak
  writer.u16(edns.dnssec_ok ? 0x8000 : 0);       // RFC 3225 section 3: copied
  writer.u16(0);
}

}  // namespace

Authority::Authority(Options options)
    : contact_(encode_name(Fqdn::literal("hostmaster." + options.zones.front().text()))),
      ttl_(static_cast<std::uint32_t>(options.ttl)) {
  for (const auto& apex : options.zones) zones_.emplace_back(apex, options.serial);
  std::ranges::sort(zones_, std::greater<>{},
                    [](const ZoneData& zone) { return zone.wire_apex().size(); });
  for (const auto& address : options.addresses) addresses_.push_back(address_octets(address));
  for (const auto& server : options.nameservers) {
    nameservers_.push_back(encode_name(server));
    if (addresses_.empty()) continue;
    if (auto* zone = zone_of(nameservers_.back())) zone->keep(nameservers_.back());
  }
}

const ZoneData* Authority::zone_of(std::string_view wire_name) const {
  const auto zone =
      std::ranges::find_if(zones_, [wire_name](const auto& z) { return z.holds(wire_name); });
  return zone == zones_.end() ? nullptr : &*zone;
}

ZoneData* Authority::zone_of(std::string_view wire_name) {
  const auto zone =
      std::ranges::find_if(zones_, [wire_name](const auto& z) { return z.holds(wire_name); });
  return zone == zones_.end() ? nullptr : &*zone;
}

ZoneData* Authority::zone(const Fqdn& apex) {
  const auto zone = std::ranges::find(zones_, apex, &ZoneData::apex);
  return zone == zones_.end() ? nullptr : &*zone;
}

std::size_t Authority::value_count() const {
  std::size_t count = 0;
  for (const auto& zone : zones_) count += zone.value_count();
  return count;
}

std::optional<std::string> Authority::reply(std::string_view packet, Transport transport,
                                            bool truncated) const {
  const auto reading = read_query(packet);
  const Query& query = reading.query;
  Answer answer;
  switch (reading.verdict) {
    case Reading::Verdict::drop:
      return std::nullopt;
    case Reading::Verdict::format_error:
      answer.code = ResponseCode::format_error;
      break;
    case Reading::Verdict::not_implemented:
      answer.code = ResponseCode::not_implemented;
      break;
    case Reading::Verdict::good:
      if (!truncated) answer = resolve(query);
      break;
  }
  const bool good = reading.verdict == Reading::Verdict::good;
  const std::string_view question = good ? std::string_view(query.question) : std::string_view();

  const auto size =
      header_size + question.size() + answer.records.data().size() + (query.edns ? opt_size : 0);
  if (size > payload_limit(query, transport)) truncated = true;
  if (truncated) {
    // Nothing rather than a part: a part of a set could be taken for the whole (RFC 2181, 9).
    answer.records = {};
    answer.counts = {};
  }

  unsigned flags = flag_response | (static_cast<unsigned>(query.opcode) << 11U) |
                   (static_cast<unsigned>(answer.code) & 0xFU);
  if (answer.authoritative) flags |= flag_authoritative;
  if (truncated) flags |= flag_truncated;
  if (query.recursion_desired) flags |= flag_recursion_desired;

  Writer writer;
  writer.u16(query.id);
  writer.u16(flags);
  writer.u16(good ? 1 : 0);
  writer.u16(answer.counts[answers]);
  writer.u16(answer.counts[authorities]);
  writer.u16(answer.counts[additionals] + (query.edns ? 1 : 0));
  writer.bytes(question);
  writer.bytes(answer.records.data());
  if (query.edns) write_opt(writer, *query.edns, answer.code);
  return writer.take();
}

Authority::Answer Authority::resolve(const Query& query) const {
  Answer answer;
  if (query.edns && query.edns->version != 0) {
    answer.code = ResponseCode::bad_version;
    return answer;
  }
  const auto* zone = zone_of(query.name);
  const bool transfer = query.type == static_cast<std::uint16_t>(RecordType::axfr) ||
                        query.type == static_cast<std::uint16_t>(RecordType::ixfr);
  if (query.record_class != class_internet || zone == nullptr || transfer) {
    answer.code = ResponseCode::refused;
    return answer;
  }

  answer.authoritative = true;
  if (zone->exists(query.name)) {
    add_data(answer, *zone, query);
  } else {
    answer.code = ResponseCode::name_error;
  }
  // RFC 2308: what tells a resolver how long it may remember that there is nothing.
  if (answer.counts[answers] == 0) add_soa(answer, authorities, *zone, query);
  return answer;
}

void Authority::add_data(Answer& answer, const ZoneData& zone, const Query& query) const {
  const auto owner = pointer_into_question(query.name.size(), query.name.size());
  const bool apex = query.name == zone.wire_apex();
  switch (static_cast<RecordType>(query.type)) {
    case RecordType::txt:
      add_txt(answer, zone, query);
      break;
    case RecordType::soa:
      if (apex) add_soa(answer, answers, zone, query);
      break;
    case RecordType::ns:
      if (apex) add_nameservers(answer);
      break;
    case RecordType::a:
    case RecordType::aaaa:
      if (is_own_nameserver(query.name)) {
        add_addresses(answer, answers, owner, static_cast<RecordType>(query.type));
      }
      break;
    case RecordType::any:
      // RFC 8482 section 4.2: a small answer that is of no use to amplify an attack.
      begin(answer, answers, owner, RecordType::hinfo, hinfo_ttl);
      answer.records.u16(9);
      answer.records.u8(7);
      answer.records.bytes("RFC8482");
      answer.records.u8(0);
      break;
    default:
      break;  // no such data at this name
  }
}

void Authority::add_txt(Answer& answer, const ZoneData& zone, const Query& query) const {
  const auto owner = pointer_into_question(query.name.size(), query.name.size());
  for (const auto& value : zone.values(query.name)) {
    begin(answer, answers, owner, RecordType::txt, ttl_);
    answer.records.u16(static_cast<unsigned>(value.text().size() + 1));
    answer.records.u8(static_cast<unsigned>(value.text().size()));
    answer.records.bytes(value.text());
  }
}

// The zone is the question's name here, so its NS records point at that.
void Authority::add_nameservers(Answer& answer) const {
  for (const auto& server : nameservers_) {
    begin(answer, answers, pointer_into_question(0, 0), RecordType::ns, infrastructure_ttl);
    answer.records.u16(static_cast<unsigned>(server.size()));
    answer.records.bytes(server);
  }
  for (const auto& server : nameservers_) {
    if (is_own_nameserver(server)) add_addresses(answer, additionals, server, std::nullopt);
  }
}

void Authority::add_addresses(Answer& answer, Section section, std::string_view owner,
                              std::optional<RecordType> only) const {
  for (const auto& address : addresses_) {
    const auto type = address.size() == 4 ? RecordType::a : RecordType::aaaa;
    if (only && *only != type) continue;
    begin(answer, section, owner, type, infrastructure_ttl);
    answer.records.u16(static_cast<unsigned>(address.size()));
    answer.records.bytes(address);
  }
}

void Authority::add_soa(Answer& answer, Section section, const ZoneData& zone,
                        const Query& query) const {
  const auto owner = pointer_into_question(query.name.size(), zone.wire_apex().size());
  begin(answer, section, owner, RecordType::soa, section == answers ? infrastructure_ttl : ttl_);
  const auto& primary = nameservers_.front();
  answer.records.u16(static_cast<unsigned>(primary.size() + contact_.size() + 20));
  answer.records.bytes(primary);
  answer.records.bytes(contact_);
  answer.records.u32(zone.serial());
  answer.records.u32(soa_refresh);
  answer.records.u32(soa_retry);
  answer.records.u32(soa_expire);
  answer.records.u32(ttl_);  // RFC 2308 section 4: for how long "nothing" may be remembered
}

void Authority::begin(Answer& answer, Section section, std::string_view owner, RecordType type,
                      std::uint32_t ttl) {
  ++answer.counts[section];
  answer.records.bytes(owner);
  answer.records.u16(static_cast<unsigned>(type));
  answer.records.u16(class_internet);
  answer.records.u32(ttl);
}

bool Authority::is_own_nameserver(const std::string& name) const {
  return std::ranges::find(nameservers_, name) != nameservers_.end() && zone_of(name) != nullptr;
}

}  // namespace certherd::dns::responder

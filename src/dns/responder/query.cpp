#include "dns/responder/query.hpp"

#include "dns/responder/wire.hpp"

namespace certherd::dns::responder {
namespace {

constexpr unsigned flag_response = 0x8000;
constexpr unsigned flag_recursion_desired = 0x0100;
constexpr std::uint32_t opt_flag_dnssec_ok = 0x8000;  // RFC 3225

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The question stands first, so a compression pointer in it could only point at itself or beyond.
bool read_name(Reader& reader, std::string& name) {
  while (!reader.failed()) {
    const auto size = reader.u8();
    if (size > max_label_size || name.size() + size + 1 > max_name_size) return false;
    name.push_back(static_cast<char>(size));
    if (size == 0) return !reader.failed();
    for (const char c : reader.take(size)) name.push_back(lower(c));
  }
  return false;
}

// True when the name that was skipped is the root, as an OPT record's must be.
bool skip_name(Reader& reader) {
  bool root = true;
  while (!reader.failed()) {
    const auto size = reader.u8();
    if (size == 0) return root;
    root = false;
    if (size >= 0xC0) {
      reader.u8();
      return root;
    }
    reader.take(size > max_label_size ? reader.left() + 1 : size);  // 0x40, 0x80: no such labels
  }
  return root;
}

bool read_record(Reader& reader, bool additional, std::optional<Query::Edns>& edns) {
  const bool root = skip_name(reader);
  const auto type = reader.u16();
  const auto record_class = reader.u16();
  const auto ttl = reader.u32();
  reader.take(reader.u16());
  if (reader.failed()) return false;
  if (type != static_cast<std::uint16_t>(RecordType::opt)) return true;

  // RFC 6891 section 6.1.1: one OPT at most, owned by the root, in the additional section.
  if (!additional || !root || edns) return false;
  edns = Query::Edns{.payload = record_class,
                     .version = static_cast<std::uint8_t>(ttl >> 16U),
                     .dnssec_ok = (ttl & opt_flag_dnssec_ok) != 0};
  return true;
}

}  // namespace

Reading read_query(std::string_view packet) {
  Reading reading;
  if (packet.size() < header_size) return reading;

  Reader reader(packet);
  Query& query = reading.query;
  query.id = reader.u16();
  const unsigned flags = reader.u16();
  if ((flags & flag_response) != 0) return reading;
  query.opcode = static_cast<std::uint8_t>((flags >> 11U) & 0xFU);
  query.recursion_desired = (flags & flag_recursion_desired) != 0;
  const auto questions = reader.u16();
  const unsigned answers = reader.u16();
  const unsigned authorities = reader.u16();
  const unsigned additionals = reader.u16();

  if (query.opcode != 0) {
    reading.verdict = Reading::Verdict::not_implemented;
    return reading;
  }
  reading.verdict = Reading::Verdict::format_error;
  if (questions != 1) return reading;

  if (!read_name(reader, query.name)) return reading;
  query.type = reader.u16();
  query.record_class = reader.u16();
  if (reader.failed()) return reading;
  query.question = packet.substr(header_size, packet.size() - header_size - reader.left());

  std::optional<Query::Edns> edns;
  const unsigned records = answers + authorities + additionals;
  for (unsigned i = 0; i < records; ++i) {
    if (!read_record(reader, i >= answers + authorities, edns)) return reading;
  }
  if (!reader.at_end()) return reading;
  query.edns = edns;
  reading.verdict = Reading::Verdict::good;
  return reading;
}

}  // namespace certherd::dns::responder

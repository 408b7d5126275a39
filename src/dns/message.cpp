#include "dns/message.hpp"

#include <fmt/format.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

namespace certherd::dns {
namespace {

template <auto free_function>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    free_function(value);
  }
};

using Packet = std::unique_ptr<ldns_pkt, Freed<ldns_pkt_free>>;
using ResourceRecord = std::unique_ptr<ldns_rr, Freed<ldns_rr_free>>;
using Octets = std::unique_ptr<std::uint8_t, Freed<std::free>>;
using Text = std::unique_ptr<char, Freed<std::free>>;

constexpr std::size_t header_size = 12;
constexpr std::size_t max_size = 65'535;
constexpr std::uint16_t type_opt = 41;

tl::unexpected<Error> unreadable(std::string why) {
  return fail(Error::Kind::rejected, "read DNS reply", std::move(why));
}

std::string printed(const ldns_rdf* field) {
  const Text text(field == nullptr ? nullptr : ldns_rdf2str(field));
  return text == nullptr ? std::string() : std::string(text.get());
}

std::string name_of(const ldns_rdf* field) {
  std::string name = lower_case(printed(field));
  // ldns escapes a dot inside a label, so the last octet is always the root's.
  if (name.ends_with('.')) name.pop_back();
  return name;
}

/// RFC 1035 section 3.3.14: one or more character-strings; they are joined as RFC 7208 section
/// 3.3 and every ACME server do.
std::string joined_strings(const ldns_rr* record) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(record, i);
    const std::size_t size = ldns_rdf_size(field);
    if (size < 2) continue;
    const std::span<const std::uint8_t> octets(ldns_rdf_data(field), size);
    const auto content = octets.subspan(1, std::min<std::size_t>(octets[0], size - 1));
    text.append(content.begin(), content.end());
  }
  return text;
}

/// The record's data as it stands in the message.
std::string octets_of(const ldns_rr* record) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(record, i);
    const std::span<const std::uint8_t> octets(ldns_rdf_data(field), ldns_rdf_size(field));
    text.append(octets.begin(), octets.end());
  }
  return text;
}

Record record_of(const ldns_rr* source) {
  Record record{.name = name_of(ldns_rr_owner(source)),
                .type = static_cast<RecordType>(ldns_rr_get_type(source)),
                .ttl = ldns_rr_ttl(source),
                .text = {}};
  const ldns_rdf* first = ldns_rr_rd_count(source) > 0 ? ldns_rr_rdf(source, 0) : nullptr;
  switch (record.type) {
    case RecordType::txt:
      record.text = joined_strings(source);
      break;
    case RecordType::cname:
    case RecordType::ns:
    case RecordType::soa:
      record.text = name_of(first);
      break;
    case RecordType::a:
    case RecordType::aaaa:
      record.text = printed(first);
      break;
    case RecordType::caa:
      record.text = octets_of(source);
      break;
    default:
      break;
  }
  return record;
}

/// Reads record after record, instead of leaving the packet to ldns_wire2pkt(): so the limit on
/// records holds before memory is taken, and OPT is read in one place.
class ReplyReader {
 public:
  explicit ReplyReader(std::span<const std::uint8_t> wire) : wire_(wire) {}

  Result<Message> read() {
    if (wire_.size() < header_size) return unreadable("it is shorter than a header");
    if (wire_.size() > max_size) return unreadable("it is larger than 64 KiB");
    const std::uint8_t flags = wire_[2];
    if ((flags & 0x80U) == 0) return unreadable("it is a query");
    if ((flags & 0x78U) != 0) return unreadable("it answers no standard query");
    const std::size_t questions = u16(4);
    const std::array<std::size_t, 3> counts = {u16(6), u16(8), u16(10)};
    if (questions != 1) return unreadable(fmt::format("it has {} questions, not one", questions));
    if (counts[0] + counts[1] + counts[2] > max_records) {
      return unreadable(fmt::format("it has more than {} records", max_records));
    }

    message_.id = u16(0);
    message_.authoritative = (flags & 0x04U) != 0;
    message_.truncated = (flags & 0x02U) != 0;
    message_.recursion_available = (wire_[3] & 0x80U) != 0;
    code_ = wire_[3] & 0x0FU;

    const auto question = next(LDNS_SECTION_QUESTION);
    if (!question) return fail(question.error());
    message_.question = {.name = name_of(ldns_rr_owner(question->get())),
                         .type = static_cast<RecordType>(ldns_rr_get_type(question->get()))};
    const std::array<std::vector<Record>*, 3> sections = {&message_.answers, &message_.authority,
                                                          &message_.additional};
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const auto status = read_section(counts[i], sections[i]);
      if (status) continue;
      // RFC 2181 section 9: what a truncated reply holds is not used anyway; TCP has it whole.
      if (message_.truncated) break;
      return fail(status.error());
    }
    message_.code = static_cast<ResponseCode>(code_);
    return std::move(message_);
  }

 private:
  std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>((wire_[at] << 8U) | wire_[at + 1]);
  }

  Result<ResourceRecord> next(ldns_pkt_section section) {
    ldns_rr* record = nullptr;
    const ldns_status status =
        ldns_wire2rr(&record, wire_.data(), wire_.size(), &position_, section);
    if (status != LDNS_STATUS_OK) return unreadable(ldns_get_errorstr_by_id(status));
    return ResourceRecord(record);
  }

  Status read_section(std::size_t count, std::vector<Record>* into) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto record = next(LDNS_SECTION_ANSWER);
      if (!record) return fail(record.error());
      if (static_cast<std::uint16_t>(ldns_rr_get_type(record->get())) == type_opt) {
        // RFC 6891 section 6.1.3: the upper eight bits of the response code.
        code_ |= (ldns_rr_ttl(record->get()) >> 24U) << 4U;
      } else if (ldns_rr_get_class(record->get()) == LDNS_RR_CLASS_IN) {
        into->push_back(record_of(record->get()));
      }
    }
    return {};
  }

  std::span<const std::uint8_t> wire_;
  std::size_t position_ = header_size;
  std::uint32_t code_ = 0;
  Message message_;
};

}  // namespace

std::string to_string(RecordType type) {
  switch (type) {
    case RecordType::a:
      return "A";
    case RecordType::ns:
      return "NS";
    case RecordType::cname:
      return "CNAME";
    case RecordType::soa:
      return "SOA";
    case RecordType::txt:
      return "TXT";
    case RecordType::aaaa:
      return "AAAA";
    case RecordType::caa:
      return "CAA";
  }
  return fmt::format("TYPE{}", std::to_underlying(type));
}

std::string to_string(ResponseCode code) {
  switch (code) {
    case ResponseCode::no_error:
      return "NOERROR";
    case ResponseCode::format_error:
      return "FORMERR";
    case ResponseCode::server_failure:
      return "SERVFAIL";
    case ResponseCode::name_error:
      return "NXDOMAIN";
    case ResponseCode::not_implemented:
      return "NOTIMP";
    case ResponseCode::refused:
      return "REFUSED";
  }
  return fmt::format("RCODE{}", std::to_underlying(code));
}

std::string lower_case(std::string name) {
  std::ranges::transform(name, name.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return name;
}

Result<std::vector<std::uint8_t>> encode_query(std::uint16_t id, const Question& question,
                                               bool recursion_desired) {
  const std::uint16_t flags = recursion_desired ? LDNS_RD : 0;
  const std::string name = question.name + ".";
  ldns_pkt* made = nullptr;
  const ldns_status status = ldns_pkt_query_new_frm_str(
      &made, name.c_str(), static_cast<ldns_rr_type>(question.type), LDNS_RR_CLASS_IN, flags);
  const Packet packet(made);
  const auto wrong = [&question](ldns_status why) {
    return fail(Error::Kind::misconfigured, "write DNS query",
                fmt::format("\"{}\": {}", question.name, ldns_get_errorstr_by_id(why)));
  };
  if (status != LDNS_STATUS_OK) return wrong(status);
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_set_edns_udp_size(packet.get(), edns_payload);

  std::uint8_t* written = nullptr;
  std::size_t size = 0;
  const ldns_status wired = ldns_pkt2wire(&written, packet.get(), &size);
  const Octets octets(written);
  if (wired != LDNS_STATUS_OK) return wrong(wired);
  const std::span<const std::uint8_t> wire(octets.get(), size);
  return std::vector<std::uint8_t>(wire.begin(), wire.end());
}

Result<Message> decode_reply(std::span<const std::uint8_t> wire) {
  return ReplyReader(wire).read();
}

}  // namespace certherd::dns

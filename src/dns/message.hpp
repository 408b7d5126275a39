#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace certherd::dns {

/// The types that finding and checking a challenge value needs. Others are carried by number.
enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  txt = 16,
  aaaa = 28,
  caa = 257,
};

/// Response codes of RFC 1035 section 4.1.1. Others are carried by number.
enum class ResponseCode : std::uint16_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  name_error = 3,  ///< NXDOMAIN: no such name, nor anything below it
  not_implemented = 4,
  refused = 5,
};

/// "TXT", or "TYPE65" for a type without a name here (RFC 3597 section 5).
std::string to_string(RecordType type);

/// "NXDOMAIN", "SERVFAIL"; "RCODE23" for one without a name here.
std::string to_string(ResponseCode code);

/// Names are in presentation form, lower case, without the trailing dot; the root is empty.
struct Question {
  std::string name;
  RecordType type = RecordType::txt;

  bool operator==(const Question&) const = default;
};

struct Record {
  std::string name;
  RecordType type = RecordType::txt;
  std::uint32_t ttl = 0;  ///< seconds
  /// CNAME, NS: the target. SOA: the primary server. A, AAAA: the address. TXT: its strings
  /// joined. CAA: its octets as they came. Empty for other types.
  std::string text;

  bool operator==(const Record&) const = default;
};

/// A reply. Only class IN is kept, and OPT is taken in (RFC 6891).
struct Message {
  std::uint16_t id = 0;
  ResponseCode code = ResponseCode::no_error;  ///< with the upper bits that OPT carries
  bool authoritative = false;                  ///< AA
  bool truncated = false;                      ///< TC
  bool recursion_available = false;            ///< RA: it asks others for what is not its own
  Question question;
  std::vector<Record> answers;
  std::vector<Record> authority;
  std::vector<Record> additional;
};

/// More records than this are refused: they would be kept in memory for every name asked about.
constexpr std::size_t max_records = 1'000;

/// What we take over UDP (EDNS0), so that no answer is fragmented (DNS Flag Day 2020).
constexpr std::uint16_t edns_payload = 1'232;

/// ASCII letters only, as DNS compares names (RFC 4343).
std::string lower_case(std::string name);

/// A query in wire format. Errors: misconfigured when the name does not fit one.
Result<std::vector<std::uint8_t>> encode_query(std::uint16_t id, const Question& question,
                                               bool recursion_desired);

/// Reads a reply that anybody may have sent. Errors: rejected when it is no well-formed reply
/// to one question, is larger than 64 KiB or holds more than `max_records` records.
Result<Message> decode_reply(std::span<const std::uint8_t> wire);

}  // namespace certherd::dns

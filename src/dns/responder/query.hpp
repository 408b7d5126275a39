#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace certherd::dns::responder {

/// One question as it arrived.
struct Query {
  struct Edns {
    std::uint16_t payload = 0;  ///< largest UDP answer that the client takes
    std::uint8_t version = 0;
    bool dnssec_ok = false;
  };

  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  std::string question;  ///< just as sent: the reply repeats it, with the case of its letters
  std::string name;      ///< wire form in lower case
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::optional<Edns> edns;
};

struct Reading {
  enum class Verdict {
    drop,             ///< shorter than a header, or a response: an answer could start a loop
    format_error,     ///< only the header can be used
    not_implemented,  ///< no QUERY; only the header can be used
    good,
  };
  Verdict verdict = Verdict::drop;
  Query query;
};

/// Reads what anybody may have sent. Never throws, touches each octet at most twice.
Reading read_query(std::string_view packet);

}  // namespace certherd::dns::responder

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "dns/responder/query.hpp"
#include "dns/responder/wire.hpp"
#include "dns/responder/zone_data.hpp"
#include "model/fqdn.hpp"

namespace certherd::dns::responder {

enum class Transport { udp, tcp };

/// What the server knows, and what it says to a packet. No sockets and no clock: a function of
/// its zones and the packet. Used on the loop.
class Authority {
 public:
  struct Options {
    std::vector<Fqdn> zones;
    std::vector<Fqdn> nameservers;       ///< at least one; the first is the SOA's primary
    std::vector<std::string> addresses;  ///< IPv4 and IPv6, for name servers inside the zones
    int ttl = 5;
    std::uint32_t serial = 1;
  };
  explicit Authority(Options options);

  /// The reply to send; nothing where silence is right. `truncated` asks for an answer that only
  /// says "come back by TCP".
  std::optional<std::string> reply(std::string_view packet, Transport transport,
                                   bool truncated) const;

  /// The longest zone that holds the name; null when none does. The zone lives as long as this.
  ZoneData* zone_of(std::string_view wire_name);
  const ZoneData* zone_of(std::string_view wire_name) const;
  ZoneData* zone(const Fqdn& apex);

  std::size_t value_count() const;

 private:
  struct Answer {
    ResponseCode code = ResponseCode::no_error;
    bool authoritative = false;
    std::array<unsigned, 3> counts{};  // answer, authority, additional
    Writer records;
  };
  enum Section : std::size_t { answers, authorities, additionals };

  Answer resolve(const Query& query) const;
  void add_data(Answer& answer, const ZoneData& zone, const Query& query) const;
  void add_txt(Answer& answer, const ZoneData& zone, const Query& query) const;
  void add_nameservers(Answer& answer) const;
  void add_addresses(Answer& answer, Section section, std::string_view owner,
                     std::optional<RecordType> only) const;
  void add_soa(Answer& answer, Section section, const ZoneData& zone, const Query& query) const;
  static void begin(Answer& answer, Section section, std::string_view owner, RecordType type,
                    std::uint32_t ttl);
  bool is_own_nameserver(const std::string& name) const;

  std::vector<ZoneData> zones_;           // longest first, so that the first match is the closest
  std::vector<std::string> nameservers_;  // wire form
  std::vector<std::string> addresses_;    // 4 or 16 octets each
  std::string contact_;                   // the SOA's mailbox
  std::uint32_t ttl_;
};

}  // namespace certherd::dns::responder

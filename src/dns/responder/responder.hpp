#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dns/provider.hpp"
#include "dns/visibility.hpp"
#include "model/txt_record.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::dns {

struct ResponderOptions {
  std::vector<ServerAddress> listen;   ///< UDP and TCP; port 0 takes a free one, the same for both
  std::vector<Fqdn> zones;             ///< authoritative for these
  std::vector<Fqdn> nameservers;       ///< NS of each zone; default "ns1." + first zone
  std::vector<std::string> addresses;  ///< A and AAAA of name servers inside our zones; default:
                                       ///< `listen` where specific
  int ttl = 5;                         ///< seconds
  int responses_per_second = 200;  ///< per client network (/24, /56) over UDP, 0: no limit; beyond
                                   ///< it every second answer is truncated (the client turns to
                                   ///< TCP), the other dropped
  int tcp_connections = 1024;
};

/// The longest of the responder's zones that holds `name`. Errors: not_found, with the CNAME that
/// would lead into the first of them.
Result<Fqdn> responder_zone(const std::vector<Fqdn>& zones, const Fqdn& name);

/// A DNS provider that is itself the name server: authoritative for its zones over UDP and TCP.
/// Challenge names inside the zones are served directly; other names reach it by their CNAME
/// into the first zone. Answers SOA, NS, its own addresses, TXT values and proper negative
/// answers; REFUSED outside; ANY gets HINFO (RFC 8482); at most 1232 octets over UDP, then TC.
class Responder : public Provider {
 public:
  /// Serves `initial` (the ledger's values of this section) from the first moment.
  /// Errors: misconfigured when an address cannot be listened on (the detail says which, why).
  static Result<std::unique_ptr<Responder>> start(runtime::EventLoop& loop,
                                                  ResponderOptions options,
                                                  std::vector<TxtRecord> initial);

  /// Where it really listens.
  virtual std::vector<ServerAddress> listening() const = 0;

  /// All values being served.
  virtual std::size_t value_count() const = 0;

  /// Closes the sockets and ends every session.
  virtual Task<void> stop() = 0;
};

}  // namespace certherd::dns

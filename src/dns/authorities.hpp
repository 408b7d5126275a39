#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "dns/delegations.hpp"
#include "dns/message.hpp"
#include "dns/query.hpp"
#include "dns/shared_lookups.hpp"
#include "model/fqdn.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/slots.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// What one name server said at one address, over one transport.
struct Heard {
  std::string server;           ///< "ns1.example.net (192.0.2.1:53, UDP)"
  std::size_t name_server = 0;  ///< its place among the servers that were asked
  bool unroutable = false;      ///< this machine knows no way to that (IPv6) address
  Result<Message> reply;
};

/// Whether one of these is only unroutable, while its name server replied at another address: a
/// machine without IPv6 cannot ask there, a CA can.
bool is_excused(const Heard& one, const std::vector<Heard>& all);

/// Why a reply does not show that its server serves `zone`, in words; empty when it does.
std::string why_not_served(const Heard& heard, const Fqdn& zone);

/// Asks the name servers of zones themselves (RD=0).
class Authorities {
 public:
  Authorities(runtime::EventLoop& loop, Querier& querier, runtime::Slots& slots,
              Delegations& delegations, Duration patience);

  /// The same question to each address of each server over each transport, all at once; in that
  /// order. Servers without an address are passed over.
  Task<std::vector<Heard>> ask_all(std::vector<NameServer> servers, Question question,
                                   std::vector<Transport> transports);

  /// Servers one after another over UDP, until one replies with authority. Errors: as served().
  Task<Result<Message>> ask_one(std::vector<NameServer> servers, Question question);

  /// Whether anybody answers for the zone with authority, which is kept for five minutes. Errors:
  /// those of Delegations::of(), not_found when all its servers answer otherwise, transient when
  /// one of them is silent; the detail names each and what it said.
  Task<Status> served(Fqdn zone);

 private:
  Task<void> ask(Heard* heard, ServerAddress address, Question question, Transport transport);
  Task<Result<bool>> look_up(Fqdn zone);

  runtime::EventLoop& loop_;
  Querier& querier_;
  runtime::Slots& slots_;
  Delegations& delegations_;
  QueryOptions options_;
  SharedLookups<Fqdn, bool> served_;
};

}  // namespace certherd::dns

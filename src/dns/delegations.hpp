#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dns/resolvers.hpp"
#include "dns/shared_lookups.hpp"
#include "dns/visibility.hpp"
#include "model/fqdn.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// One NS of a zone and where it is asked.
struct NameServer {
  std::string name;
  std::vector<ServerAddress> addresses;
  std::string trouble;       ///< why it has no address, in words
  bool nonexistent = false;  ///< the DNS says for sure that it has none: nobody can ask it
};

/// Who serves which zone, as the resolvers tell it; kept for five minutes.
class Delegations {
 public:
  struct Options {
    std::uint16_t port = 53;
    std::map<Fqdn, ServerAddress> overrides;
  };

  Delegations(runtime::EventLoop& loop, Resolvers& resolvers, Options options);

  /// The zone's name servers, by name. Callers that come while a zone is being looked up share
  /// that one look-up. Errors: not_found when it has no NS; those of Resolvers::ask().
  Task<Result<std::vector<NameServer>>> of(Fqdn zone);

  /// The name servers of these names, with where each is asked. `glue`: addresses that were told
  /// beside the names, for those that nobody else tells.
  Task<std::vector<NameServer>> find(std::vector<std::string> names, std::vector<Record> glue);

 private:
  Task<Result<std::vector<NameServer>>> look_up(Fqdn zone);
  Task<void> find_addresses(NameServer* server, std::vector<Record> glue);

  Resolvers& resolvers_;
  Options options_;
  SharedLookups<Fqdn, std::vector<NameServer>> known_;
};

}  // namespace certherd::dns

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dns/message.hpp"
#include "dns/query.hpp"
#include "dns/visibility.hpp"
#include "runtime/clock.hpp"
#include "runtime/slots.hpp"

namespace certherd::dns {

/// The `nameserver` lines of a resolv.conf(5); lines that cannot be read are passed over, as the
/// C library does.
std::vector<ServerAddress> parse_resolv_conf(std::string_view text);

/// The configured resolvers, asked one after another. They may be authoritative servers too: then
/// only names in their zones find an answer.
class Resolvers {
 public:
  struct Answer {
    Message message;
    std::string server;  ///< who gave it
  };

  Resolvers(runtime::Clock& clock, Querier& querier, runtime::Slots& slots,
            std::vector<ServerAddress> servers, QueryOptions options);

  /// The first answer that tells something: NOERROR or NXDOMAIN. Errors: not_found when some
  /// server refused or failed, transient when none replied; the detail names each and what it
  /// said.
  Task<Result<Answer>> ask(Question question);

  const std::vector<ServerAddress>& servers() const { return servers_; }

 private:
  runtime::Clock& clock_;
  Querier& querier_;
  runtime::Slots& slots_;
  std::vector<ServerAddress> servers_;
  QueryOptions options_;
};

}  // namespace certherd::dns

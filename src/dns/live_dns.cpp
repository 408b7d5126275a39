#include "dns/live_dns.hpp"

#include <utility>

#include "base/versioned_folder.hpp"

namespace certherd::dns {
namespace {

/// Queries on their way at one time, each with a socket: a process has 1,024 descriptors where
/// nobody raised the limit, and a burst has to fit into one server's receive buffer (212,992
/// octets by default on Linux; each datagram counts for about 800).
constexpr std::size_t max_queries = 128;

constexpr std::size_t max_resolv_conf = 65'536;

}  // namespace

LiveDns::LiveDns(runtime::EventLoop& loop, runtime::Random& random, ResolverOptions resolver)
    : options(std::move(resolver)),
      querier(loop, random),
      slots(loop, max_queries),
      resolvers(loop.clock(), querier, slots, options.servers,
                {.recursion_desired = true, .patience = options.patience}),
      delegations(loop, resolvers,
                  {.port = options.authoritative_port, .overrides = options.overrides}),
      authorities(loop, querier, slots, delegations, options.patience),
      zones(resolvers) {}

Result<ResolverOptions> with_resolvers(ResolverOptions options) {
  if (!options.servers.empty()) return options;
  const auto conf = read_file("/etc/resolv.conf", max_resolv_conf);
  if (conf) options.servers = parse_resolv_conf(*conf);
  if (!options.servers.empty()) return options;
  return fail(Error::Kind::misconfigured, "set up DNS look-ups",
              "no resolver is known: /etc/resolv.conf names none, so name one under "
              "[resolver] servers");
}

}  // namespace certherd::dns

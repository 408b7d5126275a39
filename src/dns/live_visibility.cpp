#include "dns/live_visibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/versioned_folder.hpp"
#include "dns/delegations.hpp"
#include "dns/query.hpp"
#include "dns/resolvers.hpp"
#include "dns/sight.hpp"
#include "dns/zone_finder.hpp"
#include "runtime/slots.hpp"
#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

/// Queries on their way at one time, each with a socket: a process has 1,024 descriptors where
/// nobody raised the limit, and a burst has to fit into one server's receive buffer (212,992
/// octets by default on Linux; each datagram counts for about 800).
constexpr std::size_t max_queries = 128;

constexpr std::size_t max_resolv_conf = 65'536;

/// One question to one address.
struct Look {
  ServerAddress address;
  std::size_t name_server = 0;
  Transport transport = Transport::udp;
  bool replied = false;
  bool unroutable = false;
  Sighting sighting;
};

class LiveVisibility final : public Visibility {
 public:
  LiveVisibility(runtime::EventLoop& loop, runtime::Random& random, ResolverOptions options)
      : loop_(loop),
        options_(std::move(options)),
        querier_(loop, random),
        slots_(loop, max_queries),
        resolvers_(loop.clock(), querier_, slots_, options_.servers,
                   {.recursion_desired = true, .patience = options_.patience}),
        delegations_(loop, resolvers_,
                     {.port = options_.authoritative_port, .overrides = options_.overrides}),
        zones_(resolvers_) {}

  Task<Result<Location>> locate(Fqdn challenge_name) override;
  Task<Result<View>> look(Location location, std::vector<TxtValue> values) override;

 private:
  Task<Result<View>> look_at_authority(Location location, std::vector<TxtValue> values);
  Task<Result<View>> look_at_resolvers(Location location, std::vector<TxtValue> values);
  Task<void> see_all(std::vector<Look>* looks, Location location, std::vector<TxtValue> values,
                     bool authority);
  Task<void> see(Look* look, Location location, std::vector<TxtValue> values, bool authority);

  runtime::EventLoop& loop_;
  ResolverOptions options_;
  Querier querier_;
  runtime::Slots slots_;
  Resolvers resolvers_;
  Delegations delegations_;
  ZoneFinder zones_;
};

Task<Result<Location>> LiveVisibility::locate(Fqdn challenge_name) {
  const std::string op = fmt::format("locate {}", challenge_name);
  auto location = co_await zones_.locate(std::move(challenge_name));
  if (!location) co_return fail(std::move(location.error()).during(op));
  if (options_.check != ResolverOptions::Check::authoritative) co_return location;

  const auto servers = co_await delegations_.of(location->zone);
  if (!servers) co_return fail(servers.error().during(op));
  co_return location;
}

Task<Result<View>> LiveVisibility::look(Location location, std::vector<TxtValue> values) {
  switch (options_.check) {
    case ResolverOptions::Check::authoritative:
      co_return co_await look_at_authority(std::move(location), std::move(values));
    case ResolverOptions::Check::resolver:
      co_return co_await look_at_resolvers(std::move(location), std::move(values));
    case ResolverOptions::Check::off:
      break;
  }
  co_return View{.everywhere = true, .sightings = {}};
}

Task<Result<View>> LiveVisibility::look_at_authority(Location location,
                                                     std::vector<TxtValue> values) {
  const auto servers = co_await delegations_.of(location.zone);
  if (!servers) {
    auto error = servers.error().during(fmt::format("look at {}", location.record));
    error.kind = Error::Kind::transient;  // they were there when the record was located
    co_return fail(std::move(error));
  }

  View view;
  std::vector<Look> looks;
  bool all_askable = true;
  for (std::size_t i = 0; i < servers->size(); ++i) {
    const auto& server = (*servers)[i];
    if (server.addresses.empty()) {
      view.sightings.push_back({.server = server.name, .shows = false, .finding = server.trouble});
      all_askable = all_askable && server.nonexistent;
    }
    for (const auto& address : server.addresses) {
      for (const auto transport : {Transport::udp, Transport::tcp}) {
        Look look{.address = address, .name_server = i, .transport = transport, .sighting = {}};
        look.sighting.server =
            fmt::format("{} ({}, {})", server.name, address.text(), to_string(transport));
        looks.push_back(std::move(look));
      }
    }
  }
  co_await see_all(&looks, location, std::move(values), true);

  // A machine without IPv6 cannot ask IPv6 addresses, while the CA may: that is told, yet does
  // not hold up the order when the same name server answers at another address.
  const auto excused = [&looks](const Look& look) {
    return look.unroutable && std::ranges::any_of(looks, [&look](const Look& other) {
             return other.name_server == look.name_server && other.replied;
           });
  };
  view.everywhere =
      all_askable && !looks.empty() && std::ranges::all_of(looks, [&excused](const Look& look) {
        return look.sighting.shows || excused(look);
      });
  for (auto& look : looks) view.sightings.push_back(std::move(look.sighting));
  co_return view;
}

Task<Result<View>> LiveVisibility::look_at_resolvers(Location location,
                                                     std::vector<TxtValue> values) {
  std::vector<Look> looks;
  for (const auto& address : options_.servers) {
    Look look{.address = address, .sighting = {}};
    look.sighting.server =
        fmt::format("resolver ({}, {})", address.text(), to_string(look.transport));
    looks.push_back(std::move(look));
  }
  co_await see_all(&looks, location, std::move(values), false);

  View view;
  view.everywhere =
      std::ranges::all_of(looks, [](const Look& look) { return look.sighting.shows; });
  for (auto& look : looks) view.sightings.push_back(std::move(look.sighting));
  co_return view;
}

Task<void> LiveVisibility::see_all(std::vector<Look>* looks, Location location,
                                   std::vector<TxtValue> values, bool authority) {
  std::vector<Task<void>> tasks;
  tasks.reserve(looks->size());
  for (auto& look : *looks) tasks.push_back(see(&look, location, values, authority));
  co_await runtime::together(std::move(tasks));
}

Task<void> LiveVisibility::see(Look* look, Location location, std::vector<TxtValue> values,
                               bool authority) {
  const bool v6 = look->address.address.find(':') != std::string::npos;
  if (v6 && !querier_.has_route(look->address)) {
    look->unroutable = true;
    look->sighting.finding = "network unreachable";
    co_return;
  }
  const auto slot = co_await slots_.take();
  const QueryOptions options{.recursion_desired = !authority, .patience = options_.patience};
  const Time deadline = loop_.clock().now() + options.patience * (options.udp_tries + 1);
  Question question{.name = location.record.text(), .type = RecordType::txt};
  const auto reply =
      co_await querier_.ask(look->address, std::move(question), look->transport, options, deadline);
  look->replied = reply.has_value();
  look->sighting.finding =
      reply ? what_is_missing(*reply, location.record, values, authority) : reply.error().detail;
  look->sighting.shows = look->sighting.finding.empty();
}

}  // namespace

Result<std::unique_ptr<Visibility>> make_visibility(runtime::EventLoop& loop,
                                                    runtime::Random& random,
                                                    ResolverOptions options) {
  if (options.servers.empty()) {
    const auto conf = read_file("/etc/resolv.conf", max_resolv_conf);
    if (conf) options.servers = parse_resolv_conf(*conf);
    if (options.servers.empty()) {
      return fail(Error::Kind::misconfigured, "set up DNS look-ups",
                  "no resolver is known: /etc/resolv.conf names none, so name one under "
                  "[resolver] servers");
    }
  }
  return std::make_unique<LiveVisibility>(loop, random, std::move(options));
}

}  // namespace certherd::dns

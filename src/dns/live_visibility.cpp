#include "dns/live_visibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dns/live_dns.hpp"
#include "dns/sight.hpp"
#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

std::string finding_of(const Result<Message>& reply, const Fqdn& record,
                       const std::vector<TxtValue>& values, bool authority) {
  return reply ? what_is_missing(*reply, record, values, authority) : reply.error().detail;
}

class LiveVisibility final : public Visibility {
 public:
  LiveVisibility(runtime::EventLoop& loop, runtime::Random& random, ResolverOptions options)
      : loop_(loop), dns_(loop, random, std::move(options)) {}

  Task<Result<Location>> locate(Fqdn challenge_name) override;
  Task<Result<std::vector<Fqdn>>> name_servers(Fqdn zone) override;
  Task<Result<View>> look(Location location, std::vector<TxtValue> values) override;

 private:
  Task<Result<View>> look_at_authority(Location location, std::vector<TxtValue> values);
  Task<Result<View>> look_at_resolvers(Location location, std::vector<TxtValue> values);
  Task<void> ask_resolver(Sighting* sighting, ServerAddress address, Location location,
                          std::vector<TxtValue> values);

  runtime::EventLoop& loop_;
  LiveDns dns_;
};

Task<Result<Location>> LiveVisibility::locate(Fqdn challenge_name) {
  const std::string op = fmt::format("locate {}", challenge_name);
  auto location = co_await dns_.zones.locate(std::move(challenge_name));
  if (!location) co_return fail(std::move(location.error()).during(op));
  if (dns_.options.check != ResolverOptions::Check::authoritative) co_return location;

  // A zone that nobody serves would only be found out by waiting for a value to appear.
  const auto served = co_await dns_.authorities.served(location->zone);
  if (!served) co_return fail(served.error().during(op));
  co_return location;
}

Task<Result<std::vector<Fqdn>>> LiveVisibility::name_servers(Fqdn zone) {
  const auto servers = co_await dns_.delegations.of(std::move(zone));
  if (!servers) co_return fail(servers.error());
  std::vector<Fqdn> names;
  names.reserve(servers->size());
  for (const auto& server : *servers) {
    // What is no name serves nobody, and is met again when it is asked.
    if (auto name = Fqdn::parse(server.name)) names.push_back(std::move(*name));
  }
  std::ranges::sort(names);
  co_return names;
}

Task<Result<View>> LiveVisibility::look(Location location, std::vector<TxtValue> values) {
  switch (dns_.options.check) {
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
  const auto servers = co_await dns_.delegations.of(location.zone);
  if (!servers) {
    auto error = servers.error().during(fmt::format("look at {}", location.record));
    error.kind = Error::Kind::transient;  // they were there when the record was located
    co_return fail(std::move(error));
  }

  View view;
  bool all_askable = true;
  for (const auto& server : *servers) {
    if (!server.addresses.empty()) continue;
    view.sightings.push_back({.server = server.name, .shows = false, .finding = server.trouble});
    all_askable = all_askable && server.nonexistent;
  }
  Question question{.name = location.record.text(), .type = RecordType::txt};
  const auto heard = co_await dns_.authorities.ask_all(
      *servers, std::move(question), std::vector<Transport>{Transport::udp, Transport::tcp});

  view.everywhere = all_askable && !heard.empty();
  view.sightings.reserve(view.sightings.size() + heard.size());
  for (const auto& each : heard) {
    Sighting sighting{.server = each.server, .shows = false, .finding = {}};
    sighting.finding = finding_of(each.reply, location.record, values, true);
    sighting.shows = sighting.finding.empty();
    // What this machine cannot ask is told, yet does not hold up the order.
    view.everywhere = view.everywhere && (sighting.shows || is_excused(each, heard));
    view.sightings.push_back(std::move(sighting));
  }
  co_return view;
}

Task<Result<View>> LiveVisibility::look_at_resolvers(Location location,
                                                     std::vector<TxtValue> values) {
  View view;
  view.sightings.resize(dns_.options.servers.size());
  std::vector<Task<void>> tasks;
  tasks.reserve(view.sightings.size());
  for (std::size_t i = 0; i < view.sightings.size(); ++i) {
    tasks.push_back(ask_resolver(&view.sightings[i], dns_.options.servers[i], location, values));
  }
  co_await runtime::together(std::move(tasks));
  view.everywhere = std::ranges::all_of(view.sightings, &Sighting::shows);
  co_return view;
}

Task<void> LiveVisibility::ask_resolver(Sighting* sighting, ServerAddress address,
                                        Location location, std::vector<TxtValue> values) {
  sighting->server = fmt::format("resolver ({}, {})", address.text(), to_string(Transport::udp));
  const auto slot = co_await dns_.slots.take();
  const QueryOptions options{.recursion_desired = true, .patience = dns_.options.patience};
  const Time deadline = loop_.clock().now() + options.patience * (options.udp_tries + 1);
  Question question{.name = location.record.text(), .type = RecordType::txt};
  const auto reply = co_await dns_.querier.ask(std::move(address), std::move(question),
                                               Transport::udp, options, deadline);
  sighting->finding = finding_of(reply, location.record, values, false);
  sighting->shows = sighting->finding.empty();
}

}  // namespace

Result<std::unique_ptr<Visibility>> make_visibility(runtime::EventLoop& loop,
                                                    runtime::Random& random,
                                                    ResolverOptions options) {
  auto complete = with_resolvers(std::move(options));
  if (!complete) return fail(std::move(complete.error()));
  return std::make_unique<LiveVisibility>(loop, random, std::move(*complete));
}

}  // namespace certherd::dns

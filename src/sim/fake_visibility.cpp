#include "sim/fake_visibility.hpp"

#include <algorithm>

namespace certherd::sim {

using namespace std::chrono_literals;

Task<Result<dns::Location>> FakeVisibility::locate(Fqdn challenge_name) {
  co_await clock_.sleep_for(10ms);
  if (lost_.contains(challenge_name)) {
    co_return fail(Error::Kind::not_found, "locate", "nobody serves its zone");
  }
  co_return dns::Location{.record = challenge_name, .zone = zone_};
}

Task<Result<std::vector<Fqdn>>> FakeVisibility::name_servers(Fqdn) {
  co_return std::vector{Fqdn::literal("ns1.dns.test")};
}

Task<Result<dns::View>> FakeVisibility::look(dns::Location location, std::vector<TxtValue> values) {
  co_await clock_.sleep_for(10ms);
  dns::View view;
  view.everywhere = std::ranges::all_of(
      values, [&](const TxtValue& value) { return lookup_(location.record, value); });
  view.sightings.push_back({.server = "ns1",
                            .shows = view.everywhere,
                            .finding = view.everywhere ? "" : "no such value"});
  co_return view;
}

}  // namespace certherd::sim

#include "sim/route53_sight.hpp"

#include <algorithm>
#include <utility>

namespace certherd::sim {

using namespace std::chrono_literals;

Fqdn Layout::record(const Fqdn& challenge_name) const {
  if (!delegated) return challenge_name;
  const auto domain = challenge_name.parent().text();
  return Fqdn::literal(domain.substr(0, domain.find('.')) + ".acme.test");
}

Fqdn Layout::zone(const Fqdn& challenge_name) const {
  return delegated ? Fqdn::literal("acme.test") : challenge_name.parent();
}

void Route53Sight::set_lost(const Fqdn& challenge_name, bool lost) {
  if (lost) {
    lost_[challenge_name] = true;
  } else {
    lost_.erase(challenge_name);
  }
}

void Route53Sight::lead(const Fqdn& challenge_name, std::optional<Fqdn> elsewhere) {
  if (elsewhere) {
    elsewhere_.insert_or_assign(challenge_name, std::move(*elsewhere));
  } else {
    elsewhere_.erase(challenge_name);
  }
}

Task<Result<dns::Location>> Route53Sight::locate(Fqdn challenge_name) {
  co_await clock_.sleep_for(10ms);
  if (lost_.contains(challenge_name)) {
    co_return fail(Error::Kind::not_found, "locate", "nobody serves its zone");
  }
  if (const auto led = elsewhere_.find(challenge_name); led != elsewhere_.end()) {
    co_return dns::Location{.record = led->second, .zone = led->second.parent()};
  }
  co_return dns::Location{.record = layout_.record(challenge_name),
                          .zone = layout_.zone(challenge_name)};
}

Task<Result<std::vector<Fqdn>>> Route53Sight::name_servers(Fqdn) { co_return std::vector<Fqdn>(); }

Task<Result<dns::View>> Route53Sight::look(dns::Location location, std::vector<TxtValue> values) {
  co_await clock_.sleep_for(10ms);
  dns::View view;
  view.everywhere = std::ranges::all_of(
      values, [&](const TxtValue& value) { return shown_everywhere(location.record, value); });
  co_return view;
}

bool Route53Sight::shows(const Fqdn& challenge_name, const TxtValue& value) const {
  if (lost_.contains(challenge_name) || elsewhere_.contains(challenge_name)) return false;
  return shown_everywhere(layout_.record(challenge_name), value);
}

bool Route53Sight::shown_everywhere(const Fqdn& record, const TxtValue& value) const {
  for (std::size_t server = 0; server < Route53Schedule::servers; ++server) {
    if (!host_.shows(record, value, server)) return false;
  }
  return true;
}

}  // namespace certherd::sim

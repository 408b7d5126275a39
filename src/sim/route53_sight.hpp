#pragma once

#include <map>
#include <optional>

#include "dns/visibility.hpp"
#include "runtime/clock.hpp"
#include "sim/scripted_route53.hpp"

namespace certherd::sim {

/// Whose zones hold what: each domain one of its own, or all of them one into which their challenge
/// names lead by a CNAME.
struct Layout {
  bool delegated = false;

  /// "site-1.acme.test" for "_acme-challenge.site-1.brand.test".
  Fqdn record(const Fqdn& challenge_name) const;
  Fqdn zone(const Fqdn& challenge_name) const;
};

/// The public DNS, as the name servers of Route 53's zones show it.
class Route53Sight final : public dns::Visibility {
 public:
  Route53Sight(runtime::Clock& clock, const ScriptedRoute53& host, Layout layout)
      : clock_(clock), host_(host), layout_(layout) {}

  /// Nobody serves the zone of this challenge name any more, or again.
  void set_lost(const Fqdn& challenge_name, bool lost);
  /// The challenge name leads somewhere else by a CNAME, as a CDN wants it; nothing: no more.
  void lead(const Fqdn& challenge_name, std::optional<Fqdn> elsewhere);

  Task<Result<dns::Location>> locate(Fqdn challenge_name) override;
  Task<Result<std::vector<Fqdn>>> name_servers(Fqdn zone) override;
  Task<Result<dns::View>> look(dns::Location location, std::vector<TxtValue> values) override;

  /// Whether a CA that looks now finds the value.
  bool shows(const Fqdn& challenge_name, const TxtValue& value) const;

 private:
  bool shown_everywhere(const Fqdn& record, const TxtValue& value) const;

  runtime::Clock& clock_;
  const ScriptedRoute53& host_;
  Layout layout_;
  std::map<Fqdn, bool> lost_;
  std::map<Fqdn, Fqdn> elsewhere_;
};

}  // namespace certherd::sim

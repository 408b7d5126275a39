#pragma once

#include <functional>
#include <map>

#include "dns/visibility.hpp"
#include "runtime/clock.hpp"

namespace certherd::sim {

/// The public DNS as one zone in memory: every name is in it, and a value is seen everywhere once
/// the given look-up shows it.
class FakeVisibility final : public dns::Visibility {
 public:
  using Lookup = std::function<bool(const Fqdn& name, const TxtValue& value)>;

  FakeVisibility(runtime::Clock& clock, Fqdn zone, Lookup lookup)
      : clock_(clock), zone_(std::move(zone)), lookup_(std::move(lookup)) {}

  /// Nobody serves the zone of this challenge name.
  void lose(const Fqdn& challenge_name) { lost_[challenge_name] = true; }

  Task<Result<dns::Location>> locate(Fqdn challenge_name) override;
  Task<Result<std::vector<Fqdn>>> name_servers(Fqdn zone) override;
  Task<Result<dns::View>> look(dns::Location location, std::vector<TxtValue> values) override;

 private:
  runtime::Clock& clock_;
  Fqdn zone_;
  Lookup lookup_;
  std::map<Fqdn, bool> lost_;
};

}  // namespace certherd::sim

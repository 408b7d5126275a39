#pragma once

#include <map>
#include <string>
#include <vector>

#include "dns/provider.hpp"
#include "dns/route53/xml.hpp"
#include "model/fqdn.hpp"

namespace certherd::dns::route53 {

/// Which public zones an account has, as far as pages of ListHostedZonesByName have told it. Each
/// page says all about a stretch of the order in which Route 53 sorts names: that these zones are
/// in it, and no others.
class KnownZones {
 public:
  /// Learns the page that was asked for from this name on; empty: from the first zone on.
  void learn(const Fqdn& from, const ZonePage& page);

  struct Answer {
    bool complete = false;         ///< `zones` is the answer; else ask for a page from `ask` on
    std::vector<dns::Zone> zones;  ///< of the longest name that holds it; several: twins
    Fqdn ask;
  };

  /// Which zones hold a name. What is to be asked begins with the two last labels, since zones
  /// below them come right after; single labels, that hardly anybody hosts, come last.
  Answer holding(const Fqdn& name) const;

  /// Where the known stretch before a name ends: a page from there on joins what is known. Empty
  /// when there is none.
  Fqdn end_of_stretch_before(const Fqdn& name) const;

  bool covers(const Fqdn& name) const;
  bool empty() const { return stretches_.empty(); }
  bool has(const ZoneId& id) const;
  void clear();

 private:
  // Keys are those of order_key(): the end is not part of the stretch.
  struct Stretch {
    std::string end;
    Fqdn end_name;  ///< empty when the stretch ends between two names
  };

  void cover(std::string begin, Stretch stretch);

  std::map<std::string, Stretch, std::less<>> stretches_;  // by where they begin
  std::map<Fqdn, std::vector<ZoneId>> zones_;
};

}  // namespace certherd::dns::route53

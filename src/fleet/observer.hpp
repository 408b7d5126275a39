#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fleet/alarm_watch.hpp"
#include "fleet/scan.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::fleet {

/// Looks at what the endpoints of the inventory serve, each every so often, and tells in the audit
/// trail when one begins to serve something else than before. Used on the loop.
class Observer {
 public:
  struct Options {
    Duration every = std::chrono::hours(6);  ///< between two looks at an endpoint
    Duration timeout = std::chrono::seconds(10);
    Duration warn_before = std::chrono::days(14);
  };

  Observer(Ports& ports, Options options);

  /// The inventory as it was just read: endpoints that are new are looked at soon, and those that
  /// are gone no more.
  void review(const std::vector<store::DomainRow>& rows);

  /// Looks until it is cancelled.
  Task<void> run();

  /// What the endpoints of all enabled domains were last seen to serve; nothing from before the
  /// present certificate was got.
  const AlarmWatch::Sightings& seen() const { return seen_; }

 private:
  using Place = std::pair<DomainId, std::string>;  ///< a domain, and one of its endpoints in words
  struct Watched {
    Endpoint endpoint;
    Time next{};
    bool looking = false;    ///< now; it is not among those due then
    bool again = false;      ///< what it is looked at for has changed meanwhile
    bool looked_at = false;  ///< for the present certificate
    std::string state;       ///< as it was told last; empty: not looked at yet
  };

  Task<void> look(std::vector<Place> places);
  /// Whether the domain has another certificate than when it was looked at last.
  bool is_renewed(const store::DomainRow& row);
  void look_again(const Place& place, Watched& watched);
  bool looked_at(DomainId domain) const;
  void note(const Place& place, Finding finding, std::vector<Event>* events);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Options options_;
  std::map<DomainId, store::DomainRow> rows_;
  std::map<Place, Watched> watched_;
  std::set<std::pair<Time, Place>> due_;
  AlarmWatch::Sightings seen_;
  std::map<DomainId, Serial> settled_;  ///< the certificates of domains that none is got for
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet

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
  /// are gone no more. What `at_work` serve may change at any moment, and is no sighting.
  void review(const std::vector<store::DomainRow>& rows, const std::set<DomainId>& at_work);

  /// Something was done for a domain: what was seen before says nothing any more.
  void look_again(DomainId domain);

  /// Looks until it is cancelled.
  Task<void> run();

  /// What the endpoints of all enabled domains were last seen to serve.
  const AlarmWatch::Sightings& seen() const { return seen_; }

 private:
  using Place = std::pair<DomainId, std::string>;  ///< a domain, and one of its endpoints in words
  struct Watched {
    Endpoint endpoint;
    Time next{};
    bool looking = false;    ///< now; it is not among those due then
    bool again = false;      ///< what it is looked at for has changed meanwhile
    bool looked_at = false;  ///< since something was done for the domain
    std::string state;       ///< as it was told last; empty: not looked at yet
  };

  Task<void> look(std::vector<Place> places);
  bool looked_at(DomainId domain) const;
  void note(const Place& place, Finding finding, std::vector<Event>* events);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Options options_;
  std::map<DomainId, store::DomainRow> rows_;
  std::map<Place, Watched> watched_;
  std::set<std::pair<Time, Place>> due_;
  AlarmWatch::Sightings seen_;
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet

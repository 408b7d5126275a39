#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fleet/alarm_watch.hpp"
#include "fleet/inventory.hpp"
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

  /// `told` is called when it was told in the audit trail that an endpoint has begun to serve
  /// something else.
  Observer(Ports& ports, const Inventory& inventory, Options options, std::function<void()> told);

  /// A domain as it was just read: endpoints that are new are looked at soon, and those that are
  /// gone no more.
  void review(const store::DomainRow& row);
  /// The domain is in the inventory no more.
  void forget(DomainId domain);

  /// Something was done for a domain: what was seen before says nothing any more.
  void look_again(DomainId domain);

  /// Looks until it is cancelled.
  Task<void> run();

  /// What the endpoints of a domain were last seen to serve; null: it is new, or disabled.
  const AlarmWatch::Sighting* seen(DomainId domain) const;
  /// The domains that something else was seen of since this was called last.
  std::set<DomainId> take_changed() { return std::exchange(seen_anew_, {}); }

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
  void hurry(const Place& place, Watched& watched);
  void drop(DomainId domain, const std::set<std::string>& kept);
  bool looked_at(DomainId domain) const;
  void note(const Place& place, Finding finding, std::vector<Event>* events);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  const Inventory& inventory_;
  Options options_;
  std::function<void()> told_;
  std::map<Place, Watched> watched_;
  std::set<std::pair<Time, Place>> due_;
  std::map<DomainId, AlarmWatch::Sighting> seen_;
  std::set<DomainId> seen_anew_;
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet

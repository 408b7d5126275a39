#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fleet/alarm_watch.hpp"
#include "fleet/due_queue.hpp"
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
  /// An endpoint of a domain, by a number that it alone has had.
  using Place = std::pair<DomainId, std::uint64_t>;
  struct Watched {
    std::uint64_t number = 0;
    Endpoint endpoint;
    Time next{};
    bool looking = false;    ///< now; it is not among those due then
    bool again = false;      ///< what it is looked at for has changed meanwhile
    bool looked_at = false;  ///< since something was done for the domain
    std::string state;       ///< as it was told last; empty: not looked at yet
  };
  struct Observed {
    std::vector<Watched> endpoints;
    AlarmWatch::Sighting sighting;
  };

  Task<void> look(std::vector<Place> places);
  /// Null: it is looked at no more.
  Watched* find(const Place& place);
  /// The first that is due, and when; null: there is none.
  const DueQueue<Place>::Entry* first_due();
  void look_at(DomainId domain, Watched& watched, Time when);
  void hurry(DomainId domain, Watched& watched);
  void note(DomainId id, Watched& watched, Finding finding, std::vector<Event>* events);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  const Inventory& inventory_;
  Options options_;
  std::function<void()> told_;
  std::unordered_map<DomainId, Observed> domains_;
  DueQueue<Place> due_;
  std::uint64_t last_number_ = 0;
  std::set<DomainId> seen_anew_;
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet

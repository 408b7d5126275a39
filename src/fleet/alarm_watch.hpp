#pragma once

#include <map>
#include <optional>
#include <vector>

#include "fleet/ports.hpp"
#include "model/alarm.hpp"
#include "policy/alarms.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// Holds the alarms that stand against those that should, and writes what differs: each alarm is
/// told once when it begins and once when it is over, whoever has raised it and however often the
/// process is started anew. For whoever holds the lease; used on the loop.
class AlarmWatch {
 public:
  struct Options {
    Duration warn_before = std::chrono::days(14);
    /// How long the first alarm waits for others that begin with it, to be told together.
    Duration gather = std::chrono::seconds(10);
    /// How long what another process may have raised or cleared can go unseen.
    Duration read_anew = std::chrono::minutes(10);
  };

  /// What endpoints of a domain that answered were seen to serve.
  struct Sighting {
    std::vector<policy::Seen> seen;
    bool looked_at = false;  ///< all of them, as policy::Watched has it
  };
  using Sightings = std::map<DomainId, Sighting>;

  /// `subscriptions`: who is told.
  AlarmWatch(store::Store& store, std::vector<Subscription> subscriptions, Options options)
      : store_(store), subscriptions_(std::move(subscriptions)), options_(options) {}

  /// Judges the inventory as it was read at `now`, and gives how many alarms have begun or are
  /// over; notify::Delivery then has something to send. `rows` and `seen` (may be null: nobody
  /// looks) stay until it returns; `unusable` says of CAs at which nothing can be ordered why.
  /// Takes some ten milliseconds for 100,000 rows, and asks the store for nothing where nothing
  /// changes. One call at a time. Errors: the store's; the next call does what this one could not.
  Task<Result<int>> review(const std::vector<store::DomainRow>* rows, const Sightings* seen,
                           std::map<CaName, Error> unusable, Time now);

 private:
  Task<Status> read(Time now);

  store::Store& store_;
  std::vector<Subscription> subscriptions_;
  Options options_;
  std::map<Alarm::Key, Alarm> standing_;
  std::optional<Time> read_at_;
};

/// Why nothing can be ordered at CAs of these ports.
std::map<CaName, Error> unusable_cas(const Ports& ports);

}  // namespace certherd::fleet

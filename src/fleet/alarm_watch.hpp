#pragma once

#include <functional>
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
  /// One that is judged.
  struct Subject {
    Fqdn name;
    const store::DomainRow* row = nullptr;  ///< null: it is in the inventory no more
    const Sighting* seen = nullptr;         ///< null: nobody looks
  };
  using Find = std::function<Subject(const Fqdn& name)>;

  /// `subscriptions`: who is told.
  AlarmWatch(store::Store& store, std::vector<Subscription> subscriptions, Options options)
      : store_(store), subscriptions_(std::move(subscriptions)), options_(options) {}

  /// Judges domains as they were read just now, and the CAs that are `unusable`, and gives how many
  /// alarms have begun or are over; notify::Delivery then has something to send. The alarms of
  /// other domains stay as they are. Now and then it reads which alarms stand, since other
  /// processes raise and clear them too, and judges all domains that have one: `find` gives them.
  /// What the subjects point to stays until it returns. Asks the store for nothing else where
  /// nothing changes. One call at a time. Errors: the store's; it is to be asked about the same
  /// subjects again then.
  Task<Result<int>> review(std::vector<Subject> subjects, Find find,
                           std::map<CaName, Error> unusable, Time now);

  /// When another review of the domain may give something else although nothing was written or
  /// seen; Time::max(): never.
  Time changes_at(const Subject& subject, Time now) const;

 private:
  /// Whether the standing alarms were read anew.
  Task<Result<bool>> read(Time now);

  store::Store& store_;
  std::vector<Subscription> subscriptions_;
  Options options_;
  /// By their domain; those about CAs have none.
  std::map<Fqdn, std::map<Alarm::Key, Alarm>> standing_;
  std::optional<Time> read_at_;
};

/// Why nothing can be ordered at CAs of these ports.
std::map<CaName, Error> unusable_cas(const Ports& ports);

}  // namespace certherd::fleet

#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "fleet/alarm_watch.hpp"
#include "fleet/due_queue.hpp"
#include "fleet/executor.hpp"
#include "fleet/inventory.hpp"
#include "fleet/observer.hpp"
#include "fleet/ports.hpp"
#include "fleet/renewal_watch.hpp"

namespace certherd::fleet {

/// Keeps a fleet for good: has the executor do what is due of the inventory, asks the CAs about
/// renewals, looks at what is served, and raises and clears alarms. A round looks at the domains
/// that were changed or worked on since the last one, and at those whose moment has come, so that
/// it costs what happens and not what there is. Owned by app, used on the loop.
class Scheduler {
 public:
  struct Options {
    Executor::Options executor{};
    Observer::Options observer{};
    RenewalWatch::Options renewals{};
    AlarmWatch::Options alarms{};
    std::vector<Subscription> subscriptions{};  ///< who is told of alarms
    /// The next round comes after so long at the latest: other processes change the inventory, and
    /// a clock may jump.
    Duration longest_pause = std::chrono::seconds(30);
    /// Opens a CA of the inventory that the ports lack, or that could not be used before.
    std::function<Task<void>(CaName)> open_ca{};
    /// Called when somebody is to be told of an alarm.
    std::function<void()> alarmed{};
    /// Called when the clock was set back, see Clock::set_back(). Whatever is in memory
    /// has its moments by the clock as it was, and would wait until it has come there again: who
    /// owns this lets it drain, and begins anew.
    std::function<void()> clock_was_set_back{};
    Duration look_at_clock_every = std::chrono::minutes(1);
    /// Called after each round in which the loop turned and the store answered.
    std::function<void()> turned{};
  };

  Scheduler(Ports& ports, Options options);

  /// Works until drain(); the caller holds the lease. Errors: as Executor::run().
  Task<Status> run();

  /// Something has happened: have the next round soon.
  void look_again();

  /// Begin nothing new, and let run() return soon.
  void drain() { executor_.drain(); }

  const Progress& progress() const { return executor_.progress(); }

 private:
  Task<void> plan_again_and_again();
  Task<Status> plan();
  /// The domains that this round looks at; none of them is forgotten when it fails.
  Task<Result<std::set<DomainId>>> gather();
  Task<Status> decide(DomainId id);
  void note_moment(DomainId id, Time moment);
  /// The first moment, and whose; null: there is none.
  const DueQueue<DomainId>::Entry* first_due();
  Task<void> open_cas(std::vector<CaName> cas);
  Task<void> open_cas_again_and_again();
  Task<void> watch_clock();
  Task<void> open_missing_cas(std::set<DomainId> domains);
  Task<void> review_alarms(std::set<DomainId> domains);
  AlarmWatch::Subject subject(const store::DomainRow& row) const;
  void finished(DomainId domain);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Options options_;
  Executor executor_;
  Inventory inventory_;
  RenewalWatch renewals_;
  Observer observer_;
  AlarmWatch alarms_;
  runtime::Wakeup changed_;
  bool look_again_ = false;     ///< something has happened since the last round
  std::set<DomainId> touched_;  ///< the next round has to look at them
  std::set<CaName> missing_cas_;
  std::vector<Inventory::Gone> gone_;           ///< whose alarms are not cleared yet
  std::unordered_map<DomainId, Time> moments_;  ///< when a round has to look at them
  DueQueue<DomainId> due_;                      ///< the same by time
  bool told_ = false;                           ///< how it stands at the beginning
};

}  // namespace certherd::fleet

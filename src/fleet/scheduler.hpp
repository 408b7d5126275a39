#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fleet/alarm_watch.hpp"
#include "fleet/executor.hpp"
#include "fleet/observer.hpp"
#include "fleet/ports.hpp"
#include "fleet/renewal_watch.hpp"

namespace certherd::fleet {

/// Keeps a fleet for good: reads the inventory again and again, has the executor do what is due,
/// asks the CAs about renewals, looks at what is served, and raises and clears alarms. Owned by
/// app, used on the loop.
class Scheduler {
 public:
  struct Options {
    Executor::Options executor{};
    Observer::Options observer{};
    AlarmWatch::Options alarms{};
    std::vector<Subscription> subscriptions{};  ///< who is told of alarms
    /// The inventory is read again after so long at the latest: other processes change it, and a
    /// clock may jump.
    Duration longest_pause = std::chrono::seconds(30);
    /// Opens a CA of the inventory that the ports lack, or that could not be used before.
    std::function<Task<void>(CaName)> open_ca{};
    /// Called when somebody is to be told of an alarm.
    std::function<void()> alarmed{};
    /// Called after each round in which the loop turned and the store answered.
    std::function<void()> turned{};
  };

  Scheduler(Ports& ports, Options options);

  /// Works until drain(); the caller holds the lease. Errors: as Executor::run().
  Task<Status> run();

  /// The inventory is another one than when it was read last.
  void look_again();

  /// Begin nothing new, and let run() return soon.
  void drain() { executor_.drain(); }

  const Progress& progress() const { return executor_.progress(); }

 private:
  Task<void> plan_again_and_again();
  Task<Status> plan();
  Task<void> open_cas(std::vector<CaName> cas);
  Task<void> open_cas_again_and_again();
  std::vector<CaName> missing_cas(const std::vector<store::DomainRow>& rows) const;
  Task<void> review_alarms(const std::vector<store::DomainRow>* rows);
  void finished(DomainId domain);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Options options_;
  Executor executor_;
  RenewalWatch renewals_;
  Observer observer_;
  AlarmWatch alarms_;
  runtime::Wakeup changed_;
  bool look_again_ = false;  ///< something has happened since the inventory was read
  Time next_due_{};
  bool told_ = false;  ///< how it stands at the beginning
};

}  // namespace certherd::fleet

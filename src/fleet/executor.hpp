#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fleet/ca_budget.hpp"
#include "fleet/chores.hpp"
#include "fleet/issuance/steps.hpp"
#include "fleet/ports.hpp"
#include "fleet/report.hpp"
#include "policy/backoff.hpp"
#include "policy/plan.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::fleet {

/// How far the work has come: counts of domains. One that an earlier process has begun counts for
/// the steps that it had passed, too.
struct Progress {
  int total = 0;
  int issued = 0;  ///< so far or further; likewise the next three
  int stored = 0;
  int installed = 0;
  int served = 0;
  int current = 0;
  int deferred = 0;
  int failed = 0;

  int finished = 0;  ///< all that have a result
};

/// Carries out the open requests of a store: the only part of a fleet that acts. Hundreds of
/// issuances go on at once, each as a row that is due at a moment; a failing one is put off and
/// changes nothing for the others. Earliest deadline first. Other work on a domain is done between
/// two steps of its issuance. Owned by app, used on the loop.
class Executor {
 public:
  struct Options {
    std::string owner;  ///< of the lease, see Lease::owner
    Duration lease_ttl = std::chrono::seconds(15);
    Duration request_poll = std::chrono::seconds(1);
    /// A domain that is put off for longer has its result now: deferred or failed.
    Duration patience = std::chrono::seconds(45);
    /// How often challenge values are swept that could not be removed, or not be forgotten yet.
    Duration sweep_every = std::chrono::minutes(30);
    int running = 256;  ///< steps under way at one time
    /// Goes on until drain(), also when nothing is to be done: what is due comes by admit_due().
    bool serves = false;
    /// Called when a domain has its result, and nothing more is being done for it.
    std::function<void(DomainId)> finished{};
  };

  Executor(Ports& ports, Options options);

  /// Works until no request is open, or only such of others as are patient; the caller holds the
  /// lease, which is prolonged meanwhile. Before it returns, challenge values that nobody needs any
  /// more are removed. Steps under way at a drain() reach their next commit. Errors: conflict when
  /// the lease was lost to another process; the store's.
  Task<Status> run();

  /// Begin nothing new, and let run() return soon.
  void drain();

  /// Takes up a domain, as it was just read, if it is due, as if it had been asked for; otherwise
  /// gives the moment at which it will be, Time::max() where that is never or the domain is at work
  /// already: then `finished` tells. To be called while run() goes on. A failure puts the domain
  /// off, in its row. Errors: the store's.
  Task<Result<Time>> admit_due(const store::DomainRow* row);

  /// Whether something is being done for the domain, or will be before long.
  bool is_at_work(DomainId id) const;

  const Progress& progress() const { return progress_; }

 private:
  /// An issuance between two steps, as the store holds it: after a look that has found nothing new,
  /// only the time of the next one differs.
  struct Waiting {
    store::DomainRow domain;
    Time read_at{};  ///< the domain
    Issuance issuance;
  };

  /// One domain that is being worked on; what is more of it is in the store.
  struct Tracked {
    Fqdn domain;
    CaName ca;
    Time urgency{};           ///< when the domain's certificate ends; the past when it has none
    IssuanceId issuance{};    ///< none yet: it is started when the CA has room
    bool look_first = false;  ///< taken over from an earlier process, or a step that failed
    bool taken_over = false;  ///< its issuance was begun by an earlier process
    bool noted = false;       ///< its row says that it is put off, or need not
    bool asked = false;       ///< a person wants it now, whatever hold and window say
    bool holds_slot = false;  ///< counts against the CA's max_in_flight
    bool due = true;          ///< without being asked for
    std::optional<Waiting> waits;
    Serial replaced;  ///< the certificate that has to go; empty: any one may be new enough
    std::vector<WorkRequest> requests;
  };

  /// Whether its order is open at the CA: from newOrder until its certificate has been fetched.
  static bool has_open_order(const Issuance& issuance);
  /// That hold or window let nothing be done now.
  static Error not_open(const Fqdn& domain, const policy::Opening& opening, Time now);

  Task<Status> work_until_done();
  Task<void> finish_steps();
  Task<Status> take_up_revocations();
  Task<Status> admit_requests();
  Task<Status> admit(WorkRequest request);
  static void ask(Tracked& tracked, WorkRequest request);
  Task<Status> resume(DomainId id, Issuance issuance);
  /// Gives up an issuance, and has the domain begin another one at `ca`.
  Task<Status> fail_over(DomainId id, Issuance issuance, CaName ca);
  void wait_until(DomainId id, Time when);
  void make_ready(DomainId id);
  void dispatch();
  std::optional<DomainId> take_free(std::set<std::pair<Time, DomainId>>& queue) const;
  void launch(DomainId id, Task<Status> task);

  Task<void> work(DomainId id, Task<Status> task);
  Task<Status> do_chore(Chore chore);
  Task<Status> tell(WorkRequest request, Report report);
  /// Of work that nobody has asked for, its row says how it went: well, or when it goes on.
  Task<Status> note_unasked(Fqdn name, std::optional<Error> error);
  Task<Status> advance(DomainId id);
  /// Whether hold and window let it begin, or install what was got, now; false when it has to wait
  /// for them, or has its result. `issuance` is the row that wants to install, if there is one yet.
  Task<Result<bool>> may_go_on(DomainId id, store::DomainRow row, std::optional<Issuance> issuance);
  /// Asks the CA's limits for one order; false when the domain has to wait for them, or has its
  /// result. `issuance` is the row that wants to order, if there is one yet.
  Task<Result<bool>> may_order(DomainId id, store::DomainRow row, std::optional<Issuance> issuance);
  Task<Result<Issuance>> begin(DomainId id, Domain domain);
  /// The row after an error: put off, or over. Nothing when it has its result.
  Task<Status> recover(DomainId id, store::DomainRow domain, Issuance issuance, Error error);
  /// After the store would not go on with a domain: begun anew when its issuance was ended by a
  /// change of the inventory or a revocation, failed when it was removed; `error` in any other
  /// case.
  Task<Status> inventory_changed(DomainId id, Error error);
  void note(const Issuance& before, const Issuance& after);
  void count(const Report& report);
  /// `again_at` is when a domain that was put off may be taken up again: until then, requests that
  /// are patient for so long wait instead of having this result.
  Task<Status> finish(DomainId id, Report report, std::optional<Time> again_at = std::nullopt);
  policy::Plan plan_of(const store::DomainRow& row) const;
  static policy::End end_of(const store::DomainRow& row);
  void release_slot(Tracked& tracked);

  Task<void> keep_lease();
  Task<void> sweep_when_asked();
  Task<void> sweep(Task<Status> (dns::ChangeBatcher::*how)());

  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Options options_;
  Steps steps_;
  Chores chores_;
  CaBudget budget_;
  runtime::TaskGroup work_;
  runtime::TaskGroup background_;
  runtime::Wakeup changed_;
  runtime::Wakeup sweep_wakeup_;

  std::map<DomainId, Tracked> tracked_;
  std::map<DomainId, Issuance> leftover_;       ///< active rows of an earlier process, by domain
  std::multimap<Time, WorkRequest> postponed_;  ///< those that are patient
  std::set<std::pair<Time, DomainId>> waiting_;
  std::set<std::pair<Time, DomainId>> ready_;                     ///< by urgency
  std::map<CaName, std::set<std::pair<Time, DomainId>>> queued_;  ///< for a slot, by urgency
  std::map<CaName, int> in_flight_;
  std::set<DomainId> busy_;  ///< something is being done for them: a step, or other work
  std::int64_t last_request_ = 0;
  Progress progress_;
  bool draining_ = false;
  bool sweep_wanted_ = true;  ///< at first for what a crash may have left
  bool lease_lost_ = false;
  bool defect_ = false;
  std::optional<Error> broken_;  ///< the store failed: nothing can go on
};

}  // namespace certherd::fleet

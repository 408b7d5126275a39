#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dns/ledger.hpp"
#include "model/account.hpp"
#include "model/alarm.hpp"
#include "model/certificate.hpp"
#include "model/domain.hpp"
#include "model/event.hpp"
#include "model/issuance.hpp"
#include "model/request.hpp"
#include "runtime/budget.hpp"
#include "runtime/clock.hpp"
#include "runtime/offload.hpp"
#include "store/allowances.hpp"
#include "store/mark.hpp"

namespace certherd::store {

struct Options {
  std::string url;      ///< "sqlite:PATH" (PATH absolute) or "sqlite::memory:"
  bool create = false;  ///< make an empty store; otherwise a missing one is an error
  bool migrate = true;  ///< bring an older schema up to date; otherwise it is an error
};

/// A domain with what is known of it.
struct DomainRow {
  Domain domain;
  std::optional<Certificate> certificate;  ///< the current one
  std::optional<Step> working;             ///< step of the active issuance
  std::optional<Time> working_next_at;
};

/// The inventory since a moment: what an earlier read need not be told again.
struct InventoryNews {
  bool all = false;  ///< `changed` is the whole inventory, and what is not in it is gone
  std::vector<DomainRow> changed;  ///< by name
  std::vector<DomainId> removed;   ///< by id; empty where it is `all`
  Mark mark;                       ///< for the next call
};

/// What changes in the inventory, all at one time.
struct InventoryChange {
  std::vector<Domain> added;    ///< one that was removed earlier comes back with its certificates
  std::vector<Domain> changed;  ///< as read from the store, with other columns
  std::vector<Domain> removed;  ///< as read from the store
  std::vector<Event> events;
  std::vector<WorkRequest> requests = {};  ///< what is to be done because of it
};

/// What changes together, in one transaction, with an issuance or without one.
struct Changes {
  std::vector<Event> events;
  std::optional<Certificate> certificate;  ///< inserted or updated (by domain and serial); current
  std::optional<Certificate> amended;      ///< updated, and current or former as it was before
  std::optional<KeyHash> compromised;      ///< a key that must never be used again

  /// How the domain fares, when that changes.
  struct Outcome {
    int failures = 0;
    std::optional<Time> next_at;
    std::optional<Error> last_error;
  };
  std::optional<Outcome> outcome;
};

/// What a CA has said of the renewal of a domain's certificate.
struct KnownRenewal {
  DomainId domain{};
  Serial serial;
  Renewal renewal;
};

/// A text of crypto::Sealer in the store.
struct SealedText {
  enum class Of { account, issuance };

  Of of;
  std::string owner;  ///< name of the CA, or of the domain
  std::string text;
};

/// Gives what is to stand in the place of a sealed text. Runs on the writer's thread.
using Reseal = std::function<Result<std::string>(const SealedText& sealed)>;

struct EventQuery {
  std::optional<Fqdn> domain;
  std::optional<Time> since;
  std::int64_t after = 0;  ///< only events with a larger number
  std::size_t limit = 0;   ///< 0: all
};

struct NumberedEvent {
  std::int64_t number = 0;
  Event event;
};

/// How the alarms that stand differ from those that should.
struct AlarmChanges {
  std::vector<Alarm> raised = {};
  std::vector<Alarm> cleared = {};  ///< by their keys, with `cleared_at` and `ending`
  std::vector<Subscription> subscriptions = {};
  Time notify_at{};  ///< not before this moment, so that what comes together is told together
};

/// What is done about notifications that could not be sent.
struct PutOff {
  std::vector<NotificationId> notifications;
  Time next_at{};
  Time give_up{};     ///< those that have failed since then or longer are dropped
  std::string error;  ///< the last one, for the event that tells so
};

/// All state of certherd, by domain verbs. One writer session on one thread commits whatever is
/// queued in one transaction (group commit); what a call wrote is durable when it returns.
/// Lists are ordered by a unique key. Owned by app, used on the loop.
///
/// Errors of every call: transient (locked for too long, disk full, read only: the detail says
/// which), rejected (a row that does not parse). Others are named where they occur.
class Store : public dns::Ledger, public runtime::Budget {
 public:
  /// Opens and migrates. `writer` must run one piece of work at a time. Blocks: before the loop.
  /// Errors: not_found (no store there and not asked to create one), conflict (create, and one is
  /// there), misconfigured (a URL of another kind, a store of a newer schema, or of an older one
  /// that is not to be migrated).
  static Result<std::unique_ptr<Store>> open(const Options& options, runtime::Offload& writer,
                                             runtime::Offload& reader, runtime::Clock& clock);

  /// How often this object has written the row of an issuance: start() and commit().
  virtual std::uint64_t journal_writes() const = 0;

  // Inventory.

  /// All or nothing. Ends, in the same transaction, the active issuance of each domain that is
  /// removed, and of each that changes its names, CA, key or profile before its finalize: none of
  /// them finalizes any more. A change of more than owner, metadata and `enabled` also ends the
  /// pause after a failure. Errors: conflict, naming in causes (op = the name) each one that is to
  /// be added and is there already, or that somebody else changed or removed since it was read.
  virtual Task<Status> change_inventory(InventoryChange change) = 0;
  Task<Status> add_domains(std::vector<Domain> domains, std::vector<Event> events);
  /// Those that are not removed, by name.
  virtual Task<Result<std::vector<DomainRow>>> domains() = 0;
  /// What of domains() was written since `mark`, or may have been: it misses nothing, and may tell
  /// too much. All of it for a mark of another store object or of none (`{}`), after another
  /// process has written, and where so much has changed that telling it one by one would cost more.
  virtual Task<Result<InventoryNews>> domains_since(Mark mark) = 0;
  /// Errors: not_found.
  virtual Task<Result<DomainRow>> domain(Fqdn name) = 0;
  /// The first `limit` names that begin with `prefix`.
  virtual Task<Result<std::vector<std::string>>> names_with(std::string prefix,
                                                            std::size_t limit) = 0;

  // Accounts.

  virtual Task<Result<std::optional<Account>>> account(CaName ca) = 0;
  /// Writes a new one (revision 0), or replaces the one of that CA if its revision is still the one
  /// given, and returns it with the next one. Errors: conflict when another process has written it
  /// meanwhile; nothing is written then.
  virtual Task<Result<Account>> save_account(Account account, std::vector<Event> events) = 0;

  // Issuances.

  /// Writes a new one and gives it with its id and revision 1. Errors: conflict when the domain
  /// has an active one.
  virtual Task<Result<Issuance>> start(Issuance issuance, Changes changes) = 0;
  /// Writes the row if its revision is still the one given, and returns it with the next one.
  /// Errors: conflict when somebody else went on with it; nothing is written then.
  virtual Task<Result<Issuance>> commit(Issuance issuance, Changes changes) = 0;
  /// Errors: not_found.
  virtual Task<Result<Issuance>> issuance(IssuanceId id) = 0;
  /// By id.
  virtual Task<Result<std::vector<Issuance>>> active_issuances() = 0;
  virtual Task<Result<std::optional<Issuance>>> active_issuance(DomainId domain) = 0;
  /// Those of the given order URLs that no issuance, active or over, holds; in the order given.
  virtual Task<Result<std::vector<OrderUrl>>> unknown_orders(std::vector<OrderUrl> urls) = 0;

  // Certificates.

  /// The current one of each domain, by domain; with `all` the former ones too, newest first, and
  /// those of removed domains.
  virtual Task<Result<std::vector<Certificate>>> certificates(bool all) = 0;
  /// The current and the former ones of these domains, domain by domain, newest first.
  virtual Task<Result<std::vector<Certificate>>> certificates_of(std::vector<DomainId> domains) = 0;
  /// Current or former. Errors: not_found.
  virtual Task<Result<Certificate>> certificate(DomainId domain, Serial serial) = 0;
  /// Those whose revocation is wanted and not confirmed, oldest first.
  virtual Task<Result<std::vector<Certificate>>> revocations_begun() = 0;
  /// The chain (PEM) as the CA gave it out. Errors: not_found when no issuance here holds it.
  virtual Task<Result<std::string>> chain_of(DomainId domain, Serial serial) = 0;
  /// Writes changes outside any issuance. Errors: not_found when `amended` is not there.
  virtual Task<Status> amend(DomainId domain, Changes changes) = 0;
  virtual Task<Result<bool>> is_compromised(KeyHash key) = 0;
  /// Keeps what CAs have said of the renewal of domains' certificates, in place of what they said
  /// before; domain() and domains() give it with the certificate as long as that is the present
  /// one. Without events it is nothing new, and domains_since() does not tell of it.
  virtual Task<Status> save_renewals(std::vector<KnownRenewal> renewals,
                                     std::vector<Event> events) = 0;

  // Requests.

  /// Writes requests (ids are given) for a batch.
  virtual Task<Status> submit(std::vector<WorkRequest> requests) = 0;
  /// Those not done with an id above `after`, by id.
  virtual Task<Result<std::vector<WorkRequest>>> open_requests(std::int64_t after) = 0;
  /// All of a batch, by id.
  virtual Task<Result<std::vector<WorkRequest>>> batch(std::string batch) = 0;
  /// Sets done_at and the result.
  virtual Task<Status> finish_request(std::int64_t id, std::string result) = 0;
  /// Drops what is open of that owner: it will not wait for it any more.
  virtual Task<Status> withdraw_requests(std::string owner) = 0;

  // The executor's lease.

  /// Takes the lease, or prolongs our own, until now + `ttl`. Gives the lease as it stands then:
  /// ours if we got it. `holder_is_dead` (may be null) is asked about an unexpired lease of
  /// another owner on this machine, and lets us take it at once.
  virtual Task<Result<Lease>> acquire_lease(std::string owner, Duration ttl,
                                            bool (*holder_is_dead)(const std::string& owner)) = 0;
  /// Gives it up, if it is ours.
  virtual Task<Status> release_lease(std::string owner) = 0;

  /// Replaces all sealed texts at one time, and gives how many have changed. Who holds a row from
  /// before cannot write it any more. Errors: those of `reseal`; nothing has changed then.
  virtual Task<Result<int>> reseal(Reseal reseal, std::vector<Event> events) = 0;

  // Allowances, beside runtime::Budget.

  /// Takes a unit for each demand where all may be spent now, and nothing otherwise.
  virtual Task<Result<Room>> take_all(std::vector<Demand> demands) = 0;
  virtual Task<Status> amend_allowances(std::vector<Amendment> amendments) = 0;
  /// All that were ever drawn on, by name.
  virtual Task<Result<std::map<std::string, Level>>> levels() = 0;

  // Alarms, and who is still to be told of them.

  /// Those that stand, by id.
  virtual Task<Result<std::vector<Alarm>>> standing_alarms() = 0;
  /// Writes which begin and which are over, each with an event (alarm.raised, alarm.cleared) and a
  /// notification for each subscription that hears of it. One that stands already, or does not
  /// stand any more, is left as it is. Gives how many have changed.
  virtual Task<Result<int>> change_alarms(AlarmChanges changes) = 0;

  /// When the notifier's oldest notification may be sent; nothing when it has none.
  virtual Task<Result<std::optional<Time>>> next_notification(NotifierName notifier) = 0;
  /// Its notifications, oldest first, at most `limit`; none before the oldest one's time. Until
  /// `until` nobody else gets any of them.
  virtual Task<Result<std::vector<Notification>>> take_notifications(NotifierName notifier,
                                                                     std::size_t limit,
                                                                     Time until) = 0;
  virtual Task<Status> finish_notifications(std::vector<NotificationId> notifications) = 0;
  /// Counts a failed attempt for each. Gives how many were given up; an event
  /// (notification.given_up) for each notifier tells so.
  virtual Task<Result<int>> put_off_notifications(PutOff put_off) = 0;
  /// Gives up all that is for notifiers which are not among `known`, with events likewise.
  virtual Task<Result<int>> forget_notifiers_but(std::set<NotifierName> known) = 0;

  // Audit trail.

  virtual Task<Status> append(std::vector<Event> events) = 0;
  /// Oldest first; with a limit, the newest ones.
  virtual Task<Result<std::vector<NumberedEvent>>> events(EventQuery query) = 0;
};

}  // namespace certherd::store

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/group_commit.hpp"
#include "store/sessions.hpp"
#include "store/store.hpp"
#include "store/touched.hpp"

namespace certherd::store {

/// The store on any database that a Dialect knows. Each group of verbs is a file of its own:
/// sql_store_domains.cpp and so on.
class SqlStore final : public Store {
 public:
  SqlStore(std::shared_ptr<Sessions> sessions, runtime::Offload& writer, runtime::Offload& reader,
           runtime::Clock& clock)
      : sessions_(sessions), writer_(std::move(sessions), writer), reader_(reader), clock_(clock) {}

  std::uint64_t journal_writes() const override { return journal_writes_; }

  Task<Status> change_inventory(InventoryChange change) override;
  Task<Result<std::vector<DomainRow>>> domains() override;
  Task<Result<InventoryNews>> domains_since(Mark mark) override;
  Task<Result<DomainRow>> domain(Fqdn name) override;
  Task<Result<std::vector<std::string>>> names_with(std::string prefix, std::size_t limit) override;

  Task<Result<std::optional<Account>>> account(CaName ca) override;
  Task<Result<Account>> save_account(Account account, std::vector<Event> events) override;

  Task<Result<Issuance>> start(Issuance issuance, Changes changes) override;
  Task<Result<Issuance>> commit(Issuance issuance, Changes changes) override;
  Task<Result<Issuance>> issuance(IssuanceId id) override;
  Task<Result<std::vector<Issuance>>> active_issuances() override;
  Task<Result<std::optional<Issuance>>> active_issuance(DomainId domain) override;
  Task<Result<std::vector<OrderUrl>>> unknown_orders(std::vector<OrderUrl> urls) override;

  Task<Result<std::vector<Certificate>>> certificates(bool all) override;
  Task<Result<std::vector<Certificate>>> certificates_of(std::vector<DomainId> domains) override;
  Task<Result<Certificate>> certificate(DomainId domain, Serial serial) override;
  Task<Result<std::vector<Certificate>>> revocations_begun() override;
  Task<Result<std::string>> chain_of(DomainId domain, Serial serial) override;
  Task<Status> amend(DomainId domain, Changes changes) override;
  Task<Result<bool>> is_compromised(KeyHash key) override;
  Task<Status> save_renewals(std::vector<KnownRenewal> renewals,
                             std::vector<Event> events) override;

  Task<Status> submit(std::vector<WorkRequest> requests) override;
  Task<Result<std::vector<WorkRequest>>> open_requests(std::int64_t after) override;
  Task<Result<std::vector<WorkRequest>>> batch(std::string batch) override;
  Task<Status> finish_request(std::int64_t id, std::string result) override;
  Task<Status> withdraw_requests(std::string owner) override;

  Task<Result<Lease>> acquire_lease(std::string owner, Duration ttl,
                                    bool (*holder_is_dead)(const std::string& owner)) override;
  Task<Status> release_lease(std::string owner) override;

  Task<Result<int>> reseal(Reseal reseal, std::vector<Event> events) override;

  Task<Result<std::vector<Alarm>>> standing_alarms() override;
  Task<Result<int>> change_alarms(AlarmChanges changes) override;
  Task<Result<std::optional<Time>>> next_notification(NotifierName notifier) override;
  Task<Result<std::vector<Notification>>> take_notifications(NotifierName notifier,
                                                             std::size_t limit,
                                                             Time until) override;
  Task<Status> finish_notifications(std::vector<NotificationId> notifications) override;
  Task<Result<int>> put_off_notifications(PutOff put_off) override;
  Task<Result<int>> forget_notifiers_but(std::set<NotifierName> known) override;

  Task<Status> append(std::vector<Event> events) override;
  Task<Result<std::vector<NumberedEvent>>> events(EventQuery query) override;

  Task<Status> record(std::vector<TxtRecord> records) override;
  Task<Status> forget(std::vector<TxtRecord> records, Time until) override;
  Task<Result<std::vector<TxtRecord>>> unneeded(DnsName dns) override;
  Task<Result<std::vector<TxtRecord>>> entries(DnsName dns) override;

  Task<Result<Time>> take(runtime::Allowance allowance, double units, Time latest) override;
  Task<Status> settle(runtime::Allowance allowance, double left, Time until) override;
  Task<Result<Time>> taken_until(runtime::Allowance allowance) override;
  Task<Result<Room>> take_all(std::vector<Demand> demands) override;
  Task<Status> amend_allowances(std::vector<Amendment> amendments) override;
  Task<Result<std::map<std::string, Level>>> levels() override;

 private:
  /// Work on the reader's threads, which takes the sessions that it needs. It owns what it refers
  /// to.
  template <typename T>
  Task<Result<T>> look(std::string op, std::function<Result<T>(Sessions&)> work) {
    auto run = [sessions = sessions_, op = std::move(op), work = std::move(work)]() -> Result<T> {
      try {
        auto result = work(*sessions);
        if (!result) return fail(std::move(result.error()).during(op));
        return result;
      } catch (const soci::soci_error& error) {
        return fail(sessions->dialect().explain(error).during(op));
      }
    };
    co_return co_await reader_.call(std::move(run));
  }

  /// A read on the reader's threads. The work owns what it refers to.
  template <typename T>
  Task<Result<T>> read(std::string op, std::function<Result<T>(Session&)> work) {
    return look<T>(std::move(op),
                   [work = std::move(work)](Sessions& sessions) { return sessions.read(work); });
  }

  /// For a write of what domains() gives of a domain: notes it when that can be read.
  std::function<void()> touching(DomainId domain) const {
    return [touched = touched_, domain] { touched->note(domain); };
  }

  /// A write with a result, which only counts once it is committed.
  template <typename T>
  Task<Result<T>> write(std::string op, std::function<Result<T>(Session&)> work,
                        std::function<void()> then = {}) {
    // Shared with the work, which goes on when the caller is gone.
    auto value = std::make_shared<std::optional<T>>();
    GroupCommit::Work keep = [value, work = std::move(work)](Session& sql) -> Status {
      auto result = work(sql);
      if (!result) return fail(std::move(result.error()));
      value->emplace(std::move(*result));
      return {};
    };
    auto status = co_await writer_.write(std::move(op), std::move(keep), std::move(then));
    if (!status) co_return fail(std::move(status.error()));
    co_return std::move(**value);
  }

  std::shared_ptr<Sessions> sessions_;
  GroupCommit writer_;
  runtime::Offload& reader_;
  runtime::Clock& clock_;
  std::uint64_t journal_writes_ = 0;
  std::shared_ptr<Touched> touched_ = std::make_shared<Touched>();  // shared with work that goes on
};

/// Parts of many verbs. They throw soci::soci_error.
void insert_events(Session& sql, const std::vector<Event>& events);
void insert_requests(Session& sql, const std::vector<WorkRequest>& requests);

/// Ends the active issuance of a domain, if there is one and `last` is not behind it, because
/// `why`. Throws soci::soci_error. Errors: rejected (a row that does not parse).
Status end_issuance(Session& sql, DomainId domain, Step last, const Error& why, Time now);

/// Makes `certificate` the current one of its domain. Throws soci::soci_error.
void put_certificate(Session& sql, DomainId domain, const Certificate& certificate);

/// Writes changes, as part of a transaction. Throws soci::soci_error. Errors: as Store::amend().
Status put_changes(Session& sql, DomainId domain, const Changes& changes, Time now);

/// Writes how a domain fares. Throws soci::soci_error.
void put_outcome(Session& sql, DomainId domain, const Changes::Outcome& outcome);

}  // namespace certherd::store

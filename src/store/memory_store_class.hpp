#pragma once

// For memory_store*.cpp alone: others make one by make_memory_store().

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "store/memory_store.hpp"
#include "store/memory_store_tables.hpp"
#include "store/touched.hpp"

namespace certherd::store {

/// Each group of verbs is a file of its own: memory_store_domains.cpp and so on. A verb first looks
/// whether it may write, and then writes.
class MemoryStore final : public Store {
 public:
  MemoryStore(runtime::Clock& clock, MemoryStoreOptions options)
      : clock_(clock), keep_former_(options.keep_former), events_(options.keep_events) {}

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
  // Parts of many verbs.
  void put_events(std::vector<Event> events);
  Status check_requests(const std::vector<WorkRequest>& requests) const;
  void put_requests(std::vector<WorkRequest> requests);
  Status check_changes(Entry* entry, const Changes& changes) const;
  void put_changes(Entry* entry, Changes&& changes);
  void put_certificate(Entry& entry, Certificate certificate);
  void put_order(const OrderUrl& before, const OrderUrl& after);
  void end_issuance(Entry& entry, Step last, const Error& why);
  /// Gives the certificate its place in what it belongs to.
  static void settle_certificate(const Entry& entry, Certificate& certificate);
  void note_revocation(const KeptCertificate& kept);
  void drop_former(Entry& entry);
  void drop_over(Entry& entry);
  Level level_of(const std::string& name) const;
  int give_up(const std::map<NotifierName, std::vector<NotificationId>>& lost,
              const std::string& error);
  DomainRow row_of(const Entry& entry) const;
  std::vector<DomainRow> rows() const;
  class Change;

  runtime::Clock& clock_;
  std::size_t keep_former_;
  std::uint64_t journal_writes_ = 0;
  Touched touched_;
  Inventory inventory_;
  std::int64_t last_certificate_ = 0;
  std::map<std::int64_t, const KeptCertificate*> revoking_;  // by id
  std::int64_t last_issuance_ = 0;
  std::unordered_map<IssuanceId, Issuance> issuances_;
  std::set<IssuanceId> active_;
  std::unordered_map<std::string, int> orders_;  // how many issuances hold each
  std::unordered_set<std::string> compromised_;
  LedgerTable ledger_;
  std::unordered_map<std::string, Level> budgets_;
  RequestTable requests_;
  AlarmTable alarms_;
  std::map<CaName, Account> accounts_;
  std::optional<Lease> lease_;
  EventLog events_;
};

/// What is refused, and in what.
inline tl::unexpected<Error> refuse(std::string_view op, tl::unexpected<Error> why) {
  return fail(std::move(why.value()).during(op));
}

}  // namespace certherd::store

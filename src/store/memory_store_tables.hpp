#pragma once

// What MemoryStore keeps; for memory_store*.cpp alone.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/alarm.hpp"
#include "model/certificate.hpp"
#include "model/domain.hpp"
#include "model/event.hpp"
#include "model/issuance.hpp"
#include "model/request.hpp"

namespace certherd::store {

struct KeptCertificate {
  std::int64_t id = 0;  ///< counts over all domains
  Certificate certificate;
};

/// A domain, in the inventory or removed from it, with all that belongs to it alone.
struct Entry {
  Serial renewal_of;  ///< the certificate that `renewal` is about
  Renewal renewal;
  IssuanceId active{};                ///< 0: there is none
  std::vector<IssuanceId> issuances;  ///< the active one and those that are over, by id
  KeptCertificate* current = nullptr;
  std::list<KeptCertificate> certificates;  ///< by id
  Domain domain;
  bool removed = false;
};

/// All domains that there ever were. Entries stay where they are.
class Inventory {
 public:
  Entry* find(DomainId id) {
    const auto place = place_of(id);
    return place < entries_.size() ? &entries_[place] : nullptr;
  }
  const Entry* find(DomainId id) const {
    const auto place = place_of(id);
    return place < entries_.size() ? &entries_[place] : nullptr;
  }
  Entry* find(const Fqdn& name) {
    const auto found = hashed_.find(name.text());
    return found == hashed_.end() ? nullptr : find(found->second);
  }
  /// Its domain has its id and revision then.
  Entry& add(Domain domain) {
    auto& entry = entries_.emplace_back();
    domain.id = DomainId{static_cast<std::int64_t>(entries_.size())};
    domain.revision = 1;
    const auto place = by_name_.emplace(domain.name.text(), domain.id).first;
    hashed_.emplace(place->first, domain.id);
    entry.domain = std::move(domain);
    return entry;
  }
  const std::map<std::string, DomainId, std::less<>>& by_name() const { return by_name_; }

 private:
  static std::size_t place_of(DomainId id) {
    return static_cast<std::size_t>(static_cast<std::int64_t>(id)) - 1;
  }

  std::deque<Entry> entries_;  // by id, which counts from 1
  std::map<std::string, DomainId, std::less<>> by_name_;
  std::unordered_map<std::string_view, DomainId> hashed_;  // the keys stand in by_name_
};

/// The newest events.
class EventLog {
 public:
  explicit EventLog(std::size_t keep) : keep_(keep) {}

  void append(Event event) {
    events_.push_back(std::move(event));
    if (events_.size() <= keep_) return;
    events_.pop_front();
    ++dropped_;
  }
  const std::deque<Event>& events() const { return events_; }
  std::int64_t number_of(std::size_t place) const {
    return dropped_ + static_cast<std::int64_t>(place) + 1;
  }

 private:
  std::size_t keep_;
  std::deque<Event> events_;
  std::int64_t dropped_ = 0;
};

/// One value of the ledger, and for whom it was written where.
struct LedgerKey {
  Fqdn name;
  TxtValue value;

  bool operator==(const LedgerKey&) const = default;
};
struct LedgerHolder {
  DnsName dns;
  ZoneId zone;
  IssuanceId issuance{};
  Time recorded_at{};
};
struct LedgerHash {
  std::size_t operator()(const LedgerKey& key) const {
    const std::hash<std::string> hash;
    return hash(key.value.text()) * 31 + hash(key.name.text());
  }
};
using LedgerTable = std::unordered_map<LedgerKey, std::vector<LedgerHolder>, LedgerHash>;

/// The requests of all batches. A number is not given out twice.
struct RequestTable {
  std::int64_t last = 0;
  std::map<std::int64_t, WorkRequest> all;
  std::set<std::int64_t> open;
  std::map<std::string, std::vector<std::int64_t>> batches;
};

/// What a notifier is still to be told.
struct PendingNotification {
  std::shared_ptr<Alarm> alarm;  ///< as it stands now
  bool over = false;
  int attempts = 0;
  std::optional<Time> failing_since;
  Time next_at{};
};

struct AlarmTable {
  std::int64_t last_alarm = 0;
  std::int64_t last_notification = 0;
  std::map<Alarm::Key, std::shared_ptr<Alarm>> standing;
  std::map<NotifierName, std::map<NotificationId, PendingNotification>> pending;
};

}  // namespace certherd::store

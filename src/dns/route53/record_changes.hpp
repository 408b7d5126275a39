#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "dns/provider.hpp"
#include "dns/route53/record_set.hpp"
#include "dns/route53/xml.hpp"
#include "model/fqdn.hpp"

namespace certherd::dns::route53 {

/// What was read at a name; nothing: there is no TXT set.
using KnownSets = std::map<Fqdn, std::optional<RecordSet>>;

/// What one ChangeResourceRecordSets may carry (Route 53 developer guide, "Quotas"): ResourceRecord
/// elements, and characters of their values. Both count twice for UPSERT, which is never sent.
constexpr std::size_t most_elements = 1000;
constexpr std::size_t most_characters = 32'000;

/// What carries out value-level changes on record sets.
///
/// At a name that has not been read a new value is created as a set of its own, and what is to be
/// removed is taken for the whole set, as certherd has left it: both are refused when something
/// else stands there. At a name that has been read the set is deleted as it stands, and what comes
/// of it is created; values of others stay as they are, text and TTL.
class RecordChanges {
 public:
  RecordChanges(const std::vector<TxtChange>& changes, const KnownSets& known);

  /// In the order of the names; nothing when there is nothing to be done. A set in which each
  /// value that is wanted stands already is written again where there is room for it: only a
  /// change has a state to be asked for, and whoever wrote the value need not be in sync.
  const std::vector<SetChange>& changes() const { return changes_; }

  bool fits() const { return elements_ <= most_elements && characters_ <= most_characters; }

 private:
  void add(SetChange change);
  void replace(const Fqdn& name, const std::optional<RecordSet>& old, RecordSet next);
  void add_where_room_is(const std::vector<SetChange>& rewrites);

  std::vector<SetChange> changes_;
  std::size_t elements_ = 0;
  std::size_t characters_ = 0;
};

}  // namespace certherd::dns::route53
